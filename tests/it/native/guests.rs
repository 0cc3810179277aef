//! Connections whose requests were slow: they wait in the lounge, and must be found there.

use std::thread;

use dewar::Response;
use dewar::server::Limits;

use super::*;
use crate::server::next;

fn service(request: Request) -> Response {
    match request.path() {
        // Slow enough to be remembered, too quick to be found out by the ticker.
        "/some" => computing(std::time::Duration::from_micros(400)),
        "/sleep" => thread::sleep(millis(20)),
        _ => {}
    }
    Response::text("x")
}

#[test]
fn a_slow_client_that_is_alone_is_served_again() {
    let server = serve(defaults(), service);
    let mut client = connect(&server);
    for round in 0..3 {
        assert_eq!(client.get("/some").body, "x", "{round}");
        // The ticker falls asleep, and who is not needed goes home.
        thread::sleep(millis(if round == 0 { 50 } else { 1300 }));
    }
    assert_eq!(client.get("/").body, "x");
}

#[test]
fn many_of_them_come_and_go() {
    let server = serve(defaults(), service);
    let mut clients: Vec<_> = (0..50).map(|_| connect(&server)).collect();
    for path in ["/some", "/", "/sleep", "/sleep", "/", "/", "/", "/some", "/"] {
        for client in &mut clients {
            client.send(get(path));
        }
        for client in &mut clients {
            assert_eq!(client.answer().body, "x");
        }
    }
    drop(clients);
    settled(&server);
}

#[test]
fn a_quick_request_behind_a_slow_one_is_answered_while_all_workers_block() {
    let (gate, opens) = gate();
    let held = gate.clone();
    let server = serve(Limits { max_workers: 2, ..defaults() }, move |request: Request| {
        if request.path() == "/block" {
            held.wait();
        }
        service(request)
    });
    let mut regular = connect(&server);
    for _ in 0..20 {
        assert_eq!(regular.get("/").body, "x");
    }
    let mut guest = connect(&server);
    for _ in 0..3 {
        assert_eq!(guest.get("/sleep").body, "x");
    }
    let mut blocked: Vec<_> = (0..2).map(|_| connect(&server)).collect();
    for client in &mut blocked {
        client.send(get("/block"));
    }
    until(|| gate.waiting() == 2);
    assert_eq!(regular.get("/").body, "x");
    assert_eq!(guest.get("/").body, "x");
    assert_eq!(server.stats().refused_503, 0);
    drop(opens);
    for client in &mut blocked {
        assert_eq!(client.answer().body, "x");
    }
}

#[test]
fn no_more_of_them_are_handled_at_once_than_may() {
    let (gate, opens) = gate();
    let held = gate.clone();
    let server = serve(Limits { max_workers: 2, ..defaults() }, move |request: Request| {
        if request.path() == "/block" {
            held.wait();
        }
        service(request)
    });
    let mut guests: Vec<_> = (0..8).map(|_| connect(&server)).collect();
    for _ in 0..2 {
        guests.iter_mut().for_each(|client| client.send(get("/sleep")));
        guests.iter_mut().for_each(|client| assert_eq!(client.answer().body, "x"));
    }
    // One after the other, so that the first ones are known to be slow.
    for (index, client) in guests.iter_mut().enumerate() {
        client.send(get("/block"));
        // It may wait a moment for a worker that is there; never do more than two of them go in.
        let handled = (index + 1).min(2);
        until(|| gate.waiting() >= handled && gate.waiting() + server.stats().waiting == index + 1);
        assert_eq!(gate.waiting(), handled);
    }
    drop(opens);
    guests.iter_mut().for_each(|client| assert_eq!(client.answer().body, "x"));
}

#[test]
fn what_is_overdue_in_the_middle_of_a_response_is_not_interrupted() {
    let (gate, opens) = gate();
    let held = gate.clone();
    let limits = Limits { max_workers: 1, queue_deadline: millis(100), ..defaults() };
    let server = serve(limits, move |request: Request| match request.path() {
        "/block" => {
            held.wait();
            Response::text("through")
        }
        "/large" => {
            thread::sleep(millis(5));
            Response::new(large())
        }
        _ => service(request),
    });
    // It is a guest by then, and its answer is on its way.
    let mut guest = connect(&server);
    assert_eq!(guest.get("/sleep").body, "x");
    guest.send(get("/large"));
    let head = guest.head();
    assert_eq!(head.header("content-length"), Some(LARGE.to_string().as_str()));
    // Others that have nothing to say.
    let mut idle = connect(&server);
    assert_eq!(idle.get("/sleep").body, "x");
    let mut next_one = connect(&server);
    assert_eq!(next_one.get("/sleep").body, "x");
    let mut blocked = connect(&server);
    blocked.send(get("/block"));
    until(|| gate.waiting() == 1);
    drop(idle);
    let mut body = vec![0; LARGE];
    guest.0.read_exact(&mut body).unwrap();
    assert!(body.iter().all(|byte| *byte == b'x'), "something else is in the middle of it");
    // Who asks for something slow now has nobody.
    next_one.send(get("/sleep"));
    assert_eq!(next_one.answer().status, 503);
    until(|| server.stats().connections <= 2);
    drop(opens);
    assert_eq!(blocked.answer().body, "through");
    assert_eq!(guest.get("/sleep").body, "x");
}

#[test]
fn a_guest_that_pipelines_lets_others_have_a_turn() {
    let server = serve(Limits { max_workers: 2, ..defaults() }, service);
    const MANY: usize = 60;
    let mut greedy: Vec<_> = (0..2).map(|_| connect(&server)).collect();
    for client in &mut greedy {
        client.send(get("/sleep").repeat(MANY));
    }
    let (tell, told) = pair();
    let addr = server.addr();
    thread::spawn(move || {
        let mut client = Client::connect(addr);
        for _ in 0..3 {
            assert_eq!(client.get("/sleep").body, "x");
        }
        tell.lock().unwrap().send(()).unwrap();
    });
    next(&told);
    let before = server.stats().requests;
    assert!(before < 2 * MANY as u64, "{before} requests came first");
    for client in &mut greedy {
        for _ in 0..MANY {
            assert_eq!(client.answer().body, "x");
        }
    }
}
