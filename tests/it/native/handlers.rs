//! Handlers that block, compute, panic, or do not return.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dewar::Response;
use dewar::server::Limits;

use super::*;
use crate::support::log_capture;

#[test]
fn a_panic_is_a_500_wherever_it_happens() {
    let server = serve(defaults(), |request: Request| {
        match request.path() {
            "/inline" => panic!("at once"),
            "/elsewhere" => {
                thread::sleep(millis(5));
                panic!("after a while")
            }
            _ => {}
        }
        Response::text("x")
    });
    let mut client = connect(&server);
    for round in 0..10 {
        for path in ["/inline", "/elsewhere"] {
            assert_eq!(client.get(path).status, 500);
            assert_eq!(client.get("/").body, "x");
        }
        assert_eq!(server.stats().panics, 2 * (round + 1));
    }
    client.send(post("/inline", UPLOAD) + &"x".repeat(UPLOAD) + &get("/"));
    assert_eq!((client.answer().status, client.answer().status), (500, 200));
    assert_eq!(server.stats().pool.panics, 0);
}

#[test]
fn two_hundred_handlers_block_at_once() {
    let (gate, opens) = gate();
    let held = gate.clone();
    let server = serve(defaults(), move |_| {
        held.wait();
        Response::text("met")
    });
    let mut clients: Vec<_> = (0..200).map(|_| connect(&server)).collect();
    clients.iter_mut().for_each(|client| client.send(get("/")));
    until(|| gate.waiting() == 200);
    drop(opens);
    clients.iter_mut().for_each(|client| assert_eq!(client.answer().body, "met"));
    drop(clients);
    settled(&server);
    until(|| {
        let stats = server.stats().pool;
        stats.workers as u64 == stats.started - stats.ended && stats.workers < 10
    });
}

#[test]
fn quick_ones_are_answered_while_others_compute() {
    let server = serve(defaults(), |request: Request| {
        if request.path() == "/compute" {
            computing(millis(300));
        }
        Response::text("x")
    });
    let mut busy: Vec<_> = (0..2).map(|_| connect(&server)).collect();
    let mut client = connect(&server);
    for _ in 0..10 {
        assert_eq!(client.get("/").body, "x");
    }
    for client in &mut busy {
        client.send(get("/compute"));
    }
    until(|| server.stats().pool.busy >= 2);
    let mut answered = 0;
    while server.stats().pool.busy >= 2 {
        assert_eq!(client.get("/").body, "x");
        answered += 1;
    }
    assert!(answered > 0);
    busy.iter_mut().for_each(|client| assert_eq!(client.answer().body, "x"));
}

/// Whatever is not known is not run by those who lead, when there is nobody left who could take their place.
#[test]
fn quick_kinds_are_answered_while_all_workers_block() {
    let (gate, opens) = gate();
    let held = gate.clone();
    let limits = Limits { max_workers: 2, queue_deadline: NEVER, ..defaults() };
    let server = serve(limits, move |request: Request| {
        if request.path().starts_with("/block") {
            held.wait();
        }
        Response::text("x")
    });
    let mut client = connect(&server);
    for _ in 0..10 {
        assert_eq!(client.get("/").body, "x");
    }
    let mut blocked = Vec::new();
    // Each kind for itself, all of them unknown; some time apart, so that no wrong guess makes wary.
    for round in 0..5 {
        let mut other = connect(&server);
        other.send(get(&format!("/block-{}", ["a", "b", "c", "d", "e"][round])));
        blocked.push(other);
        if round < 2 {
            until(|| gate.waiting() == round + 1);
        } else {
            until(|| server.stats().waiting + gate.waiting() == round + 1);
        }
        for _ in 0..3 {
            assert_eq!(client.get("/").body, "x", "{round}");
        }
        thread::sleep(millis(if (2..4).contains(&round) { 1050 } else { 0 }));
    }
    drop(opens);
    blocked.iter_mut().for_each(|client| assert_eq!(client.answer().body, "x"));
}

