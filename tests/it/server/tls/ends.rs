//! How connections with TLS end: TLS tells an end from a cut.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use dewar::{Body, Response};

use super::{connect, start};
use crate::server::{NEVER, next, until};

#[test]
fn a_client_may_say_that_it_sends_no_more() {
    let (entered, inside) = channel();
    let (go, wait) = channel::<()>();
    let ends = Mutex::new((entered, wait));
    let server = start(move |_| {
        let ends = ends.lock().unwrap();
        ends.0.send(()).unwrap();
        next(&ends.1);
        Response::text("late")
    });
    for with_fin in [false, true] {
        let mut client = connect(server.addr());
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        next(&inside);
        let socket = client.0.get_mut();
        socket.conn.send_close_notify();
        socket.flush().unwrap();
        if with_fin {
            socket.sock.shutdown(Shutdown::Write).unwrap();
        }
        go.send(()).unwrap();
        assert_eq!(client.answer().body, "late");
        // And the server says so as well: an end, not a cut.
        assert_eq!(client.0.read_to_end(&mut Vec::new()).unwrap(), 0);
    }
    until(|| server.stats().connections == 0);
}

#[test]
fn an_end_that_was_not_announced_is_an_error_in_a_body_and_an_end_between_requests() {
    let (seen, errors) = channel();
    let seen = Mutex::new(seen);
    let server = start(move |request| {
        let read = request.take_body().read_to_end(&mut Vec::new());
        seen.lock().unwrap().send(read.map_err(|error| error.kind())).unwrap();
        Response::text("read")
    });
    for length in [10, 1_000_000] {
        let mut client = connect(server.addr());
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nhalf"));
        client.0.get_ref().sock.shutdown(Shutdown::Write).unwrap();
        let _ = client.0.read_to_end(&mut Vec::new());
    }
    // Of the short one the handler has never heard.
    assert_eq!(next(&errors), Err(ErrorKind::UnexpectedEof));
    let mut client = connect(server.addr());
    assert_eq!(client.get("/").status, 200);
    client.0.get_ref().sock.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.0.read_to_end(&mut Vec::new()).unwrap(), 0);
    until(|| server.stats().connections == 0);
}

#[test]
fn a_response_that_breaks_off_does_not_look_complete() {
    let server = start(|_| Response::new(Body::try_blocks([Ok("begun"), Err(io::Error::other("no more"))])));
    let mut client = connect(server.addr());
    client.send("GET / HTTP/1.0\r\n\r\n");
    client.head();
    let mut body = String::new();
    let error = client.0.read_to_string(&mut body).unwrap_err();
    assert!("begun".starts_with(&body), "{body:?}");
    assert!(matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset), "{error}");
}

#[test]
fn the_end_of_a_last_response_is_announced() {
    let server = start(|_| Response::text("x".repeat(100_000)));
    for version in ["1.0", "1.1"] {
        let mut client = connect(server.addr());
        client.send(format!("GET / HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n"));
        client.head();
        assert_eq!(client.0.read_to_end(&mut Vec::new()).unwrap(), 100_000);
    }
}

#[test]
fn a_shutdown_finishes_what_is_in_flight_and_waits_for_no_handshake() {
    let (entered, inside) = channel();
    let (go, wait) = channel::<()>();
    let ends = Mutex::new((entered, wait));
    let server = Arc::new(start(move |request| {
        if request.path() == "/wait" {
            let ends = ends.lock().unwrap();
            ends.0.send(()).unwrap();
            next(&ends.1);
        }
        Response::text("finished")
    }));
    let mut idle = connect(server.addr());
    idle.get("/");
    let _silent = TcpStream::connect(server.addr()).unwrap();
    let mut client = connect(server.addr());
    client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    next(&inside);
    let stopping = Arc::clone(&server);
    let begun = Instant::now();
    let stopped = std::thread::spawn(move || stopping.shutdown(NEVER));
    assert_eq!(idle.0.read_to_end(&mut Vec::new()).unwrap(), 0);
    until(|| TcpStream::connect(server.addr()).is_err());
    go.send(()).unwrap();
    assert_eq!(client.answer().body, "finished");
    assert_eq!(client.0.read_to_end(&mut Vec::new()).unwrap(), 0);
    assert_eq!(stopped.join().unwrap().cut, 0);
    assert!(begun.elapsed() < NEVER / 2);
}
