//! Clients that go away, in the middle of anything; and those that only say that they send no more.

use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};

use dewar::{Body, Response};

use super::*;

fn service(request: Request) -> Response {
    match request.path() {
        "/bytes" => Response::new(large()),
        "/file" => Response::new(Body::file(file_of(&vec![b'x'; LARGE]), LARGE as u64)),
        "/stream" => Response::new(stream()),
        "/slow" => {
            std::thread::sleep(millis(50));
            Response::text("slow")
        }
        "/ignore" => Response::text("ignored"),
        _ => data(&request),
    }
}

#[test]
fn whoever_vanishes_leaves_nothing_behind() {
    let server = serve(defaults(), service);
    let heads = [
        String::new(),
        "GET / HTTP/1.1\r\nHos".to_owned(),
        post("/", 100) + "begun",
        post("/", UPLOAD) + &"x".repeat(1000),
        post("/", UPLOAD) + &"x".repeat(100_000),
        post("/ignore", UPLOAD) + "x",
        post("/slow", UPLOAD) + "x",
        format!("{}Expect: 100-continue\r\n\r\n", post("/", UPLOAD).trim_end_matches("\r\n").to_owned() + "\r\n"),
        get("/bytes"),
        get("/file"),
        get("/stream"),
        get("/slow"),
        get("/").repeat(300),
        (get("/slow") + &get("/")).repeat(20),
        get("/bytes").repeat(5),
        get("/stream").repeat(5) + "GET",
        "nonsense\r\n\r\n".to_owned(),
    ];
    for round in 0..6 {
        for head in &heads {
            let mut client = connect(&server);
            client.send(head);
            if round % 3 == 1 && head.starts_with("GET") && head.ends_with("\r\n\r\n") {
                client.line();
            }
            match round % 2 {
                0 => drop(client),
                _ => reset(client),
            }
        }
    }
    until(|| server.stats().accepted == 6 * heads.len() as u64);
    settled(&server);
    assert_eq!(connect(&server).get("/").body, "0");
    assert_eq!(server.stats().panics, 0);
}

#[test]
fn who_sends_no_more_still_gets_all_answers() {
    let server = serve(defaults(), service);
    let (upload, small) = (post("/", UPLOAD) + &"x".repeat(UPLOAD), post("/", 3) + "abc");
    for (request, length) in [
        (get("/"), 1),
        (get("/slow"), 4),
        (get("/bytes"), LARGE),
        (get("/file"), LARGE),
        (get("/stream"), LARGE),
        (small, 1),
        (upload, 6),
    ] {
        for times in [1, 2, 5] {
            let mut client = connect(&server);
            client.send(request.repeat(times));
            client.0.get_ref().shutdown(Shutdown::Write).unwrap();
            for _ in 0..times {
                assert_eq!(client.answer().body.len(), length, "{}", request.lines().next().unwrap());
            }
            assert_eq!(rest(&mut client), b"");
        }
        // And when it says so later.
        let mut client = connect(&server);
        client.send(&request);
        assert_eq!(client.answer().body.len(), length);
        client.send(&request);
        std::thread::yield_now();
        client.0.get_ref().shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.answer().body.len(), length);
        assert_eq!(rest(&mut client), b"");
    }
    settled(&server);
}

#[test]
fn an_end_that_comes_while_the_handler_runs_is_seen_after_it() {
    let (gate, opens) = gate();
    let server = {
        let gate = gate.clone();
        serve(defaults(), move |_| {
            gate.wait();
            Response::text("late")
        })
    };
    let mut clients: Vec<_> = (0..20).map(|_| connect(&server)).collect();
    for client in &mut clients {
        client.send(get("/"));
    }
    until(|| gate.waiting() == 20);
    for client in &mut clients {
        client.0.get_ref().shutdown(Shutdown::Write).unwrap();
    }
    drop(opens);
    for client in &mut clients {
        assert_eq!(client.answer().body, "late");
        assert_eq!(rest(client), b"");
    }
    settled(&server);
}

/// Whoever has an open stream is told by its next block, not before.
#[test]
fn what_was_to_run_on_close_runs_when_the_client_is_gone() {
    let closed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&closed);
    let server = serve(defaults(), move |request: Request| {
        let mut response = service(request);
        let count = Arc::clone(&count);
        response.call_on_close(move || _ = count.fetch_add(1, Ordering::SeqCst));
        response
    });
    for path in ["/bytes", "/file", "/stream"] {
        let mut client = connect(&server);
        client.send(get(path));
        client.line();
        reset(client);
    }
    until(|| closed.load(Ordering::SeqCst) == 3);
    settled(&server);
}
