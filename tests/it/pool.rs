//! The worker pool, as a server shows it.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::time::{Duration, Instant};

use dewar::Response;
use dewar::server::{EngineKind, Limits, Server, ServerHandle};

use crate::server::{Client, next, until};

/// Workers that the native engine has beside those that may block: one for each shard, and one to take over.
fn leaders() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get()) + 1
}

fn request(client: &mut Client) {
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
}

fn clients(server: &ServerHandle, count: usize) -> Vec<Client> {
    let mut clients: Vec<_> = (0..count).map(|_| Client::connect(server.addr())).collect();
    clients.iter_mut().for_each(request);
    clients
}

#[test]
fn as_many_workers_as_handlers_that_block_and_fewer_again_after() {
    const BLOCKING: usize = 32;
    let barrier = Barrier::new(BLOCKING);
    let service = move |_| {
        // Ends only when all of them are inside at once.
        barrier.wait();
        Response::text("met")
    };
    let server = Server::bind("127.0.0.1:0").unwrap().workers(2).start(Arc::new(service)).unwrap();
    assert_eq!(server.stats().pool.workers, 2);
    for mut client in clients(&server, BLOCKING) {
        assert_eq!(client.answer().body, "met");
    }
    let stats = server.stats();
    assert!(stats.pool.started >= BLOCKING as u64, "{stats:?}");
    assert_eq!(stats.requests, BLOCKING as u64);
    // Afterwards they are not needed any more.
    until(|| server.stats().pool.workers == 2);
    let stats = server.stats().pool;
    assert_eq!((stats.workers, stats.busy, stats.ended), (2, 0, stats.started - 2));
}

/// A service whose calls wait for `go`, and how many are inside, at most and now.
fn gate() -> (impl Fn(dewar::Request) -> Response + Send + Sync, std::sync::mpsc::Sender<()>, Arc<[AtomicUsize; 2]>) {
    let (go, wait) = channel::<()>();
    let wait: Mutex<Receiver<()>> = Mutex::new(wait);
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let inside = Arc::clone(&counts);
    let service = move |_| {
        let now = inside[1].fetch_add(1, Ordering::SeqCst) + 1;
        inside[0].fetch_max(now, Ordering::SeqCst);
        next(&wait.lock().unwrap());
        inside[1].fetch_sub(1, Ordering::SeqCst);
        Response::text("through")
    };
    (service, go, counts)
}

#[test]
fn never_more_than_the_maximum() {
    let (service, go, counts) = gate();
    let server = Server::bind("127.0.0.1:0").unwrap().workers(1).max_workers(5).start(Arc::new(service)).unwrap();
    let clients = clients(&server, 20);
    until(|| counts[1].load(Ordering::SeqCst) == 5);
    // By then the ticker has had its chance to make a sixth one.
    let long = Duration::from_millis(50);
    until(|| server.stats().pool.oldest >= long && server.stats().pool.saturated >= long);
    let stats = server.stats().pool;
    assert_eq!((stats.busy, stats.blocked), (5, 5));
    assert!(stats.workers <= 5 + leaders(), "{stats:?}");
    for _ in 0..20 {
        go.send(()).unwrap();
    }
    for mut client in clients {
        assert_eq!(client.answer().body, "through");
    }
    assert_eq!(counts[0].load(Ordering::SeqCst), 5);
    assert_eq!(server.stats().refused_503, 0);
}

#[test]
fn what_waits_for_too_long_is_told_to_come_again() {
    let (service, go, counts) = gate();
    let limits = Limits { queue_deadline: Duration::from_millis(200), max_workers: 2, ..Limits::default() };
    let server = Server::bind("127.0.0.1:0").unwrap().limits(limits).start(Arc::new(service)).unwrap();
    let mut served = clients(&server, 2);
    until(|| counts[1].load(Ordering::SeqCst) == 2);
    // Both workers are inside and stay there; all of these have nobody, one of them with a body that is not read.
    let mut refused = clients(&server, 5);
    refused[4] = Client::connect(server.addr());
    refused[4].send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\nbegun");
    for client in &mut refused {
        let answer = client.answer();
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.header("connection"), Some("close"));
    }
    assert!(server.stats().refused_503 >= 5);
    // Those who had a worker are not touched, and afterwards there is room again.
    for _ in 0..3 {
        go.send(()).unwrap();
    }
    for client in &mut served {
        assert_eq!(client.answer().body, "through");
    }
    assert_eq!(Client::connect(server.addr()).get("/").body, "through");
}

