//! How it ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use dewar::server::{Limits, ShutdownReport};
use dewar::{Body, Response};

use super::children::Child;
use super::*;
use crate::server::next;
use crate::support::Folder;

#[test]
fn for_a_while_it_goes_on_accepting() {
    let server = Arc::new(serve(Limits { drain_grace: millis(1500), ..defaults() }, |_| Response::text("x")));
    let mut idle = connect(&server);
    assert_eq!(idle.get("/").header("connection"), None);
    let begun = Instant::now();
    let stopping = {
        let server = Arc::clone(&server);
        thread::spawn(move || server.shutdown(NEVER))
    };
    // Idle ones are closed at once.
    assert_eq!(rest(&mut idle), b"");
    for _ in 0..5 {
        let mut client = connect(&server);
        let answer = client.get("/");
        assert_eq!((answer.body.as_str(), answer.header("connection")), ("x", Some("close")));
        assert_eq!(rest(&mut client), b"");
    }
    if begun.elapsed() > millis(1000) {
        return; // the machine is too busy to tell
    }
    assert_eq!(stopping.join().unwrap().cut, 0);
    assert!(begun.elapsed() >= millis(1500));
    assert!(TcpStream::connect(server.addr()).is_err());
}

/// On a Unix socket, where what a client has sent is there at once.
#[test]
fn what_has_come_before_is_answered_though_nobody_has_looked() {
    let folder = Folder::new("native-backlog");
    for round in 0..10 {
        let path = folder.0.join(format!("{round}.sock"));
        let (gate, opens) = gate();
        let held = gate.clone();
        let server = Server::bind_unix(&path).unwrap().start(Arc::new(move |request: Request| {
            if request.path() == "/block" {
                held.wait();
            }
            Response::text("x")
        }));
        let server = Arc::new(server.unwrap());
        let mut blocked = Client::connect_unix(&path);
        blocked.send(get("/block"));
        until(|| gate.waiting() == 1);
        let mut known: Vec<_> = (0..30).map(|_| Client::connect_unix(&path)).collect();
        known.iter_mut().for_each(|client| assert_eq!(client.get("/").body, "x"));
        let mut queued: Vec<_> = (0..30).map(|_| Client::connect_unix(&path)).collect();
        known.iter_mut().chain(&mut queued).for_each(|client| client.send(get("/")));
        let stopping = {
            let server = Arc::clone(&server);
            thread::spawn(move || server.shutdown(NEVER))
        };
        for (index, client) in known.iter_mut().chain(&mut queued).enumerate() {
            assert_eq!(client.answer().body, "x", "{index}");
        }
        drop((known, queued));
        until(|| server.stats().connections == 1 && UnixStream::connect(&path).is_err());
        drop(opens);
        let answer = blocked.answer();
        assert_eq!((answer.body.as_str(), answer.header("connection")), ("x", Some("close")));
        drop(blocked);
        let report = stopping.join().unwrap();
        assert!(report.finished >= 1 && report.cut == 0, "{report:?}");
    }
}

#[test]
fn what_was_begun_is_finished() {
    let (gate, opens) = gate();
    let held = gate.clone();
    let server = Arc::new(serve(defaults(), move |request: Request| match request.path() {
        "/stream" => {
            let held = held.clone();
            Response::new(Body::blocks((0..3).map(move |n| {
                if n == 1 {
                    held.wait();
                }
                n.to_string()
            })))
        }
        "/bytes" => Response::new(large()),
        "/block" => {
            held.wait();
            Response::text("late")
        }
        _ => data(&request),
    }));
    let requests = [
        get("/stream"),
        get("/bytes"),
        get("/block"),
        post("/", 10) + "begun",
        post("/", UPLOAD) + "begun",
        "GET /".into(),
    ];
    let mut clients: Vec<_> = requests
        .iter()
        .map(|request| {
            let mut client = connect(&server);
            client.send(request);
            client
        })
        .collect();
    until(|| gate.waiting() == 2 && server.stats().pool.busy >= 3 && server.stats().connections == 6);
    let stopping = {
        let server = Arc::clone(&server);
        thread::spawn(move || server.shutdown(NEVER))
    };
    until(|| TcpStream::connect(server.addr()).is_err());
    clients[3].send("12345");
    clients[4].send("x".repeat(UPLOAD - 5));
    clients[5].send(" HTTP/1.1\r\nHost: x\r\n\r\n");
    drop(opens);
    let bodies = ["012".into(), "x".repeat(LARGE), "late".into(), "10".into(), UPLOAD.to_string(), "0".into()];
    for (client, wanted) in clients.iter_mut().zip(bodies) {
        assert!(client.answer().body == wanted, "{} bytes", wanted.len());
        assert_eq!(rest(client), b"");
    }
    drop(clients);
    assert_eq!(stopping.join().unwrap().cut, 0);
}

