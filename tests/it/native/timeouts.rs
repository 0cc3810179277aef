//! Whatever a client holds up has its time.

use std::io::{ErrorKind, Read};
use std::thread;
use std::time::{Duration, Instant};

use dewar::server::Limits;
use dewar::{Body, Response};

use super::*;
use crate::server::next;

const SHORT: Duration = Duration::from_millis(200);

#[test]
fn a_head_that_is_not_finished_is_408_and_where_nothing_came_nothing_is_said() {
    let limits = Limits { head_timeout: SHORT, ..defaults() };
    let server = serve(limits, |_| Response::text("x"));
    let mut silent = connect(&server);
    let mut begun = connect(&server);
    begun.send("GET / HTTP/1.1\r\nHos");
    // Also when it is not the first request of its connection.
    let mut second = connect(&server);
    assert_eq!(second.get("/").body, "x");
    second.send("GET /second HT");
    for client in [&mut begun, &mut second] {
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
        assert_eq!(rest(client), b"");
    }
    assert_eq!(rest(&mut silent), b"");
    drop((silent, begun, second));
    settled(&server);
    assert_eq!(server.stats().timeouts, 2);
}

#[test]
fn a_head_that_comes_byte_by_byte_has_no_more_time() {
    let server = serve(Limits { head_timeout: SHORT, ..defaults() }, |_| Response::text("x"));
    let mut client = connect(&server);
    client.send("GET / HTTP/1.1\r\nX: ");
    let mut writer = client.0.get_ref().try_clone().unwrap();
    let trickle = thread::spawn(move || {
        while writer.write_all(b"x").is_ok() {
            thread::sleep(millis(10));
        }
    });
    assert_eq!(client.answer().status, 408);
    // It goes on until the connection is gone.
    client.0.get_ref().shutdown(std::net::Shutdown::Both).unwrap();
    trickle.join().unwrap();
    drop(client);
    settled(&server);
}

#[test]
fn a_small_body_that_stalls_is_408_without_the_handler() {
    let (tell, calls) = pair();
    let server = serve(Limits { body_timeout: SHORT, ..defaults() }, move |_| {
        tell.lock().unwrap().send(()).unwrap();
        Response::text("x")
    });
    let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel";
    for request in [post("/", 100) + "begun", chunked.to_owned()] {
        let mut client = connect(&server);
        client.send(request);
        assert_eq!(client.answer().status, 408);
        assert_eq!(rest(&mut client), b"");
    }
    assert!(calls.try_recv().is_err());
    assert_eq!(server.stats().timeouts, 2);
}

#[test]
fn a_large_body_that_stalls_fails_in_the_handler() {
    let (tell, kinds) = pair();
    let server = serve(Limits { body_timeout: SHORT, ..defaults() }, move |request: Request| told(&request, &tell));
    let mut client = connect(&server);
    client.send(post("/", UPLOAD) + &"x".repeat(100_000));
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
    assert_eq!(next(&kinds), ErrorKind::TimedOut);
    assert_eq!(rest(&mut client), b"");
    settled(&server);
    assert_eq!(server.stats().timeouts, 1);
}

#[test]
fn an_idle_connection_is_closed_silently() {
    let server = serve(Limits { keep_alive: SHORT, ..defaults() }, |_| Response::text("x"));
    let mut client = connect(&server);
    let mut last = Instant::now();
    // As long as it is used within its time it stays.
    for _ in 0..8 {
        thread::sleep(SHORT / 4);
        if last.elapsed() > SHORT / 2 {
            break; // the machine is too busy for this
        }
        assert_eq!(client.get("/").body, "x");
        last = Instant::now();
    }
    assert_eq!(rest(&mut client), b"");
    settled(&server);
    assert_eq!(server.stats().timeouts, 0);
}

