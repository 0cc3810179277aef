//! How a server begins and ends.

use std::cell::OnceCell;
use std::io::{self, BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dewar::bridge::{self, BridgeError};
use dewar::server::{Engine, EngineKind, Listener, Running, Server, ServerStats, Setup, ShutdownReport};
use dewar::{Request, Response, Service};

use super::{Client, MOMENT, NEVER, next, start, until};
use crate::support::panic_message;

#[test]
fn a_shutdown_finishes_what_is_in_flight_and_refuses_the_rest() {
    let (entered, inside) = channel();
    let (go, wait) = channel::<()>();
    let ends = Mutex::new((entered, wait));
    let server = Arc::new(start(move |_| {
        let ends = ends.lock().unwrap();
        ends.0.send(()).unwrap();
        next(&ends.1);
        Response::text("finished")
    }));
    let mut client = Client::connect(server.addr());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    next(&inside);
    let stopping = Arc::clone(&server);
    let stopped = std::thread::spawn(move || stopping.shutdown(NEVER));
    until(|| TcpStream::connect(server.addr()).is_err());
    go.send(()).unwrap();
    let answer = client.answer();
    assert_eq!((answer.body.as_str(), answer.header("connection")), ("finished", Some("close")));
    assert_eq!(stopped.join().unwrap(), ShutdownReport { finished: 1, cut: 0 });
    assert_eq!(server.wait(), ShutdownReport { finished: 1, cut: 0 });
    assert_eq!(server.stats().pool.workers, 0);
}

#[test]
fn a_fragment_that_never_ends_is_ended_when_the_time_is_over() {
    let engines = [
        EngineKind::default(),
        #[cfg(feature = "tiny_http")]
        EngineKind::TinyHttp,
    ];
    for engine in engines {
        let (entered, inside) = channel();
        let entered = Mutex::new(entered);
        let service = move |_: Request| {
            entered.lock().unwrap().send(()).unwrap();
            match bridge::block_on(std::future::pending::<()>()) {
                Err(BridgeError::Cancelled { .. }) => Response::text("ended").with_status(503),
                other => Response::text(format!("{other:?}")),
            }
        };
        let server = Server::bind("127.0.0.1:0").unwrap().engine(engine).start(Arc::new(service)).unwrap();
        let mut client = Client::connect(server.addr());
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        next(&inside);
        assert_eq!(server.shutdown(MOMENT).cut, 0, "{engine:?}");
        assert_eq!(client.answer().body, "ended", "{engine:?}");
        assert_eq!(server.stats().pool.workers, 0, "{engine:?}");
    }
}

#[test]
fn what_does_not_finish_in_time_is_cut() {
    let (go, wait) = channel::<()>();
    let (entered, inside) = channel();
    let ends = Mutex::new((entered, wait));
    let server = start(move |_| {
        let ends = ends.lock().unwrap();
        ends.0.send(()).unwrap();
        let _ = ends.1.recv();
        Response::text("late")
    });
    let mut client = Client::connect(server.addr());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    next(&inside);
    assert_eq!(server.shutdown(MOMENT), ShutdownReport { finished: 0, cut: 1 });
    drop(go);
}

#[test]
fn an_idle_server_ends_at_once() {
    let server = start(|_| Response::text("x"));
    let mut client = Client::connect(server.addr());
    assert_eq!(client.get("/").status, 200);
    let begun = Instant::now();
    assert_eq!(server.shutdown(NEVER).cut, 0);
    assert!(begun.elapsed() < NEVER / 4);
}

#[test]
fn a_port_in_use_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let error = Server::bind(addr).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    for part in [format!("port {} of 127.0.0.1 is ", addr.port()), "--port".to_owned(), "in use".to_owned()] {
        assert!(text.contains(&part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn engines_have_names() {
    assert_eq!("tiny_http".parse(), Ok(EngineKind::TinyHttp));
    #[cfg(unix)]
    assert_eq!("native".parse(), Ok(EngineKind::Native));
    let apache = "apache".parse::<EngineKind>().unwrap_err().to_string();
    assert!(apache.contains("no engine \"apache\"") && apache.contains("tiny_http"), "{apache}");
}

/// tiny_http's accept loop ends at the first error that `accept` gives.
#[test]
#[cfg(unix)]
fn accepting_goes_on_after_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let same = listener.try_clone().unwrap();
    let server = Server::from_listener(listener)
        .engine(EngineKind::TinyHttp)
        .start(Arc::new(|_| Response::text("here")))
        .unwrap();
    let mut before = Client::connect(server.addr());
    assert_eq!(before.get("/").body, "here");
    // Shared by all descriptors of the listener: the accept after the next one fails, as long as nobody connects.
    same.set_nonblocking(true).unwrap();
    let mut during = Client::connect(server.addr());
    assert_eq!(during.get("/").body, "here");
    std::thread::sleep(MOMENT);
    same.set_nonblocking(false).unwrap();
    assert_eq!(Client::connect(server.addr()).get("/").body, "here");
    // Those that were connected before are served on, and told to come again.
    for old in [&mut before, &mut during] {
        let answer = old.get("/");
        assert_eq!((answer.body.as_str(), answer.header("connection")), ("here", Some("close")));
    }
    assert_eq!(server.shutdown(NEVER).cut, 0);
}

/// What signals do and which threads are left can only be seen in a process of its own: this test runs [`child`].
fn run_child(task: &str) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server::shutdown::child", "--ignored", "--nocapture"])
        .env("DEWAR_TEST_CHILD", task)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    (child, said)
}

#[test]
#[ignore = "what the tests below run in a process of its own"]
fn child() {
    let service = Arc::new(|_| {
        eprintln!("inside");
        std::thread::sleep(Duration::from_millis(500));
        Response::text("x")
    });
    match std::env::var("DEWAR_TEST_CHILD").as_deref() {
        Ok("serve") => {
            let server = Server::bind("127.0.0.1:0").unwrap().on_ready(|addr| eprintln!("ready {addr}"));
            eprintln!("{:?}", server.serve(service).unwrap());
        }
        Ok("threads") => {
            let server = Server::bind("127.0.0.1:0").unwrap().start(service).unwrap();
            let clients: Vec<_> = (0..8)
                .map(|_| {
                    let mut client = Client::connect(server.addr());
                    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                    client
                })
                .collect();
            clients.into_iter().for_each(|mut client| assert_eq!(client.answer().status, 200));
            server.shutdown(NEVER);
            let tasks = std::fs::read_dir("/proc/self/task").unwrap();
            let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
            eprintln!("left {:?}", names.filter(|name| name.starts_with("dewar")).collect::<Vec<_>>());
        }
        _ => {}
    }
}

/// Skips lines up to the one that starts so, and returns its rest.
pub(super) fn lines_until(said: &mut BufReader<std::process::ChildStderr>, start: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "the child ended without {start:?}");
        if let Some(rest) = line.strip_prefix(start) {
            return rest.trim().to_owned();
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn no_thread_is_left_after_a_shutdown() {
    let (mut child, mut said) = run_child("threads");
    assert_eq!(lines_until(&mut said, "left "), "[]");
    assert!(child.wait().unwrap().success());
}

#[test]
#[cfg(unix)]
fn a_signal_ends_in_order_and_a_second_one_at_once() {
    for (signal, second, status) in [("-INT", None, 0), ("-TERM", None, 0), ("-INT", Some("-TERM"), 143)] {
        let (mut child, mut said) = run_child("serve");
        let addr = lines_until(&mut said, "ready ").parse().unwrap();
        let mut client = Client::connect(addr);
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        lines_until(&mut said, "inside");
        let pid = child.id().to_string();
        let kill = |signal: &str| {
            let status = Command::new("kill").args([signal, pid.as_str()]).status().unwrap();
            assert!(status.success());
        };
        kill(signal);
        if let Some(second) = second {
            // The first one has been heard when nobody can connect any more.
            until(|| TcpStream::connect(addr).is_err());
            kill(second);
        } else {
            assert_eq!(client.answer().body, "x");
            assert_eq!(lines_until(&mut said, "ShutdownReport "), "{ finished: 1, cut: 0 }");
        }
        assert_eq!(child.wait().unwrap().code(), Some(status));
    }
}

/// Engines may be anybody's.
#[derive(Debug)]
struct Fragile;

#[derive(Debug, Default)]
struct FragileServer(AtomicUsize);

impl Engine for Fragile {
    fn start(&self, _: Listener, _: Arc<dyn Service>, _: &Setup) -> io::Result<Box<dyn Running>> {
        Ok(Box::new(FragileServer::default()))
    }
}

impl Running for FragileServer {
    fn stats(&self) -> ServerStats {
        ServerStats::default()
    }

    fn stop(&self, _: Duration) -> ShutdownReport {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("it cannot stop"),
            _ => ShutdownReport { finished: 7, cut: 0 },
        }
    }
}

#[test]
fn an_engine_that_panics_leaves_nobody_waiting() {
    let server = Server::bind("127.0.0.1:0").unwrap().engine(Fragile);
    let server = server.start(Arc::new(|_| Response::text("x"))).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| server.wait());
        assert_eq!(panic_message(|| server.shutdown(MOMENT)), "it cannot stop");
        let report = ShutdownReport { finished: 7, cut: 0 };
        assert_eq!(server.shutdown(MOMENT), report);
        assert_eq!(waits.join().unwrap(), report);
        assert_eq!(server.shutdown(MOMENT), report);
    });
}

#[test]
fn a_thread_local_that_is_not_dropped_to_an_end_does_not_hold_a_shutdown() {
    thread_local! {
        static HELD: OnceCell<Held> = const { OnceCell::new() };
    }
    struct Held(Receiver<()>, Sender<()>);
    impl Drop for Held {
        fn drop(&mut self) {
            let _ = self.1.send(());
            let _ = self.0.recv();
        }
    }
    let (go, wait) = channel();
    let (dropping, is_dropped) = channel();
    let held = Mutex::new(Some(Held(wait, dropping)));
    let server = start(move |_| {
        if let Some(held) = held.lock().unwrap().take() {
            HELD.with(|cell| cell.set(held).ok());
        }
        Response::text("x")
    });
    assert_eq!(Client::connect(server.addr()).get("/").body, "x");
    assert_eq!(server.shutdown(MOMENT).cut, 0);
    next(&is_dropped);
    drop(go);
}
