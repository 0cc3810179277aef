//! What a few clients could do to all others, and to each other's answers, with the native engine.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use dewar::server::{EngineKind, Limits, Server, ServerHandle};
use dewar::{Body, Request, Response};

use super::{Client, MOMENT, until};

fn start(limits: Limits, service: impl Fn(Request) -> Response + Send + Sync + 'static) -> ServerHandle {
    let server = Server::bind("127.0.0.1:0").unwrap().engine(EngineKind::Native).limits(limits);
    server.start(Arc::new(service)).unwrap()
}

/// Sleeps for as many milliseconds as the path says.
fn sleeper(request: Request) -> Response {
    let time = request.path().rsplit('/').next().and_then(|last| last.parse().ok());
    thread::sleep(Duration::from_millis(time.unwrap_or(0)));
    Response::text("answered")
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// Has one worker, and keeps it from those who come next.
fn occupied(server: &ServerHandle) -> Vec<Client> {
    let hogs = (0..3).map(|_| {
        let mut hog = Client::connect(server.addr());
        hog.send(get("/sleep/700"));
        hog
    });
    let hogs = hogs.collect();
    until(|| server.stats().waiting > 0);
    hogs
}

fn one_worker() -> Limits {
    Limits { max_workers: 1, queue_deadline: Duration::from_millis(200), ..Limits::default() }
}

#[test]
fn a_connection_with_a_slow_request_is_heard_when_all_is_quiet() {
    let spin = |request: Request| {
        let since = Instant::now();
        while request.path() == "/spin" && since.elapsed() < Duration::from_micros(400) {}
        Response::text("answered")
    };
    for _ in 0..3 {
        let server = start(Limits::default(), spin);
        // A leader does it itself, and nobody is in the lounge for what comes next.
        let mut client = Client::connect(server.addr());
        client.get("/spin");
        thread::sleep(MOMENT);
        let since = Instant::now();
        assert_eq!(client.get("/").body, "answered");
        assert!(since.elapsed() < Duration::from_secs(2));
    }
}

#[test]
fn many_requests_behind_a_slow_one_are_answered() {
    let server = start(Limits::default(), sleeper);
    for round in 0..3 {
        let mut client = Client::connect(server.addr());
        // What comes while the leader sleeps is found when the connection moves to those who may.
        client.send(get(&format!("/{}/50", ["a", "b", "c"][round])));
        thread::sleep(Duration::from_millis(10));
        client.send(get("/quick").repeat(500));
        for _ in 0..501 {
            assert_eq!(client.answer().body, "answered");
        }
    }
    until(|| server.stats().pool.busy == 0);
}

#[test]
fn clients_that_never_run_out_of_requests_leave_time_for_others() {
    let server = start(Limits::default(), sleeper);
    let done = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..8)
        .map(|number| {
            let (mut sender, done) = (TcpStream::connect(server.addr()).unwrap(), Arc::clone(&done));
            let mut receiver = sender.try_clone().unwrap();
            let writer = thread::spawn(move || {
                // Half of them among those whose requests are slow.
                let _ = sender.write_all(get(if number % 2 == 0 { "/sleep/20" } else { "/" }).as_bytes());
                let many = get("/").repeat(100);
                while !done.load(Ordering::Relaxed) && sender.write_all(many.as_bytes()).is_ok() {}
                let _ = sender.shutdown(std::net::Shutdown::Both);
            });
            thread::spawn(move || {
                let mut room = vec![0; 1 << 16];
                while matches!(receiver.read(&mut room), Ok(1..)) {}
                writer.join()
            })
        })
        .collect();
    thread::sleep(MOMENT);
    let since = Instant::now();
    for _ in 0..20 {
        assert_eq!(Client::connect(server.addr()).get("/").body, "answered");
    }
    let took = since.elapsed();
    done.store(true, Ordering::Relaxed);
    for thread in busy {
        let _ = thread.join();
    }
    assert!(took < Duration::from_secs(5), "{took:?}");
    until(|| server.stats().pool.busy == 0);
}

#[test]
fn a_503_comes_behind_the_answers_before_it() {
    let server = start(one_worker(), |request: Request| match request.path() {
        "/stream" => Response::new(Body::blocks(["a", "b"])),
        _ => sleeper(request),
    });
    for path in ["/", "/stream"] {
        for _ in 0..12 {
            assert_eq!(Client::connect(server.addr()).get(path).status, 200);
        }
    }
    let _hogs = occupied(&server);
    let mut client = Client::connect(server.addr());
    client.send(get("/") + &get("/stream"));
    assert_eq!((client.answer().status, client.answer().status), (200, 503));
}

