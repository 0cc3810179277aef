//! Requests that are sent before the answers to those before them.

use std::io::{ErrorKind, Read, Write};
use std::thread;

use dewar::server::Limits;
use dewar::{Body, Response};

use super::*;
use crate::support::Random;

fn service(request: Request) -> Response {
    let path = request.path().to_owned();
    match path.split('/').nth(1).unwrap() {
        "slow" => thread::sleep(millis(1)),
        "stream" => {
            return Response::new(Body::blocks(["stream", "ed ", ""].map(str::to_owned).into_iter().chain([path])));
        }
        "body" => {
            let length = request.data().unwrap().len();
            return Response::text(format!("{length} {path}"));
        }
        _ => {}
    }
    Response::text(path)
}

#[test]
fn a_thousand_in_one_write_are_answered_in_order() {
    let server = serve(defaults(), service);
    for seed in 0..3 {
        let mut random = Random(seed);
        let (mut all, mut wanted) = (Vec::new(), Vec::new());
        for n in 0..1000 {
            let (request, answer) = match random.below(if seed == 0 { 1 } else { 40 }) {
                0..30 => (get(&format!("/quick/{n}")), format!("/quick/{n}")),
                30..32 => (get(&format!("/slow/{n}")), format!("/slow/{n}")),
                32..34 => (get(&format!("/stream/{n}")), format!("streamed /stream/{n}")),
                34..36 => (format!("HEAD /quick/{n} HTTP/1.1\r\nHost: x\r\n\r\n"), String::new()),
                36..38 => (post(&format!("/body/{n}"), n) + &"b".repeat(n), format!("{n} /body/{n}")),
                38 => (post(&format!("/body/{n}"), 70_000) + &"b".repeat(70_000), format!("70000 /body/{n}")),
                _ => (
                    format!(
                        "POST /body/{n} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                    ),
                    format!("3 /body/{n}"),
                ),
            };
            all.extend_from_slice(request.as_bytes());
            wanted.push(answer);
        }
        let mut client = connect(&server);
        let mut writer = client.0.get_ref().try_clone().unwrap();
        let writing = thread::spawn(move || writer.write_all(&all).unwrap());
        for (n, wanted) in wanted.iter().enumerate() {
            let answer = if wanted.is_empty() { client.head() } else { client.answer() };
            assert_eq!((answer.status, &answer.body), (200, wanted), "request {n} of seed {seed}");
        }
        writing.join().unwrap();
    }
}

/// The first one blocks whoever leads; what follows is still his.
#[test]
fn what_follows_a_wrong_guess_is_answered() {
    for kind in ["a", "b", "c", "d"] {
        let server = serve(defaults(), move |request: Request| {
            if request.path().starts_with("/wrong") {
                thread::sleep(millis(30));
            }
            Response::text(request.path().to_owned())
        });
        let mut client = connect(&server);
        let known = get("/quick/1");
        client.send(known.repeat(20));
        (0..20).for_each(|_| assert_eq!(client.answer().status, 200));
        client.send(get(&format!("/wrong-{kind}")) + &known.repeat(300));
        (0..301).for_each(|_| assert_eq!(client.answer().status, 200));
    }
}

#[test]
fn answers_do_not_wait_for_a_slow_request_behind_them() {
    let (gate, opens) = gate();
    let held = gate.clone();
    let server = serve(defaults(), move |request: Request| match request.path() {
        "/block" => {
            thread::sleep(millis(3));
            held.wait();
            Response::text("late")
        }
        "/slow" => {
            thread::sleep(millis(3));
            Response::text("slow")
        }
        _ => Response::text("x"),
    });
    // So that it is known.
    gate.open();
    for _ in 0..2 {
        assert_eq!(connect(&server).get("/block").body, "late");
    }
    gate.shut();
    let mut leads = connect(&server);
    assert_eq!(leads.get("/").body, "x");
    let mut guest = connect(&server);
    for _ in 0..2 {
        assert_eq!(guest.get("/slow").body, "slow");
    }
    for client in [&mut leads, &mut guest] {
        client.send(get("/") + &get("/") + &get("/block"));
        assert_eq!((client.answer().body, client.answer().body), ("x".to_owned(), "x".to_owned()));
    }
    until(|| gate.waiting() == 2);
    drop(opens);
    assert_eq!((leads.answer().body, guest.answer().body), ("late".to_owned(), "late".to_owned()));
}

#[test]
fn answers_to_what_came_together_are_sent_together() {
    let server = serve(defaults(), |_| Response::text("x"));
    let mut client = connect(&server);
    assert_eq!(client.get("/").body, "x");
    client.send(get("/").repeat(100));
    let (mut all, mut reads, mut piece) = (Vec::new(), 0, vec![0; 1 << 20]);
    while all.windows(4).filter(|bytes| bytes == b"\r\n\r\n").count() < 100 || !all.ends_with(b"x") {
        let n = client.0.get_mut().read(&mut piece).unwrap();
        all.extend_from_slice(&piece[..n]);
        reads += 1;
    }
    assert!(reads <= 10, "{reads} reads");
}

#[test]
fn who_takes_no_answers_is_not_read_any_more_and_holds_nobody() {
    let server = serve(Limits { max_workers: 2, ..defaults() }, |request: Request| match request.path() {
        "/slow" => {
            thread::sleep(millis(1));
            Response::text("slow")
        }
        "/page" => Response::text("y".repeat(10_000)),
        "/stream" => Response::new(Body::blocks((0..4).map(|_| "z".repeat(10_000)))),
        _ => Response::text("x"),
    });
    let (mut greedy, mut sent) = (Vec::new(), Vec::new());
    for path in ["/", "/page", "/slow", "/stream"] {
        let client = connect(&server);
        client.0.get_ref().set_nonblocking(true).unwrap();
        let many = get(path).repeat(1000);
        let mut at = 0;
        let mut quiet = 0;
        // Until nothing has been taken for a while.
        while quiet < 200 {
            match client.0.get_ref().write(&many.as_bytes()[at % many.len()..]) {
                Ok(n) => (at, quiet) = (at + n, 0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    quiet += 1;
                    thread::sleep(millis(1));
                }
                // Streams that nobody takes are cut, when too many workers wait for them.
                Err(_) => break,
            }
            assert!(at < 64 << 20, "{path}: {at} bytes were taken");
            if path == "/slow" && at > 100_000 {
                break; // it would be a while
            }
        }
        sent.push(at);
        greedy.push(client);
    }
    let mut good = connect(&server);
    for _ in 0..50 {
        assert_eq!((good.get("/").body, good.get("/slow").body), ("x".to_owned(), "slow".to_owned()));
    }
    drop((greedy, good));
    settled(&server);
}
