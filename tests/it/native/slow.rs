//! Slow clients hold nobody up but themselves.

use std::time::Instant;

use dewar::server::Limits;
use dewar::{Body, Response};

use super::*;

fn service(request: Request) -> Response {
    match request.path() {
        "/upload" => data(&request),
        "/bytes" => Response::new(large()),
        "/file" => Response::new(Body::file(file_of(&vec![b'x'; LARGE]), LARGE as u64)),
        "/stream" => Response::new(stream()),
        _ => data(&request),
    }
}

/// Fifty requests, none of which takes long.
#[track_caller]
fn a_good_client(server: &ServerHandle) {
    let since = Instant::now();
    let mut client = connect(server);
    for round in 0..50 {
        assert_eq!(client.get("/").body, "0", "{round}");
        if round % 10 == 0 {
            client = connect(server);
            client.send(post("/", 3) + "abc");
            assert_eq!(client.answer().body, "3");
        }
    }
    assert!(since.elapsed() < NEVER / 2);
}

fn several(server: &ServerHandle, request: &str) -> Vec<Client> {
    let begin = |_| {
        let mut client = connect(server);
        client.send(request);
        client
    };
    (0..8).map(begin).collect()
}

#[test]
fn all_kinds_of_slow_clients_at_once() {
    let server = serve(Limits { max_workers: 4, ..defaults() }, service);
    let mut held = several(&server, "GET / HTTP/1.1\r\nHost:");
    held.extend(several(&server, &(post("/", 100) + "begun")));
    held.extend(several(&server, &get("/bytes")));
    held.extend(several(&server, &get("/file")));
    a_good_client(&server);
    // Two may have a worker that waits for them; the others are told to come again.
    let mut uploads = several(&server, &post("/upload", UPLOAD));
    until(|| server.stats().pool.busy == 2);
    a_good_client(&server);
    let accepted = server.stats().accepted;
    let mut streams = several(&server, &get("/stream"));
    // All of them, and the uploads that were refused.
    until(|| server.stats().accepted == accepted + 8 && server.stats().connections == held.len() + 2);
    for client in &mut streams {
        assert!(rest(client).len() < LARGE, "no worker may wait for it");
    }
    a_good_client(&server);
    // They can go on all the same.
    let mut outcomes = [0, 0];
    for client in &mut uploads {
        let _ = try_send(client, vec![b'x'; UPLOAD]);
        let answer = client.answer();
        match answer.status {
            200 => outcomes[0] += 1,
            503 => {
                assert_eq!((answer.header("retry-after"), answer.header("connection")), (Some("1"), Some("close")));
                outcomes[1] += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(outcomes, [2, 6]);
    for (index, client) in held.iter_mut().enumerate() {
        match index / 8 {
            0 => client.send(" x\r\n\r\n"),
            1 => client.send("x".repeat(95)),
            _ => {}
        }
        let answer = client.answer();
        let length = [1, 3, LARGE, LARGE][index / 8];
        assert_eq!((answer.status, answer.body.len()), (200, length), "{index}");
    }
    drop((held, uploads, streams));
    settled(&server);
    assert_eq!(server.stats().timeouts, 0);
}

#[test]
fn streams_that_are_not_taken_have_half_of_the_workers() {
    let server = serve(Limits { max_workers: 4, ..defaults() }, service);
    let mut streams = several(&server, &get("/stream"));
    until(|| server.stats().accepted == 8 && server.stats().connections == 2);
    until(|| server.stats().pool.busy == 2);
    a_good_client(&server);
    until(|| server.stats().connections == 2);
    let whole = streams.iter_mut().map(rest_of_stream).filter(|whole| *whole).count();
    assert_eq!(whole, 2);
    // They wait for nobody now.
    assert_eq!(connect(&server).get("/stream").body.len(), LARGE);
    drop(streams);
    settled(&server);
}

/// Whether it comes to its end.
fn rest_of_stream(client: &mut Client) -> bool {
    let mut all = Vec::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match client.0.read(&mut piece) {
            Ok(n @ 1..) => all.extend_from_slice(&piece[..n]),
            _ => return false,
        }
        if all.ends_with(b"\r\n0\r\n\r\n") {
            return true;
        }
    }
}
