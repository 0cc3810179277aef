//! Bodies that come and go at the same time, and what comes behind them.

use std::io::{Read, Write};
use std::thread;

use dewar::http::HeaderMap;
use dewar::{Body, Response};

use super::*;
use crate::server::next;

fn summed(request: Request) -> Response {
    let length = request.data().unwrap().len();
    let sum = request.trailers().and_then(|trailers| Some(trailers.get("x-sum")?.to_str().ok()?.to_owned()));
    let before = request.header("x-sum").is_some();
    let text = format!("{length} {sum:?} {before}");
    let mut response = match request.path() {
        "/sized" => Response::text(text),
        _ => Response::new(Body::blocks([text])),
    };
    response.set_trailers(|| {
        HeaderMap::from_iter([
            ("x-sum".parse().unwrap(), "7".parse().unwrap()),
            ("content-length".parse().unwrap(), "7".parse().unwrap()),
        ])
    });
    response
}

#[test]
fn trailers_go_both_ways() {
    let server = serve(defaults(), summed);
    let mut client = connect(&server);
    for size in [10, UPLOAD] {
        let body = format!("{size:x}\r\n{}\r\n0\r\nX-Sum: 42\r\nHost: evil\r\n\r\n", "x".repeat(size));
        let head = "Host: x\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n";
        client.send(format!("POST / HTTP/1.1\r\n{head}TE: trailers\r\nConnection: TE\r\n\r\n{body}"));
        assert_eq!(client.head().header("transfer-encoding"), Some("chunked"));
        assert_eq!(client.chunk().unwrap(), format!("{size} Some(\"42\") false").into_bytes());
        assert_eq!(client.line(), "0\r\n");
        assert_eq!((client.line(), client.line()), ("x-sum: 7\r\n".to_owned(), "\r\n".to_owned()));
        // Who does not ask for them does not get any, nor does one whose answer has a length.
        client.send(format!("POST / HTTP/1.1\r\n{head}\r\n{body}"));
        assert_eq!(client.answer().body, format!("{size} Some(\"42\") false"));
        client.send(format!("POST /sized HTTP/1.1\r\n{head}TE: trailers\r\n\r\n{body}"));
        let answer = client.answer();
        assert_eq!((answer.header("x-sum"), answer.header("transfer-encoding")), (None, None));
    }
    client.send("GET / HTTP/1.0\r\nTE: trailers\r\n\r\n");
    assert_eq!(client.head().header("transfer-encoding"), None);
    assert_eq!(rest(&mut client), b"0 None false");
}

fn expecting(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n")
}

#[test]
fn a_client_is_told_to_go_on_when_somebody_reads() {
    let (gate, opens) = gate();
    let held = gate.clone();
    let server = serve(defaults(), move |request: Request| match request.path() {
        "/unread" => Response::text("no, thanks"),
        _ => {
            held.wait();
            data(&request)
        }
    });
    for length in [5, UPLOAD] {
        gate.shut();
        let mut client = connect(&server);
        client.send(expecting("/", length));
        until(|| gate.waiting() == 1);
        // Not before: the handler may not want it.
        client.0.get_ref().set_nonblocking(true).unwrap();
        assert!(client.0.get_mut().read(&mut [0]).is_err(), "it was told to go on too early");
        client.0.get_ref().set_nonblocking(false).unwrap();
        gate.open();
        assert_eq!((client.line().as_str(), client.line().as_str()), ("HTTP/1.1 100 Continue\r\n", "\r\n"));
        client.send("x".repeat(length));
        assert_eq!(client.answer().body, length.to_string());
        // Unread it is not told, and the connection ends: nobody knows what it will send.
        client.send(expecting("/unread", length));
        assert!(client.line().starts_with("HTTP/1.1 200 "));
        assert!(String::from_utf8(rest(&mut client)).unwrap().ends_with("no, thanks"));
    }
    drop(opens);
    settled(&server);
}

#[test]
fn a_handler_sees_an_upload_while_it_comes() {
    let (tell, told) = pair();
    let server = serve(defaults(), move |request: Request| {
        let (mut body, mut piece, mut all) = (request.take_body(), vec![0; 100_000], 0);
        while let n @ 1.. = body.read(&mut piece).unwrap() {
            all += n;
            let _ = tell.lock().unwrap().send(all);
        }
        Response::text(all.to_string())
    });
    let mut client = connect(&server);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut seen = 0;
    for n in 1..=100 {
        client.send(format!("186a0\r\n{}\r\n", "x".repeat(100_000)));
        // What was sent has to arrive before the next is sent. (The first ones are taken in ahead.)
        while seen < n * 100_000 {
            seen = next(&told);
        }
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.answer().body, "10000000");
}

#[test]
fn an_echo_goes_both_ways_at_once() {
    let server = serve(defaults(), |request: Request| {
        Response::new(match request.path() {
            "/wrapped" => Body::reader(request.take_body().chain(&b"!"[..])),
            _ => request.take_body(),
        })
    });
    let large: Vec<u8> = (0..5_000_000_u32).map(|n| b'a' + (n % 23) as u8).collect();
    for (path, chunked) in [("/", false), ("/", true), ("/wrapped", false), ("/wrapped", true)] {
        let mut client = connect(&server);
        let mut writer = client.0.get_ref().try_clone().unwrap();
        let body = large.clone();
        let writing = thread::spawn(move || {
            if chunked {
                let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
                writer.write_all(head.as_bytes()).unwrap();
                for piece in body.chunks(77_777) {
                    write!(writer, "{:x}\r\n", piece.len()).unwrap();
                    writer.write_all(piece).unwrap();
                    writer.write_all(b"\r\n").unwrap();
                }
                writer.write_all(b"0\r\n\r\n").unwrap();
            } else {
                writer.write_all(post(path, body.len()).as_bytes()).unwrap();
                writer.write_all(&body).unwrap();
            }
        });
        let answer = client.answer();
        writing.join().unwrap();
        let wrapped = usize::from(path == "/wrapped");
        assert_eq!(answer.body.len(), large.len() + wrapped, "{path} {chunked}");
        assert!(answer.body.as_bytes()[..large.len()] == large);
        // It stays in step.
        client.send(post("/", 3) + "abc");
        assert_eq!(client.answer().body, "abc");
    }
}

/// To HTTP/1.0 the end of the connection is the end of the body: only a reset says that there should have been more.
#[test]
fn a_body_that_fails_looks_complete_to_nobody() {
    let server = serve(defaults(), |request: Request| {
        Response::new(match request.path() {
            "/fails" => Body::try_blocks([Ok("begun"), Err(std::io::Error::other("no more"))]),
            "/panics" => Body::blocks((0..2).map(|n| if n == 0 { "begun" } else { panic!("in the body") })),
            _ => Body::blocks(["all"]),
        })
    });
    for path in ["/fails", "/panics", "/"] {
        let mut client = connect(&server);
        client.send(format!("GET {path} HTTP/1.0\r\n\r\n"));
        client.head();
        let mut body = String::new();
        let read = client.0.read_to_string(&mut body);
        match path {
            "/" => assert_eq!((read.is_ok(), body.as_str()), (true, "all")),
            _ => assert!(read.is_err(), "{path}: {body:?} looks complete"),
        }
    }
    settled(&server);
}