#[test]
fn a_request_that_comes_at_the_last_moment_is_answered() {
    // While the leader computes nobody reads: the time is over when it comes back, but the request was there before.
    let limits = Limits { keep_alive: millis(100), ..defaults() };
    let (tell, entered) = pair();
    let server = Server::bind("127.0.0.1:0").unwrap().workers(1).limits(limits);
    let server = server.start(Arc::new(move |request: Request| {
        if request.path() == "/compute" {
            tell.lock().unwrap().send(()).unwrap();
            thread::sleep(millis(1)); // found asleep, or not
            computing(millis(5));
        }
        Response::text("x")
    }));
    let server = server.unwrap();
    for round in 0..20 {
        let (mut client, mut other) = (connect(&server), connect(&server));
        assert_eq!(client.get("/").status, 200);
        thread::sleep(millis(80 + round));
        other.send(get("/compute"));
        next(&entered);
        let sent = try_send(&mut client, get("/"));
        let mut all = Vec::new();
        let _ = client.0.get_ref().shutdown(std::net::Shutdown::Write);
        match client.0.read_to_end(&mut all) {
            // It was closed before it was sent: that is told by a plain end, or there is an answer.
            Ok(_) => assert!(all.is_empty() || all.starts_with(b"HTTP/1.1 200"), "{sent}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        assert_eq!(other.answer().status, 200);
    }
}

#[test]
fn who_takes_nothing_of_a_response_is_cut() {
    let server = serve(Limits { write_timeout: SHORT, ..defaults() }, |request: Request| match request.path() {
        "/bytes" => Response::new(large()),
        "/file" => Response::new(Body::file(file_of(&vec![b'x'; LARGE]), LARGE as u64)),
        "/stream" => Response::new(stream()),
        _ => Response::text("x"),
    });
    let mut clients = Vec::new();
    for path in ["/bytes", "/file", "/stream"] {
        let mut client = connect(&server);
        client.send(get(path));
        clients.push(client);
    }
    until(|| server.stats().timeouts == 3);
    settled(&server);
    for client in &mut clients {
        assert!(rest(client).len() < LARGE);
    }
    assert_eq!(server.stats().timeouts, 3);
    assert_eq!(connect(&server).get("/").body, "x");
}

/// From the tenth second on: all of them at once.
#[test]
fn who_is_slower_than_the_least_rate_is_given_up() {
    let limits = Limits { min_rate: 4 << 20, ..defaults() };
    let (tell, kinds) = pair();
    let server = serve(limits, move |request: Request| match request.path() {
        "/upload" => told(&request, &tell),
        "/bytes" => Response::new(vec![b'x'; 60_000_000]),
        "/stream" => Response::new(Body::blocks((0..1200).map(|_| vec![b'x'; 50_000]))),
        _ => Response::text("x"),
    });
    let since = Instant::now();
    thread::scope(|scope| {
        for (path, length) in [("/upload", UPLOAD), ("/small", 5000)] {
            let server = &server;
            scope.spawn(move || {
                let mut client = connect(server);
                client.send(post(path, length));
                let mut writer = client.0.get_ref().try_clone().unwrap();
                let trickle = thread::spawn(move || {
                    while writer.write_all(b"x").is_ok() {
                        thread::sleep(millis(50));
                    }
                });
                assert_eq!(client.answer().status, 408, "{path}");
                drop(client);
                trickle.join().unwrap();
            });
        }
        for path in ["/bytes", "/stream"] {
            let server = &server;
            scope.spawn(move || {
                let mut client = connect(server);
                client.send(get(path));
                client.head();
                let (mut piece, mut taken) = ([0; 4096], 0);
                while let Ok(n @ 1..) = client.0.get_mut().read(&mut piece) {
                    taken += n;
                    // It takes what is left over at once when it has been given up.
                    let pace = if since.elapsed() < millis(11_500) { millis(5) } else { Duration::ZERO };
                    thread::sleep(pace);
                }
                assert!(taken < 60_000_000, "{path}");
            });
        }
    });
    assert_eq!(next(&kinds), ErrorKind::TimedOut);
    settled(&server);
    assert_eq!(server.stats().timeouts, 4);
    assert!(since.elapsed() >= Duration::from_secs(10));
}

#[test]
fn for_ever_is_a_time_too() {
    let for_ever = Duration::MAX;
    let limits = Limits {
        head_timeout: for_ever,
        body_timeout: for_ever,
        keep_alive: for_ever,
        write_timeout: for_ever,
        queue_deadline: for_ever,
        slow_handler: for_ever,
        ..defaults()
    };
    let server = serve(limits, |request: Request| match request.path() {
        "/large" => Response::new(stream()),
        _ => data(&request),
    });
    let mut client = connect(&server);
    assert_eq!(client.get("/").body, "0");
    client.send(post("/", UPLOAD));
    until(|| server.stats().pool.busy == 1);
    client.send(vec![b'x'; UPLOAD]);
    assert_eq!(client.answer().body, UPLOAD.to_string());
    assert_eq!(client.get("/large").body.len(), LARGE);
    drop(client);
    assert_eq!(server.shutdown(for_ever).cut, 0);
}
