//! What goes out.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

use dewar::{Body, Request, Response};

use super::{Client, next, start};

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let server = start(|request| Response::text(request.path().to_owned()));
    let mut client = Client::connect(server.addr());
    let many: String = (0..200).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    client.send(many);
    for n in 0..200 {
        assert_eq!(client.answer().body, format!("/{n}"));
    }
}

#[test]
fn the_request_arrives_whole() {
    let server = start(|request| {
        let port = request.remote_addr().map(|addr| addr.port());
        let header = request.headers().get_all("x-twice").iter().count();
        Response::text(format!("{} {} {header} {port:?}", request.method(), request.uri()))
    });
    let socket = std::net::TcpStream::connect(server.addr()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut client = Client(std::io::BufReader::new(socket));
    client.send("PURGE /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\n");
    assert_eq!(client.answer().body, format!("PURGE /a%20b?c=d 2 Some({port})"));
}

#[test]
fn head_and_204_and_304_have_no_body() {
    let server = start(|request| match request.path() {
        "/none" => Response::text("not sent").with_status(204),
        "/same" => Response::text("not sent").with_status(304),
        "/stream" => Response::new(Body::blocks(["not", "sent"])),
        _ => Response::text("hello"),
    });
    let mut client = Client::connect(server.addr());
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.head().header("content-length"), Some("5"));
    client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.head().header("transfer-encoding"), Some("chunked"));
    client.send("GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    let none = client.head();
    assert_eq!((none.status, none.header("content-length"), none.header("transfer-encoding")), (204, None, None));
    client.send("GET /same HTTP/1.1\r\nHost: x\r\n\r\n");
    let same = client.head();
    assert_eq!((same.status, same.header("content-length"), same.header("transfer-encoding")), (304, None, None));
    // Still in step.
    assert_eq!(client.get("/").body, "hello");
}

#[test]
fn a_te_header_changes_nothing() {
    let server = start(|request| match request.path() {
        "/stream" => Response::new(Body::blocks(["a", "b"])),
        _ => Response::text("hello"),
    });
    let mut client = Client::connect(server.addr());
    for te in ["chunked", "identity", "trailers"] {
        client.send(format!("GET / HTTP/1.1\r\nHost: x\r\nTE: {te}\r\n\r\n"));
        let known = client.answer();
        assert_eq!((known.header("content-length"), known.body.as_str()), (Some("5"), "hello"));
        client.send(format!("GET /stream HTTP/1.1\r\nHost: x\r\nTE: {te}\r\n\r\n"));
        let stream = client.answer();
        assert_eq!((stream.header("transfer-encoding"), stream.body.as_str()), (Some("chunked"), "ab"));
    }
}

