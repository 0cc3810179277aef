//! Heads that lie, and bodies over the limit: what becomes of them on the engine over tiny_http. (What the native one
//! does is in `tests/wire`.)

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use dewar::server::Limits;
use dewar::{HttpError, Request, Response};

use super::{Client, MOMENT, start, start_tiny, tiny, until};

#[test]
fn what_is_malformed_is_400_and_what_hides_behind_it_is_not_answered() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let seen_by_service = Arc::clone(&seen);
    let server = start_tiny(move |request: Request| {
        seen_by_service.lock().unwrap().push(request.path().to_owned());
        Response::text("answered")
    });
    let heads = [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET nonsense HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /{ HTTP/1.1\r\nHost: x\r\nBad(name: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\nb\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ];
    for head in heads {
        let mut client = Client::connect(server.addr());
        client.send(head);
        let answer = client.head();
        assert_eq!(answer.status, 400, "{head:?}");
        assert_ne!(answer.header("connection"), None, "{head:?}");
        client.send("GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
        std::thread::sleep(MOMENT / 10);
    }
    assert_eq!(*seen.lock().unwrap(), Vec::<String>::new());
    assert_eq!(Client::connect(server.addr()).get("/").body, "answered");
    assert!(server.stats().leaked_readers >= 4);
}

#[test]
fn equal_lengths_given_twice_are_one() {
    let server = start(|request| Response::text(request.data().unwrap()));
    let mut client = Client::connect(server.addr());
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.answer().body, "hello");
}

#[test]
fn a_body_that_says_it_is_too_long_is_413_before_the_handler() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let server = start_tiny(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Response::text("called")
    });
    // The last ones would abort the process if they were believed.
    for length in ["67108865", "9999999999", "9223372036854775807", "18446744073709551615"] {
        let mut client = Client::connect(server.addr());
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
        client.send("GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
        client.expect_silence();
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(server.stats().leaked_readers, 4);
    // One that is not far over is read and thrown away, for clients that send everything before they look.
    let mut client = Client::connect(server.addr());
    client.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 20_000_000));
    client.send(vec![b'x'; 20_000_000]);
    assert_eq!(client.answer().status, 413);
    assert_eq!(client.get("/").body, "called");
    assert_eq!((calls.load(Ordering::SeqCst), server.stats().leaked_readers), (1, 4));
    assert_eq!(Client::connect(server.addr()).get("/").body, "called");
}

#[test]
fn a_body_that_turns_out_too_long_is_413_when_it_is_read() {
    let limits = Limits { body: 10_000, unread_body: 50_000, ..Limits::default() };
    let service = |request: Request| match request.data() {
        Ok(data) => Response::text(data.len().to_string()),
        Err(error) => HttpError::into_response(error),
    };
    let server = tiny().limits(limits).start(Arc::new(service)).unwrap();
    let chunk = format!("3e8\r\n{}\r\n", "z".repeat(1000));
    let upload = |chunks: usize| {
        let mut client = Client::connect(server.addr());
        let body = chunk.repeat(chunks);
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{body}0\r\n\r\n"));
        (client.answer(), client)
    };
    let (fits, _) = upload(10);
    assert_eq!(fits.body, "10000");
    // The rest is thrown away, so the connection could go on, though the client was told that it might not.
    let (over, mut client) = upload(30);
    assert_eq!((over.status, over.header("connection")), (413, Some("close")));
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
    assert_eq!(client.answer().body, "2");
    assert_eq!(server.stats().leaked_readers, 0);
    // There is an end to that as well.
    let (far_over, _client) = upload(100);
    assert_eq!(far_over.status, 413);
    until(|| server.stats().leaked_readers > 0);
}
