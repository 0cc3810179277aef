//! A request's body is a lease: whatever a handler does with it, the connection stays in step.

use std::io::{ErrorKind, Read};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use dewar::{Body, Request, Response};

use super::{Client, next, start, until};

static STASH: Mutex<Vec<Body>> = Mutex::new(Vec::new());

fn service(request: Request) -> Response {
    match request.path() {
        "/echo" => Response::new(request.take_body()),
        "/wrapped" => Response::new(Body::reader(request.take_body().chain(&b"!"[..]))),
        "/data" => Response::text(request.data().unwrap()),
        "/half" => {
            let mut half = [0; 3];
            request.take_body().read_exact(&mut half).unwrap();
            Response::text(half.to_vec())
        }
        "/drop" => Response::text("dropped"),
        "/leak" => {
            std::mem::forget(request.take_body());
            Response::text("leaked")
        }
        "/stash" => {
            STASH.lock().unwrap().push(request.take_body());
            Response::text("stashed")
        }
        "/panic" => panic!("with the body in hand"),
        _ => Response::text("last"),
    }
}

fn bodies() -> impl Iterator<Item = (String, String)> {
    // Read ahead by tiny_http; on the socket; on the socket and more than its buffers hold; in chunks.
    let sized = [5, 1024, 1025, 300_000].into_iter().map(|n| {
        let body: String = ('a'..='z').cycle().take(n).collect();
        (format!("Content-Length: {n}\r\n\r\n{body}"), body)
    });
    let chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n";
    sized.chain([(chunks.to_owned(), "hello world".to_owned())])
}

#[test]
fn the_connection_stays_in_step_whatever_is_done_with_the_body() {
    let server = start(service);
    for (message, body) in bodies() {
        let mut client = Client::connect(server.addr());
        for path in ["/echo", "/wrapped", "/data", "/drop", "/leak", "/stash", "/half", "/panic", "/echo"] {
            client.send(format!("POST {path} HTTP/1.1\r\nHost: x\r\n{message}"));
            let answer = client.answer();
            let expected = match path {
                "/echo" | "/data" => body.clone(),
                "/wrapped" => format!("{body}!"),
                "/drop" => "dropped".into(),
                "/leak" => "leaked".into(),
                "/stash" => "stashed".into(),
                "/half" => body[..3].to_owned(),
                _ => answer.body.clone(),
            };
            assert_eq!(answer.status, if path == "/panic" { 500 } else { 200 });
            assert!(answer.body == expected, "{path} with {} bytes: {:?}", body.len(), answer);
        }
        assert_eq!(client.get("/last").body, "last");
    }
    assert_eq!(server.stats().leaked_readers, 0);
    for mut body in STASH.lock().unwrap().drain(..) {
        // In memory it is still there; on the connection it is not.
        match body.read(&mut [0; 8]) {
            Ok(n) => assert!(n <= 1024),
            Err(error) => assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}"),
        }
    }
}

#[test]
fn pipelined_behind_an_unread_body() {
    let server = start(service);
    let mut client = Client::connect(server.addr());
    let body = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    let post = format!("POST /drop HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    client.send(format!("{post}GET /last HTTP/1.1\r\nHost: x\r\n\r\n{post}"));
    assert_eq!(client.answer().body, "dropped");
    assert_eq!(client.answer().body, "last");
    assert_eq!(client.answer().body, "dropped");
    client.expect_silence();
}

#[test]
fn the_answer_does_not_wait_for_a_body_that_nobody_reads() {
    let server = start(service);
    let mut slow = Client::connect(server.addr());
    slow.send("POST /drop HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\nbegun");
    assert_eq!(slow.answer().body, "dropped");
    // Nor does a worker wait for it: all of them are free again.
    until(|| server.stats().pool.busy == 0);
    slow.send("x".repeat(500_000 - "begun".len()));
    assert_eq!(slow.get("/last").body, "last");
}

#[test]
fn expect_100_continue() {
    let server = start(service);
    let mut client = Client::connect(server.addr());
    let head = "HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    client.send(format!("POST /data {head}"));
    assert!(client.line().starts_with("HTTP/1.1 100 "));
    while client.line().len() > 2 {}
    client.send("hello");
    assert_eq!(client.answer().body, "hello");
    // Not read: answered without waiting for it, and it still has to come.
    client.send(format!("POST /drop {head}"));
    assert_eq!(client.answer().body, "dropped");
    // Whether it comes is not known, so the connection ends.
    client.send("helloGET /last HTTP/1.1\r\nHost: x\r\n\r\n");
    client.expect_silence();
}

#[test]
fn a_client_that_goes_away_is_an_error_for_who_reads() {
    let (said, heard) = channel();
    let said = Mutex::new(said);
    let server = start(move |request| {
        let read = request.take_body().read_to_end(&mut Vec::new());
        said.lock().unwrap().send(read.map_err(|error| error.kind())).unwrap();
        Response::text("unheard")
    });
    let mut client = Client::connect(server.addr());
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\nbegun");
    client.0.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(next(&heard), Err(ErrorKind::UnexpectedEof));
}

#[test]
fn a_body_may_be_read_by_another_thread() {
    let server = start(|request| {
        let text = std::thread::spawn(move || request.data().unwrap()).join().unwrap();
        Response::text(text)
    });
    let mut client = Client::connect(server.addr());
    client.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n{}", "y".repeat(2000)));
    assert_eq!(client.answer().body, "y".repeat(2000));
}

#[test]
fn a_stream_does_not_wait_for_a_thread_that_waits_for_the_client() {
    let (reading, is_read) = channel();
    let (done, is_done) = channel();
    let ends = Mutex::new((reading, is_read, done));
    let server = start(move |request: Request| {
        if request.path() == "/" {
            return Response::text("served");
        }
        let ends = ends.lock().unwrap();
        let (reading, done) = (ends.0.clone(), ends.2.clone());
        let mut body = request.take_body();
        std::thread::spawn(move || {
            let mut block = [0; 5];
            body.read_exact(&mut block).unwrap();
            reading.send(()).unwrap();
            // The rest is not sent before there is an answer.
            let _ = body.read(&mut block);
            done.send(()).unwrap();
        });
        next(&ends.1);
        Response::new(Body::blocks(["a", "b"]))
    });
    let mut client = Client::connect(server.addr());
    client.send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\nbegun");
    until(|| server.stats().requests == 1 && server.stats().pool.busy == 0);
    assert_eq!(Client::connect(server.addr()).get("/").body, "served");
    client.send("more");
    next(&is_done);
}
