//! What the native engine promises beyond framing: that nobody holds up anybody else, that everything has its time, and
//! that nothing is left behind. (Framing is in `tests/wire`.)

mod children;
mod drain;
mod files;
mod flow;
mod guests;
mod handlers;
mod limits;
mod pipelining;
mod slow;
mod soak;
mod storm;
mod timeouts;
mod upgrade;
mod vanish;

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use dewar::server::{EngineKind, Limits, Server, ServerHandle};
use dewar::{Body, HttpError, Request, Response};

use crate::server::{Client, NEVER, until};

/// More than the kernel keeps for a client that takes nothing.
const LARGE: usize = 20_000_000;
/// More than is taken in ahead: the handler reads the rest from the connection.
const UPLOAD: usize = 200_000;

fn serve(limits: Limits, service: impl Fn(Request) -> Response + Send + Sync + 'static) -> ServerHandle {
    Server::bind("127.0.0.1:0").unwrap().engine(EngineKind::Native).limits(limits).start(Arc::new(service)).unwrap()
}

fn defaults() -> Limits {
    Limits::default()
}

fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn connect(server: &ServerHandle) -> Client {
    Client::connect(server.addr())
}

/// A request without a body.
fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// The head of a request with a body of this length.
fn post(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")
}

/// What still comes, up to the end of the connection, which must come.
#[track_caller]
fn rest(client: &mut Client) -> Vec<u8> {
    let mut rest = Vec::new();
    match client.0.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {}
        Err(error) => panic!("the connection has not ended: {error}"),
    }
    rest
}

/// Writes what the other side may refuse to take.
fn try_send(client: &mut Client, bytes: impl AsRef<[u8]>) -> bool {
    client.0.get_mut().write_all(bytes.as_ref()).is_ok()
}

/// Ends the connection with a reset.
fn reset(client: Client) {
    let socket = client.0.into_inner();
    rustix::net::sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
}

/// All that was asked for is over.
#[track_caller]
fn settled(server: &ServerHandle) {
    until(|| {
        let stats = server.stats();
        (stats.connections, stats.pool.busy, stats.waiting) == (0, 0, 0)
    });
}

/// The body as text; what reading it says is the answer otherwise.
fn data(request: &Request) -> Response {
    match request.data() {
        Ok(data) => Response::text(data.len().to_string()),
        Err(error) => error.into_response(),
    }
}

/// Tells how reading the body went, and answers what `?` on that would.
fn told(request: &Request, tell: &Mutex<Sender<ErrorKind>>) -> Response {
    let mut all = Vec::new();
    match request.take_body().read_to_end(&mut all) {
        Ok(length) => Response::text(length.to_string()),
        Err(error) => {
            tell.lock().unwrap_or_else(PoisonError::into_inner).send(error.kind()).unwrap();
            HttpError::from(error).into_response()
        }
    }
}

/// A door that handlers wait at until it is opened for all.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<Inside>, Condvar)>);

#[derive(Default)]
struct Inside {
    open: bool,
    count: usize,
}

impl Gate {
    fn wait(&self) {
        let (inside, changed) = &*self.0;
        let mut inside = inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.count += 1;
        while !inside.open {
            inside = changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        inside.count -= 1;
    }

    fn open(&self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).open = true;
        self.0.1.notify_all();
    }

    fn shut(&self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).open = false;
    }

    /// How many wait.
    fn waiting(&self) -> usize {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).count
    }
}

/// Opens the gate also when the test fails, so that no handler is left in it.
struct Opens(Gate);

impl Drop for Opens {
    fn drop(&mut self) {
        self.0.open();
    }
}

fn gate() -> (Gate, Opens) {
    let gate = Gate::default();
    (gate.clone(), Opens(gate))
}

fn large() -> dewar::Body {
    vec![b'x'; LARGE].into()
}

/// A file of so many bytes that cannot be found by its name any more.
fn file_of(bytes: &[u8]) -> File {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("dewar-native-{}-{number}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let file = File::open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

/// The same in pieces that are made while they are sent.
fn stream() -> Body {
    Body::blocks((0..LARGE / 50_000).map(|_| vec![b'x'; 50_000]))
}

fn pair<T>() -> (Mutex<Sender<T>>, Receiver<T>) {
    let (tell, told) = channel();
    (Mutex::new(tell), told)
}

fn computing(time: Duration) {
    let since = std::time::Instant::now();
    while since.elapsed() < time {
        std::hint::spin_loop();
    }
}