#[test]
fn large_bodies_and_files_keep_their_length() {
    let path = std::env::temp_dir().join(format!("dewar-test-{}", std::process::id()));
    let text = "0123456789".repeat(20_000);
    std::fs::write(&path, &text).unwrap();
    let (file, bytes) = (path.clone(), text.clone());
    let server = start(move |request| match request.path() {
        "/file" => Response::new(Body::file(std::fs::File::open(&file).unwrap(), 200_000)),
        "/sized" => Response::new(Body::sized_reader(io::repeat(b'x'), 100_000)),
        _ => Response::text(bytes.clone()),
    });
    let mut client = Client::connect(server.addr());
    for path in ["/file", "/bytes"] {
        let answer = client.get(path);
        assert_eq!(answer.header("content-length"), Some("200000"));
        assert!(answer.body == text);
    }
    assert_eq!(client.get("/sized").body, "x".repeat(100_000));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_block_is_sent_before_the_next_is_made() {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(Some(wait));
    let server = start(move |_| {
        let wait = wait.lock().unwrap().take().unwrap();
        let blocks = (0..3).map(move |n| {
            if n > 0 {
                next(&wait);
            }
            format!("event {n}")
        });
        Response::new(Body::blocks(blocks))
    });
    let mut client = Client::connect(server.addr());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client.head();
    for n in 0..3 {
        assert_eq!(client.chunk().unwrap(), format!("event {n}").as_bytes());
        let _ = go.send(());
    }
    assert_eq!(client.chunk(), None);
}

#[test]
fn a_body_that_fails_does_not_look_complete_and_nothing_follows() {
    let server = start(|request| {
        let blocks = [Ok("begun"), Err(io::Error::other("no more"))];
        match request.path() {
            "/chunked" => Response::new(Body::try_blocks(blocks)),
            "/panic" => {
                Response::new(Body::blocks((0..2).map(|n| if n == 0 { "begun" } else { panic!("in the body") })))
            }
            "/sized" => Response::new(Body::sized_reader(&b"begun"[..], 100)),
            _ => Response::text("next"),
        }
    });
    for path in ["/chunked", "/panic"] {
        let mut client = Client::connect(server.addr());
        client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n"));
        client.head();
        assert_eq!(client.chunk().unwrap(), b"begun");
        // Neither the end of the chunks nor another answer: the connection is closed.
        let mut rest = Vec::new();
        let _ = io::Read::read_to_end(&mut client.0, &mut rest);
        assert_eq!(rest, b"");
    }
    let mut client = Client::connect(server.addr());
    client.send("GET /sized HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.head().header("content-length"), Some("100"));
    let mut begun = [0; 5];
    io::Read::read_exact(&mut client.0, &mut begun).unwrap();
    client.expect_silence();
    // Others are not touched.
    assert_eq!(Client::connect(server.addr()).get("/next").body, "next");
    assert_eq!(server.stats().panics, 1);
}

#[test]
fn a_panic_is_a_500_and_the_worker_goes_on() {
    let server = start(|request| match request.path() {
        "/panic" => panic!("oh"),
        _ => Response::text("fine"),
    });
    let mut client = Client::connect(server.addr());
    for _ in 0..20 {
        assert_eq!(client.get("/panic").status, 500);
        assert_eq!(client.get("/").body, "fine");
    }
    let stats = server.stats();
    assert_eq!((stats.panics, stats.requests, stats.pool.ended), (20, 40, 0));
}

#[test]
fn a_line_break_cannot_get_into_a_header() {
    let server = start(|request: Request| {
        let value = request.args().get("v").unwrap().to_owned();
        Response::text("x").with_header("x-value", &value)
    });
    let mut client = Client::connect(server.addr());
    assert_eq!(client.get("/?v=good").header("x-value"), Some("good"));
    let split = client.get("/?v=a%0d%0aX-Injected:%20yes");
    assert_eq!((split.status, split.header("x-injected")), (500, None));
}

#[test]
fn jobs_on_close_run_when_the_response_has_been_sent() {
    let (done, closed) = channel();
    let done: Mutex<Sender<String>> = Mutex::new(done);
    let server = start(move |request| {
        let mut response = match request.path() {
            "/stream" => Response::new(Body::blocks(["a", "b"])),
            _ => Response::text("a"),
        };
        let (done, path) = (done.lock().unwrap_or_else(PoisonError::into_inner).clone(), request.path().to_owned());
        response.call_on_close(move || done.send(path).unwrap());
        response
    });
    let mut client = Client::connect(server.addr());
    for path in ["/stream", "/bytes"] {
        client.get(path);
        assert_eq!(next(&closed), path);
    }
}

#[test]
fn http_1_0_closes_unless_asked_not_to() {
    let server = start(|request| match request.path() {
        "/stream" => Response::new(Body::blocks(["a", "b"])),
        _ => Response::text("x"),
    });
    let mut client = Client::connect(server.addr());
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let kept = client.answer();
    assert_eq!((kept.header("connection"), kept.body.as_str()), (Some("keep-alive"), "x"));
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    let stream = client.head();
    assert_eq!((stream.header("connection"), stream.header("transfer-encoding")), (Some("close"), None));
    let mut body = String::new();
    io::Read::read_to_string(&mut client.0, &mut body).unwrap();
    assert_eq!(body, "ab");
}

#[test]
fn what_panics_when_all_was_sent_harms_no_connection() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let server = start(|request| {
        let mut response = match request.path() {
            "/stream" => Response::new(Body::blocks(["a", "b"])),
            "/bomb" => {
                let bomb = Bomb;
                Response::new(Body::blocks(["a", "b"].into_iter().inspect(move |_| {
                    let _bomb = &bomb;
                })))
            }
            "/payload" => std::panic::panic_any(Bomb),
            _ => Response::text("ab"),
        };
        response.call_on_close(|| panic!("on close"));
        response
    });
    let mut client = Client::connect(server.addr());
    for path in ["/stream", "/bomb", "/payload", "/bytes", "/bytes"] {
        let answer = client.get(path);
        match path {
            "/payload" => assert_eq!(answer.status, 500),
            _ => assert_eq!(answer.body, "ab", "{path}"),
        }
    }
    assert_eq!((server.stats().panics, server.stats().pool.panics), (1, 0));
}
