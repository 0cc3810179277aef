//! The engine over the [tiny_http](https://docs.rs/tiny_http) crate, which accepts and parses; the worker pool handles.
//!
//! **For development and trusted networks.** tiny_http 0.12 is no longer maintained. Closed from outside are: the body
//! limit (before anything is allocated), bodies that handlers leave unread, ambiguous framing (`Content-Length` that is
//! not a number, or beside a `Transfer-Encoding`), line breaks in header values, responses that break off, events held
//! back until there are 8 KiB, an accept loop that dies at its first error, clients that do not take their response,
//! and the lack of a bound on handlers and of an orderly shutdown. What cannot be closed from outside:
//!
//! - **No bound on a request's head** while it comes in, nor on how many there are, nor on the line that says a chunk's
//!   length: one client can fill the memory. (A head that has come in whole is refused if it is over the limits.)
//! - So these [`Limits`] do nothing here: `body_ahead`, `connections`, `head_timeout`, `body_timeout`, `keep_alive`,
//!   `min_rate`, `drain_grace` and `slow_handler`. `head`, `headers` and `target` are looked at when all of it is there.
//! - **No timeouts on reading**: a client that sends its head byte by byte, or nothing, keeps a thread and two
//!   descriptors for as long as it likes; one that sends its body so keeps a worker, if the handler reads it. If it does not,
//!   one of eight threads waits for the body: eight such clients, and the next request of every other one that had a body
//!   left unread waits as well.
//! - **One connection can take all workers**: requests sent ahead are handed out all at once, and each waits in a worker
//!   for the answer before its own. A slow first one, or a client that reads slowly, holds the pool up until then.
//! - **A request for HTTP/2.0 or 3.0** (`PRI * HTTP/2.0` too, with which clients try for HTTP/2) **costs a thread and two
//!   descriptors for ever**, though its client be gone: tiny_http waits there for itself. A few hundred use up the usual
//!   number of descriptors, and with it the server.
//! - **A thread for each connection, without bound**, beside those of the pool; they outlive a shutdown until their
//!   clients close. (Connections that it forgets in a burst are found again, mostly within a fraction of a second.)
//! - **No connection is ever closed by the server**: `Connection: close` is sent, and it is the client that does it.
//!   Where going on would not be safe (a body far over the limit, a malformed head), connection and thread are *leaked on
//!   purpose*, counted in [`ServerStats::leaked_readers`] and warned of. A response that breaks off cannot be told by a
//!   closed connection: in chunks a malformed one tells it, with a `Content-Length` the client waits for the rest.
//! - **Any `Transfer-Encoding` is decoded as chunked**, before we see that it is another one; a chunk's length may have
//!   a sign and blanks; chunks cut short by a closed connection look like the end of the body; trailers are an error.
//!   Non-ASCII bytes in a head end the connection without an answer; a line does not end at a bare line feed, so a
//!   client that sends no others waits for ever. **A folded header line is taken for a header of its own**, and what
//!   follows the version in a request line is not looked at: do not put it behind a proxy that passes these on.
//! - **A request hidden behind a malformed one** is parsed by tiny_http at once. Those without a body, or with a short
//!   one, wait for the answer before theirs, and are refused then; but one with a body of more than 1 KiB, in chunks or
//!   with `Expect`, that another worker takes in the very same moment is handled.
//! - **A malformed request can abort the process**: a panic inside tiny_http while another one unwinds. A lack of
//!   descriptors or of threads in the wrong moment panics its accept thread, and nobody learns of that.
//! - **On a Unix socket** (which it serves on Linux only) clients have no address, so that its connections cannot be told
//!   apart: what follows a malformed request is handled, another response may follow one that broke off, and
//!   [`Limits::write_timeout`] does not hold. A proxy that sends no requests ahead and heeds `Connection: close` is safe.
//! - **A listener that others have too**, as systemd has one that it passed, ends for them as well at a shutdown: there
//!   is no other way to stop tiny_http from accepting. Its socket unit must be started again.
//! - A response to an unread body is preceded by `100 Continue`, which is what it takes to keep tiny_http from
//!   reading the body first.

mod aside;
mod front;
mod handle;
mod head;
mod lease;
mod nudge;
mod reserve;
mod ruined;
mod send;
mod visit;

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Engine, Limits, Listener, Running, ServerStats, Setup, ShutdownReport};
use crate::pool::{Plainly, Pool, Watch, Worker};
use crate::service::Service;
use aside::Aside;
use front::Front;
use reserve::Marker;
use ruined::Ruined;
use send::Scratch;

/// The engine over tiny_http: [`EngineKind::TinyHttp`](super::EngineKind::TinyHttp).
#[derive(Debug, Clone, Copy, Default)]
pub struct TinyHttp;

/// What all threads of the engine share.
struct State {
    service: Arc<dyn Service>,
    limits: Limits,
    front: Front,
    ruined: Ruined,
    /// Throws away what handlers did not read.
    drains: Aside,
    /// Answers requests that no worker came for.
    refusals: Aside,
    /// Taken by others than the workers.
    taken_aside: AtomicU64,
    panics: AtomicU64,
    leaked: AtomicU64,
    refused: AtomicU64,
    marker: Marker,
}