#[test]
fn what_is_refused_comes_behind_the_answers_to_earlier_requests() {
    let (gated, go, counts) = gate();
    let limits = Limits { queue_deadline: Duration::from_millis(200), max_workers: 1, ..Limits::default() };
    let service = move |request: dewar::Request| match request.path() {
        "/quick" => Response::text("quick"),
        "/stream" => Response::new(dewar::Body::reader(&b"made while it is sent"[..])),
        _ => gated(request),
    };
    let server = Server::bind("127.0.0.1:0").unwrap().limits(limits).start(Arc::new(service)).unwrap();
    let mut client = Client::connect(server.addr());
    // So that it is known that they do not block.
    for path in ["/quick", "/stream", "/quick", "/stream"] {
        assert_eq!(client.get(path).status, 200);
    }
    let mut held = clients(&server, 1);
    until(|| counts[1].load(Ordering::SeqCst) == 1);
    client.send("GET /quick HTTP/1.1\r\nHost: x\r\n\r\nGET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.answer().body, "quick");
    assert_eq!(client.answer().status, 503);
    go.send(()).unwrap();
    assert_eq!(held[0].answer().body, "through");
}

#[test]
fn being_busy_is_not_being_overloaded() {
    // Both workers always have something to do, but nothing waits for as long as the deadline.
    let limits = Limits { queue_deadline: Duration::from_millis(200), max_workers: 2, ..Limits::default() };
    let service = |_| {
        std::thread::sleep(Duration::from_millis(1));
        Response::text("served")
    };
    let server = Server::bind("127.0.0.1:0").unwrap().limits(limits).start(Arc::new(service)).unwrap();
    let until = Instant::now() + Duration::from_secs(1);
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                let mut client = Client::connect(server.addr());
                while Instant::now() < until {
                    assert_eq!(client.get("/").status, 200);
                }
            });
        }
    });
    let stats = server.stats();
    assert_eq!(stats.refused_503, 0);
    assert!(stats.pool.workers <= 2 + leaders(), "{stats:?}");
}

/// In a thread-local of a worker: asks for the server's figures when it is dropped, after it was let go.
struct AsksAtItsEnd {
    server: Arc<OnceLock<ServerHandle>>,
    go: Arc<Mutex<Receiver<()>>>,
    told: Sender<usize>,
}

impl Drop for AsksAtItsEnd {
    fn drop(&mut self) {
        let _ = self.go.lock().unwrap().recv();
        let server = self.server.get().unwrap();
        self.told.send(server.stats().pool.workers).unwrap();
    }
}

#[test]
fn a_worker_that_takes_its_time_to_end_holds_nobody() {
    const BLOCKING: usize = 4;
    thread_local! {
        static LAST: OnceCell<AsksAtItsEnd> = const { OnceCell::new() };
    }
    let cell = Arc::new(OnceLock::new());
    let (go, wait) = channel();
    let (told, all) = channel();
    let wait = Arc::new(Mutex::new(wait));
    let barrier = Barrier::new(BLOCKING);
    let (server, told) = (Arc::clone(&cell), Mutex::new(told));
    let service = move |_| {
        let asks =
            || AsksAtItsEnd { server: Arc::clone(&server), go: Arc::clone(&wait), told: told.lock().unwrap().clone() };
        LAST.with(|cell| _ = cell.get_or_init(asks));
        barrier.wait();
        Response::text("met")
    };
    // On the engine whose workers all handle: those of the native one that lead do not end.
    let started = Server::bind("127.0.0.1:0").unwrap().engine(EngineKind::TinyHttp).workers(1);
    let started = started.start(Arc::new(service)).unwrap();
    let server = cell.get_or_init(|| started);
    for mut client in clients(server, BLOCKING) {
        assert_eq!(client.answer().body, "met");
    }
    // They have ended, but for their thread-locals, which do not come to an end.
    until(|| server.stats().pool.workers == 1);
    // And more of them come and end.
    let ended = server.stats().pool.ended;
    for mut client in clients(server, BLOCKING) {
        assert_eq!(client.answer().body, "met");
    }
    until(|| server.stats().pool.workers == 1 && server.stats().pool.ended > ended);
    drop(go);
    for _ in 0..2 * (BLOCKING - 1) {
        assert_eq!(next(&all), 1);
    }
}