#[test]
fn at_the_deadline_the_rest_is_cut_and_counted() {
    let (gate, _opens) = gate();
    let held = gate.clone();
    let (tell, told) = pair();
    let server = serve(defaults(), move |request: Request| match request.path() {
        "/block" => {
            held.wait();
            Response::text("late")
        }
        "/upload" => super::told(&request, &tell),
        "/stream" => Response::new(stream()),
        _ => Response::text("x"),
    });
    let requests = [get("/block"), get("/block"), get("/stream"), post("/upload", UPLOAD) + "begun"];
    let mut clients: Vec<_> = requests
        .iter()
        .map(|request| {
            let mut client = connect(&server);
            client.send(request);
            client
        })
        .collect();
    until(|| gate.waiting() == 2 && server.stats().pool.busy == 4);
    let since = Instant::now();
    let report = server.shutdown(millis(200));
    assert_eq!(report, ShutdownReport { finished: 0, cut: 4 });
    assert!(since.elapsed() < NEVER / 2);
    for client in &mut clients {
        assert!(rest(client).len() < LARGE);
    }
    next(&told);
}

/// No thread is left, and whatever was begun has an end.
#[test]
fn a_hundred_connections_in_the_middle_of_a_request() {
    let mut child = Child::run("mid-request");
    let addr = child.said("ready ").parse().unwrap();
    let requests = [
        get("/slow"),
        get("/stream"),
        post("/", 100),
        post("/", UPLOAD) + "begun",
        "GET / HT".into(),
        String::new(),
        get("/"),
        "GET /switch HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\n\r\n".into(),
        get("/slow").repeat(3),
        get("/slow") + "GET",
    ];
    let mut clients = Vec::new();
    for n in 0..100 {
        let mut client = Client::connect(addr);
        client.send(&requests[n % requests.len()]);
        clients.push(client);
    }
    child.finish_input();
    let cut: usize = child.said("cut ").parse().unwrap();
    // Those that switched, and the uploads that nobody goes on with.
    assert!(cut >= 10, "{cut}");
    assert_eq!(child.said("left "), "[]");
    for (n, client) in clients.iter_mut().enumerate() {
        let all = rest(client);
        if [0, 1, 6].contains(&(n % requests.len())) {
            assert!(all.starts_with(b"HTTP/1.1 200 "), "{n}: {}", String::from_utf8_lossy(&all));
        }
    }
    child.ends();
}

#[test]
fn an_idle_server_and_one_that_is_stopped_twice_end_at_once() {
    let server = serve(defaults(), |_| Response::text("x"));
    let mut clients: Vec<_> = (0..100).map(|_| connect(&server)).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/").body, "x"));
    let since = Instant::now();
    assert_eq!(server.shutdown(Duration::MAX).cut, 0);
    assert_eq!(server.shutdown(Duration::ZERO).cut, 0);
    assert!(since.elapsed() < NEVER / 2);
    for client in &mut clients {
        assert_eq!(rest(client), b"");
        assert!(client.0.get_mut().write_all(b"x").is_ok() || client.0.read(&mut [0]).is_err());
    }
}