#[test]
fn a_503_is_not_sent_into_another_answer_or_to_who_has_not_asked() {
    const LONG: usize = 12 << 20;
    let server = start(one_worker(), |request: Request| match request.path() {
        "/long" => Response::text(vec![b'x'; LONG]),
        _ => sleeper(request),
    });
    // What is known to be quick is answered while the only worker is held.
    assert_eq!(Client::connect(server.addr()).get("/").status, 200);
    // They are among those whose requests are slow, whose events are seen to by workers.
    let mut client = Client::connect(server.addr());
    let mut silent = Client::connect(server.addr());
    for _ in 0..3 {
        client.get("/sleep/5");
        silent.get("/sleep/5");
    }
    client.send(get("/long"));
    assert_eq!(client.head().header("content-length"), Some(LONG.to_string().as_str()));
    let hogs = occupied(&server);
    silent.send("\r\n");
    // Room for more, and nobody there to send it.
    let mut body = vec![0; LONG];
    client.0.read_exact(&mut body[..LONG / 2]).unwrap();
    thread::sleep(MOMENT);
    client.0.read_exact(&mut body[LONG / 2..]).unwrap();
    assert!(body.iter().all(|byte| *byte == b'x'));
    drop(hogs);
    // The handler of the first is still asleep; who asks before it wakes may be sent away.
    until(|| server.stats().pool.busy == 0);
    assert_eq!(client.get("/").body, "answered");
}

/// Panics when it is dropped, once.
#[derive(Clone)]
struct Bomb(Arc<AtomicBool>);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !self.0.swap(true, Ordering::SeqCst) {
            panic!("the tests' bomb");
        }
    }
}

#[test]
fn what_panics_outside_of_a_handler_ends_its_connection_only() {
    let server = start(Limits::default(), |_| {
        let mut response = Response::text("answered");
        response.extensions_mut().insert(Bomb(Arc::default()));
        response
    });
    for _ in 0..20 {
        let mut client = TcpStream::connect(server.addr()).unwrap();
        client.set_read_timeout(Some(super::NEVER)).unwrap();
        client.write_all(get("/").as_bytes()).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap_or(0), 0);
    }
    until(|| server.stats().panics == 20);
    until(|| server.stats().connections == 0);
    assert_eq!(server.shutdown(super::NEVER).cut, 0);
}

#[test]
fn a_job_on_close_that_waits_holds_neither_timeouts_nor_a_shutdown() {
    let (hold, held) = sync_channel::<()>(0);
    let held = Arc::new(std::sync::Mutex::new(held));
    let limits = Limits {
        write_timeout: Duration::from_millis(50),
        head_timeout: Duration::from_millis(500),
        ..Limits::default()
    };
    let (began, begins) = channel();
    let server = start(limits, move |_| {
        let mut response = Response::text(vec![b'x'; 64 << 20]);
        let (held, began) = (Arc::clone(&held), began.clone());
        response.call_on_close(move || {
            let _ = began.send(());
            let _ = held.lock().unwrap().recv();
        });
        response
    });
    let mut takes_nothing = Client::connect(server.addr());
    takes_nothing.send(get("/"));
    super::next(&begins);
    let mut says_nothing = TcpStream::connect(server.addr()).unwrap();
    says_nothing.set_read_timeout(Some(super::NEVER)).unwrap();
    assert_eq!(says_nothing.read(&mut [0]).unwrap(), 0);
    let since = Instant::now();
    server.shutdown(Duration::from_millis(200));
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    drop(hold);
}

#[test]
fn who_sends_next_to_nothing_makes_room_for_others() {
    let limits = Limits { max_workers: 4, ..Limits::default() };
    let server = start(limits, |request: Request| match request.take_body().into_bytes() {
        Ok(body) => Response::text(body.len().to_string()),
        Err(error) => Response::text(error.to_string()).with_status(500),
    });
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n";
    let crawlers = (0..2).map(|_| {
        let mut crawler = Client::connect(server.addr());
        crawler.send(head);
        crawler
    });
    let mut crawlers: Vec<_> = crawlers.collect();
    until(|| server.stats().pool.blocked == 2);
    thread::sleep(Duration::from_millis(1200));
    for _ in 0..3 {
        let mut client = Client::connect(server.addr());
        client.send(head);
        thread::sleep(Duration::from_millis(50));
        client.send(vec![b'x'; 200_000]);
        assert_eq!(client.answer().body, "200000");
    }
    // One was enough.
    let answers: Vec<_> = crawlers
        .iter_mut()
        .map(|crawler| {
            let _ = crawler.0.get_mut().write_all(&vec![b'x'; 200_000]);
            crawler.answer().status
        })
        .collect();
    assert!(answers.contains(&200) && answers.contains(&500), "{answers:?}");
}

#[test]
fn a_protocol_that_only_somebody_before_the_proxy_asks_for_is_not_spoken() {
    let server = start(Limits::default(), |_| Response::switching_protocols("echo", drop));
    for (connection, status) in [("", 426), ("Connection: keep-alive\r\n", 426), ("Connection: x, Upgrade\r\n", 101)] {
        let mut client = Client::connect(server.addr());
        client.send(format!("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\n{connection}\r\n"));
        assert!(client.line().starts_with(&format!("HTTP/1.1 {status} ")), "{connection}");
    }
}
