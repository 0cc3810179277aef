//! How many connections there may be, and a system that has no descriptors left.

use std::time::Instant;

use dewar::Response;
use dewar::server::Limits;

use super::children::Child;
use super::*;

#[test]
fn a_connection_too_many_is_503_until_there_is_room() {
    let server = serve(Limits { connections: 10, ..defaults() }, |_| Response::text("x"));
    let mut clients: Vec<_> = (0..10).map(|_| connect(&server)).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/").body, "x"));
    for round in 0..20 {
        let mut client = connect(&server);
        if round % 2 == 0 {
            let _ = try_send(&mut client, get("/"));
        }
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
        assert_eq!(rest(&mut client), b"");
    }
    let stats = server.stats();
    assert_eq!((stats.connections, stats.accepted, stats.refused_503), (10, 30, 20));
    clients.pop();
    until(|| server.stats().connections == 9);
    let mut client = connect(&server);
    assert_eq!(client.get("/").body, "x");
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/").body, "x"));
}

#[test]
fn without_descriptors_it_waits_for_some() {
    let mut child = Child::run("few-descriptors");
    let addr = child.said("ready ").parse().unwrap();
    let mut first = Client::connect(addr);
    assert_eq!(first.get("/short").body, "0");
    // More than it can have: the others wait in the backlog.
    let mut clients: Vec<_> = (0..100).map(|_| Client::connect(addr)).collect();
    let since = Instant::now();
    while first.get("/short").body == "0" {
        assert!(since.elapsed() < NEVER);
    }
    // It goes on being short for several looks, and says so once.
    std::thread::sleep(millis(500));
    assert_eq!(first.get("/short").body, "1");
    // As some close, the others are served.
    for client in &mut clients {
        assert_eq!(client.get("/").body, "x");
    }
    assert_eq!(first.get("/short").body, "1");
    drop(clients);
    child.ends();
}

/// Errors of `accept` that do not go away must not be asked for again and again.
#[test]
fn a_listener_that_is_broken_does_not_keep_a_shutdown() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let same = listener.try_clone().unwrap();
    let server = Server::from_listener(listener).start(Arc::new(|_: Request| Response::text("x"))).unwrap();
    let mut client = connect(&server);
    assert_eq!(client.get("/").body, "x");
    rustix::net::shutdown(&same, rustix::net::Shutdown::Both).unwrap();
    assert_eq!(client.get("/").body, "x");
    assert_eq!(server.shutdown(NEVER).cut, 0);
}