struct Server {
    state: Arc<State>,
    pool: Pool,
    /// The reserve, and what looks after retired servers.
    others: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Engine for TinyHttp {
    fn start(&self, listener: Listener, service: Arc<dyn Service>, setup: &Setup) -> io::Result<Box<dyn Running>> {
        #[cfg(feature = "tls")]
        if setup.tls.is_some() {
            let what = "the tiny_http engine does not speak TLS: choose the native engine (`--engine native`, or \
                        `EngineKind::Native`), or serve plain HTTP behind a proxy that does";
            return Err(io::Error::new(io::ErrorKind::Unsupported, what));
        }
        let addr = listener.addr();
        let state = Arc::new(State {
            service,
            limits: setup.limits.clone(),
            front: Front::open(listener, setup.limits.write_timeout)?,
            ruined: Ruined::default(),
            drains: Aside::new("dewar-drain", 8, 256),
            refusals: Aside::new("dewar-refuse", 4, 1024),
            taken_aside: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            leaked: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            marker: Marker::default(),
        });
        let others = Arc::new(Mutex::new(Vec::new()));
        let (shared, threads) = (Arc::clone(&state), Arc::clone(&others));
        let source = Arc::new(Plainly(move |worker: &Worker<'_>| source(&shared, worker, &threads)));
        let pool = Pool::start(setup.workers, setup.limits.max_workers, source)?;
        let (shared, watch) = (Arc::clone(&state), pool.watch());
        let reserve = thread::Builder::new().name("dewar-reserve".into()).spawn(move || reserve::run(&shared, &watch));
        match reserve {
            Ok(thread) => lock(&others).push(thread),
            Err(error) => log::error!("requests may wait without bound, the reserve could not be started: {error}"),
        }
        let watch = pool.watch();
        let nudge = thread::Builder::new().name("dewar-nudge".into()).spawn(move || nudge::run(addr, &watch));
        match nudge {
            Ok(thread) => lock(&others).push(thread),
            Err(error) => log::error!("connections may be forgotten in a burst, no thread to be had: {error}"),
        }
        Ok(Box::new(Server { state, pool, others }))
    }
}

/// What each worker does: takes requests from tiny_http and handles them.
fn source(state: &Arc<State>, worker: &Worker<'_>, threads: &Arc<Mutex<Vec<JoinHandle<()>>>>) {
    let mut scratch = Scratch::default();
    while let Some(server) = state.front.server() {
        loop {
            let request = match worker.patience() {
                None => server.recv().map(Some),
                Some(patience) => server.recv_timeout(patience),
            };
            match request {
                Ok(Some(request)) => {
                    let job = worker.job();
                    state.handle(request, &mut scratch, worker.closing());
                    drop(job);
                    if worker.is_surplus() {
                        return;
                    }
                }
                // Woken, either to end or because a marker of the reserve was next in the queue, or out of patience.
                Ok(None) => {
                    if worker.closing() || worker.is_surplus() {
                        return;
                    }
                    reserve::passed(state);
                }
                Err(error) if error.raw_os_error().is_none() => {
                    if worker.closing() {
                        return;
                    }
                    reserve::passed(state);
                    break; // the server may have been replaced
                }
                Err(error) => {
                    if worker.closing() {
                        continue; // hung up on purpose; our own wake-up comes behind what still waits
                    }
                    log::error!("accepting connections failed, starting it again: {error}");
                    if state.front.replace(&server, || worker.closing()) {
                        look_after_retired(state, worker.watch(), threads);
                    }
                    // Those who wait at the old one have to come over.
                    for _ in 0..state.limits.max_workers {
                        server.unblock();
                    }
                    break;
                }
            }
        }
    }
}

/// Clients of a server that was replaced are told with their next response to come again. One thread for all of them,
/// since that does not last.
fn look_after_retired(state: &Arc<State>, watch: Watch, threads: &Mutex<Vec<JoinHandle<()>>>) {
    let state = Arc::clone(state);
    let run = move || {
        let mut scratch = Scratch::default();
        while !watch.closing() {
            match state.front.next_retired() {
                Ok(Some(request)) => {
                    state.taken_aside.fetch_add(1, Ordering::Relaxed);
                    state.handle(request, &mut scratch, true);
                }
                Ok(None) => {}
                Err(()) => return,
            }
        }
    };
    match thread::Builder::new().name("dewar-retired".into()).spawn(run) {
        Ok(thread) => lock(threads).push(thread),
        Err(error) => log::error!("clients connected before are not answered any more: {error}"),
    }
}

impl Running for Server {
    fn stats(&self) -> ServerStats {
        let pool = self.pool.stats();
        ServerStats {
            requests: pool.jobs + self.state.taken_aside.load(Ordering::Relaxed),
            panics: pool.panics + self.state.panics.load(Ordering::Relaxed),
            leaked_readers: self.state.leaked.load(Ordering::Relaxed),
            refused_503: self.state.refused.load(Ordering::Relaxed),
            pool,
            ..ServerStats::default()
        }
    }

    fn stop(&self, grace: Duration) -> ShutdownReport {
        let deadline = Instant::now() + grace;
        let in_flight = self.pool.stats().busy;
        self.pool.close();
        self.state.front.stop_accepting();
        if let Some(server) = self.state.front.server() {
            // Behind the requests that wait already, which are answered first.
            for _ in 0..self.pool.stats().workers {
                server.unblock();
            }
        }
        let cut = self.pool.join(deadline);
        if cut > 0 {
            log::warn!("{cut} requests were still in their handlers when the time for the shutdown was over");
        }
        // These wait for clients, and what they wait for is wanted by nobody.
        let soon = deadline.min(Instant::now() + Duration::from_millis(500));
        self.state.drains.close(soon);
        self.state.refusals.close(soon);
        for thread in std::mem::take(&mut *lock(&self.others)) {
            // They look at the pool's closing every few milliseconds; but one may be in a handler.
            while !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
        self.state.front.close();
        ShutdownReport { finished: in_flight.saturating_sub(cut), cut }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TinyHttp").field("pool", &self.pool).finish_non_exhaustive()
    }
}