#[test]
fn a_kind_that_turns_slow_and_quick_again_is_found_out() {
    let slow = Arc::new(AtomicBool::new(false));
    let is_slow = Arc::clone(&slow);
    let server = serve(defaults(), move |request: Request| {
        if request.path() == "/turns" && is_slow.load(Ordering::SeqCst) {
            thread::sleep(millis(20));
        }
        Response::text("x")
    });
    let mut client = connect(&server);
    for _ in 0..50 {
        assert_eq!((client.get("/turns").status, client.get("/").status), (200, 200));
    }
    slow.store(true, Ordering::SeqCst);
    let mut others: Vec<_> = (0..10).map(|_| connect(&server)).collect();
    for _ in 0..5 {
        others.iter_mut().for_each(|other| other.send(get("/turns")));
        assert_eq!(client.get("/").body, "x");
        others.iter_mut().for_each(|other| assert_eq!(other.answer().body, "x"));
    }
    slow.store(false, Ordering::SeqCst);
    for _ in 0..50 {
        assert_eq!((client.get("/turns").status, others[0].get("/turns").status), (200, 200));
    }
    drop((client, others));
    // Nobody is needed beside those who lead.
    until(|| server.stats().pool.workers <= thread::available_parallelism().unwrap().get().max(2));
}

#[test]
fn a_handler_that_does_not_return_is_named_once() {
    let log = log_capture();
    let (gate, opens) = gate();
    let held = gate.clone();
    let server = serve(Limits { slow_handler: millis(50), ..defaults() }, move |request: Request| {
        if request.path().starts_with("/never-returns") {
            held.wait();
        }
        Response::text("x")
    });
    let mut client = connect(&server);
    client.send(get("/never-returns/7"));
    until(|| !log.with("like GET /never-returns/7").is_empty());
    // Several looks later it is still one line.
    let since = Instant::now();
    until(|| since.elapsed() > millis(600));
    let lines = log.with("like GET /never-returns/7");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("WARN a handler has not returned for "), "{lines:?}");
    drop(opens);
    assert_eq!(client.answer().body, "x");
}

#[test]
fn zero_names_no_handler() {
    let log = log_capture();
    let server = serve(Limits { slow_handler: Duration::ZERO, ..defaults() }, |_| {
        thread::sleep(millis(600));
        Response::text("x")
    });
    assert_eq!(connect(&server).get("/takes-its-time").body, "x");
    // Its line comes when the client has been told, so perhaps a little later.
    until(|| log.with("/takes-its-time HTTP").len() == 1);
    assert_eq!(log.with("like GET /takes-its-time"), Vec::<String>::new());
}

#[test]
fn what_waits_too_long_for_a_worker_is_503() {
    let (gate, opens) = gate();
    let held = gate.clone();
    let limits = Limits { max_workers: 1, queue_deadline: millis(150), ..defaults() };
    let server = serve(limits, move |request: Request| match request.path() {
        "/block" => {
            held.wait();
            Response::text("through")
        }
        "/slow" => {
            thread::sleep(millis(5));
            Response::text("slow")
        }
        "/stream" => Response::new(dewar::Body::blocks(["a", "b"])),
        _ => Response::text("x"),
    });
    let mut clients: Vec<_> = (0..6).map(|_| connect(&server)).collect();
    let (guests, rest) = clients.split_at_mut(3);
    for client in guests.iter_mut() {
        assert_eq!((client.get("/slow").body.as_str(), client.get("/slow").status), ("slow", 200));
    }
    for client in rest.iter_mut() {
        assert_eq!(client.get("/").body, "x");
    }
    let mut blocked = connect(&server);
    blocked.send(get("/block"));
    until(|| gate.waiting() == 1);
    // In the lounge and in the queue; the last one is a stream behind answers that are there already.
    guests.iter_mut().for_each(|client| client.send(get("/slow")));
    rest[0].send(get("/slow"));
    rest[1].send("HEAD /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    rest[2].send(get("/") + &get("/") + &get("/stream"));
    assert_eq!((rest[2].answer().body, rest[2].answer().body), ("x".to_owned(), "x".to_owned()));
    for (index, client) in clients.iter_mut().enumerate() {
        let answer = if index == 4 { client.head() } else { client.answer() };
        assert_eq!(answer.status, 503, "{index}");
        assert_eq!((answer.header("retry-after"), answer.header("connection")), (Some("1"), Some("close")));
        assert_eq!(super::rest(client), b"", "{index}");
    }
    assert_eq!(server.stats().refused_503, 6);
    drop(opens);
    assert_eq!(blocked.answer().body, "through");
}
