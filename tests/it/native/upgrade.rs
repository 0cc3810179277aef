//! Connections that a response takes over.

use std::io::{BufRead, Read, Write};
use std::net::Shutdown;
use std::thread;

use dewar::Response;

use super::*;
use crate::server::next;
use crate::support::log_capture;

const ASK: &str = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

fn service(request: Request) -> Response {
    match request.path() {
        "/echo" => Response::switching_protocols("echo", |mut connection| {
            let mut block = [0; 4096];
            while let Ok(n @ 1..) = connection.read(&mut block) {
                if connection.write_all(&block[..n]).is_err() {
                    return;
                }
            }
        }),
        "/panic" => Response::switching_protocols("echo", |_| panic!("in the job of upgrade.rs")),
        "/by-hand" => Response::empty(101).with_header("upgrade", "echo"),
        "/continue" => Response::empty(100),
        "/bye" => Response::switching_protocols("echo", |mut connection| connection.write_all(b"bye").unwrap()),
        "/patient" => Response::switching_protocols("echo", |mut connection| {
            connection.set_read_timeout(Some(millis(50)));
            let error = connection.read(&mut [0]).unwrap_err();
            connection.write_all(format!("{:?}", error.kind()).as_bytes()).unwrap();
        }),
        "/slow" => {
            thread::sleep(millis(5));
            Response::text("x")
        }
        _ => Response::text("x"),
    }
}

fn ask(path: &str) -> String {
    ASK.replace("/echo", path)
}

/// The head of the 101, up to its empty line.
fn switched(client: &mut Client) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        client.0.read_line(&mut head).unwrap();
    }
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    assert!(head.contains("\r\nupgrade: echo\r\n") && head.contains("\r\nconnection: upgrade\r\n"), "{head}");
    head
}

#[test]
fn bytes_go_both_ways_and_those_sent_before_are_first() {
    let server = serve(defaults(), service);
    let mut client = connect(&server);
    client.send(get("/") + ASK + "early");
    assert_eq!(client.answer().body, "x");
    switched(&mut client);
    let mut piece = [0; 5];
    client.0.read_exact(&mut piece).unwrap();
    assert_eq!(&piece, b"early");
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut writer = client.0.get_ref().try_clone().unwrap();
    let sent = large.clone();
    let writing = thread::spawn(move || writer.write_all(&sent).unwrap());
    let mut back = vec![0; large.len()];
    client.0.read_exact(&mut back).unwrap();
    writing.join().unwrap();
    assert!(back == large);
    client.0.get_ref().shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut client), b"");
    settled(&server);
}

#[test]
fn nobody_is_held_by_them() {
    let server = serve(Limits { max_workers: 2, ..defaults() }, service);
    let mut open: Vec<_> = (0..50)
        .map(|n| {
            let mut client = connect(&server);
            if n % 2 == 0 {
                assert_eq!(client.get("/slow").body, "x"); // a guest
            }
            client.send(ASK);
            switched(&mut client);
            client
        })
        .collect();
    until(|| server.stats().pool.busy == 0);
    assert_eq!(server.stats().connections, 50);
    let mut good = connect(&server);
    for client in &mut open {
        client.send("x");
        client.0.read_exact(&mut [0]).unwrap();
        assert_eq!(good.get("/slow").body, "x");
    }
    for (n, client) in open.into_iter().enumerate() {
        if n % 2 == 0 { reset(client) } else { drop(client) }
    }
    drop(good);
    settled(&server);
}

#[test]
fn who_cannot_or_may_not_switch_is_told() {
    log_capture();
    let server = serve(defaults(), service);
    let mut client = connect(&server);
    let answer = client.get("/echo");
    assert_eq!((answer.status, answer.header("upgrade")), (426, Some("echo")));
    client.send("GET /echo HTTP/1.0\r\nConnection: keep-alive, upgrade\r\nUpgrade: echo\r\n\r\n");
    assert_eq!(client.answer().status, 426);
    // Without a job there is nothing to switch to, whoever asks.
    for request in [ask("/by-hand"), get("/continue"), ask("/continue")] {
        client.send(&request);
        assert_eq!(client.answer().status, 500, "{request}");
    }
    assert_eq!(client.get("/").body, "x");
    client.send(ASK.replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 200000\r\n\r\n"));
    assert_eq!(client.answer().status, 426);
}

#[test]
fn whichever_side_ends_it_it_ends() {
    let log = log_capture();
    let server = serve(defaults(), service);
    let mut client = connect(&server);
    client.send(ask("/panic"));
    switched(&mut client);
    assert_eq!(rest(&mut client), b"");
    until(|| !log.with("taken over panicked").is_empty());
    let mut client = connect(&server);
    client.send(ask("/bye"));
    switched(&mut client);
    assert_eq!(rest(&mut client), b"bye");
    let mut client = connect(&server);
    client.send(ask("/patient"));
    switched(&mut client);
    assert_eq!(rest(&mut client), b"TimedOut");
    settled(&server);
}

#[test]
fn it_may_outlive_its_request_but_not_the_server() {
    let (tell, told) = pair();
    let tell = Arc::new(tell);
    let server = serve(defaults(), move |_| {
        let tell = Arc::clone(&tell);
        Response::switching_protocols("echo", move |mut connection| {
            let read = connection.read(&mut [0]);
            tell.lock().unwrap().send(read.is_ok_and(|n| n > 0)).unwrap();
        })
    });
    let mut client = connect(&server);
    client.send(ASK);
    switched(&mut client);
    let report = server.shutdown(millis(200));
    assert_eq!((report.finished, report.cut), (0, 1));
    assert!(!next(&told));
    assert_eq!(rest(&mut client), b"");
}
