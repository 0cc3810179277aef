//! The access log.

use std::io::Read;
use std::sync::Arc;

use dewar::server::{Limits, Server};
use dewar::{Body, Request, Response};

use super::{Client, until};
use crate::support::log_capture;

/// The line that has this in it, without the time that it took.
#[track_caller]
fn line_with(mark: &str) -> String {
    let log = log_capture();
    until(|| !log.with(mark).is_empty());
    let lines = log.with(mark);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let (line, took) = lines[0].rsplit_once(' ').unwrap();
    let milliseconds: f64 = took.strip_suffix("ms").and_then(|number| number.parse().ok()).unwrap();
    assert!(milliseconds >= 0.0);
    line.to_owned()
}

#[test]
fn each_response_has_a_line() {
    log_capture();
    let limits = Limits { body: 4000, target: 50, ..Limits::default() };
    let server = Server::bind("127.0.0.1:0").unwrap().limits(limits);
    let server = server.start(Arc::new(|request: Request| match request.path() {
        "/access-stream" => Response::new(Body::reader(b"abc".chain(&b"de"[..]))),
        "/access-panic" => panic!("as it should"),
        _ => Response::text("Hello, World!"),
    }));
    let server = server.unwrap();
    let long = "y".repeat(50);
    for (request, line) in [
        ("GET /access-plain?x=1 HTTP/1.1", "\"GET /access-plain?x=1 HTTP/1.1\" 200 13"),
        ("HEAD /access-head HTTP/1.1", "\"HEAD /access-head HTTP/1.1\" 200 0"),
        ("GET /access-old HTTP/1.0", "\"GET /access-old HTTP/1.0\" 200 13"),
        // Chunks of 3 and 2 bytes with 5 more around each, and the last one of 5.
        ("GET /access-stream HTTP/1.1", "\"GET /access-stream HTTP/1.1\" 200 20"),
        ("G@T /access-method HTTP/1.1", "\"- /access-method HTTP/1.1\" 400 "),
        (&format!("GET /access-long{long} HTTP/1.1"), &format!("\"GET /access-long{long} HTTP/1.1\" 414 ")),
        ("GET /access-panic HTTP/1.1", "\"GET /access-panic HTTP/1.1\" 500 "),
        ("POST /access-large HTTP/1.1\r\nContent-Length: 5000", "\"POST /access-large HTTP/1.1\" 413 "),
    ] {
        let mut client = Client::connect(server.addr());
        client.send(format!("{request}\r\nHost: x\r\n\r\n"));
        client.head();
        let mark = line.split(' ').nth(1).unwrap();
        let logged = line_with(&format!(" {mark} HTTP"));
        assert!(logged.starts_with(&format!("INFO 127.0.0.1 {line}")), "{logged:?} is not {line:?}");
    }
}

#[test]
fn a_target_cannot_write_lines_of_its_own() {
    log_capture();
    let server = super::start(|_| Response::text("x"));
    let mut client = Client::connect(server.addr());
    client.send("GET /access-escape\u{1b}[31m\"\\\n\u{7f}127.0.0.1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    let line = line_with("/access-escape");
    let wanted = r#"INFO 127.0.0.1 "GET /access-escape\x1b[31m\"\\ HTTP/1.1" 400 "#;
    assert!(line.starts_with(wanted), "{line:?} is not {wanted:?}");
}
