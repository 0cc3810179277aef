//! What a client sends to break the engine over tiny_http.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use dewar::server::{Limits, Server};
use dewar::{Request, Response};

use super::{Client, start_tiny};

fn with_headers(start: &str, count: usize) -> String {
    format!("{start}{}\r\n", "X: y\r\n".repeat(count))
}

#[test]
fn too_many_headers_are_431() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let server = start_tiny(move |_: Request| {
        count.fetch_add(1, Ordering::SeqCst);
        Response::text("called")
    });
    // The lengths would abort the process if tiny_http dropped the request: it makes room for what is left to be read.
    for start in [
        "GET / HTTP/1.1\r\nHost: x\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n",
    ] {
        for headers in [100, 40_000] {
            let mut client = Client::connect(server.addr());
            client.send(with_headers(start, headers));
            let answer = client.answer();
            assert_eq!((answer.status, answer.header("connection")), (431, Some("close")), "{start:?} {headers}");
        }
    }
    assert_eq!((calls.load(Ordering::SeqCst), server.stats().panics), (0, 0));
    let mut client = Client::connect(server.addr());
    client.send(with_headers("GET / HTTP/1.1\r\nHost: x\r\n", 99));
    assert_eq!(client.answer().body, "called");
}

#[test]
fn long_heads_are_431_and_long_targets_414() {
    let (defaults, huge) = (Limits::default(), usize::MAX);
    let generous = Limits { head: huge, headers: huge, target: huge, ..Limits::default() };
    for (limits, target, value, status) in [
        (&defaults, 8191, 50_000, 200),
        (&defaults, 8192, 10, 414),
        (&defaults, 8191, 60_000, 431),
        (&generous, 60_000, 300_000, 200),
        (&generous, 70_000, 10, 414),
    ] {
        let server = Server::bind("127.0.0.1:0").unwrap().limits(limits.clone());
        let server = server.start(Arc::new(|_| Response::text("answered"))).unwrap();
        let mut client = Client::connect(server.addr());
        let (target, value) = ("a".repeat(target), "b".repeat(value));
        client.send(format!("GET /{target} HTTP/1.1\r\nHost: x\r\nX: {value}\r\n\r\n"));
        assert_eq!(client.answer().status, status);
        assert_eq!(server.stats().panics, 0);
    }
}

#[test]
fn a_head_is_counted_to_the_byte() {
    let head = "GET /x HTTP/1.1\r\nHost: x\r\nX: y\r\n\r\n";
    for (limit, status) in [(head.len(), 200), (head.len() - 1, 431)] {
        let server = Server::bind("127.0.0.1:0").unwrap().limits(Limits { head: limit, ..Limits::default() });
        let server = server.start(Arc::new(|_| Response::text("answered"))).unwrap();
        let mut client = Client::connect(server.addr());
        client.send(head);
        assert_eq!(client.answer().status, status);
    }
}

#[test]
fn a_request_behind_a_malformed_one_is_not_handled() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let seen_by_service = Arc::clone(&seen);
    let server = start_tiny(move |request: Request| {
        seen_by_service.lock().unwrap().push(request.path().to_owned());
        Response::text("answered")
    });
    // Both are taken in the same moment, each by a worker of its own.
    for _ in 0..300 {
        let mut client = Client::connect(server.addr());
        client.send(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhelloGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n",
        );
        assert_eq!((client.answer().status, client.answer().status), (400, 400));
    }
    assert_eq!(*seen.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn many_malformed_requests_do_not_make_it_slow() {
    let server = start_tiny(|_| Response::text("answered"));
    let mut client = Client::connect(server.addr());
    for _ in 0..100 {
        client.send("GET / HTTP/1.1\r\n\r\n".repeat(100));
        for _ in 0..100 {
            assert_eq!(client.answer().status, 400);
        }
    }
    assert_eq!(Client::connect(server.addr()).get("/").body, "answered");
}
