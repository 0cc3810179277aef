//! Serving a [`Service`] on a socket: [`Server`], the [`Engine`]s that do it, their [`Limits`], and how it ends.
//!
//! An app does this by itself (`app.run()`). Here is what it is made of, for services that are no app:
//!
//! ```
//! use dewar::{Request, Response, server::Server};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! let hello = |request: Request| Response::text(format!("you asked for {}", request.path()));
//! # #[cfg(feature = "tiny_http")] {
//! let handle = Server::bind("127.0.0.1:0")?.max_workers(64).start(Arc::new(hello))?;
//! println!("listening on http://{}", handle.addr());
//!
//! let report = handle.shutdown(Duration::from_secs(5));
//! assert_eq!(report.cut, 0);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod engine;
mod limits;
mod listen;
#[cfg(unix)]
mod signals;
#[cfg(feature = "tiny_http")]
pub mod tiny_http;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::service::Service;

pub use crate::body::{Closers, Plain};
pub use crate::pool::PoolStats;
pub use engine::{Engine, EngineKind, Running, ServerStats, Setup, ShutdownReport, UnknownEngine};
pub use limits::Limits;
pub use listen::BindError;

/// A server that is being set up: bound to its port already, not yet answering.
#[must_use = "a server does nothing until `start` or `serve`"]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    engine: Box<dyn Engine>,
    setup: Setup,
    on_ready: Option<Box<dyn FnOnce(SocketAddr)>>,
}

impl Server {
    /// Binds the port. Port 0 takes a free one: see [`Server::addr`].
    ///
    /// # Errors
    /// When the port is in use or not allowed; the message says what to do about it.
    pub fn bind(addr: impl ToSocketAddrs + fmt::Display) -> Result<Server, BindError> {
        listen::bind(addr).map(Server::from_listener)
    }

    /// Serves on a listener that is bound already: by systemd, or by a parent process.
    pub fn from_listener(listener: TcpListener) -> Server {
        // Only a listener of another kind than TCP/IP has no such address.
        let addr = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
        // At least two, so that one that waits does not stop everything until the pool has noticed.
        let cores = std::thread::available_parallelism().map_or(2, |n| n.get().max(2));
        let setup = Setup { workers: cores, limits: Limits::default() };
        Server { listener, addr, engine: Box::new(EngineKind::default()), setup, on_ready: None }
    }

    /// The address that it is bound to.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Which engine serves: an [`EngineKind`], or one of your own.
    pub fn engine(mut self, engine: impl Engine + 'static) -> Server {
        self.engine = Box::new(engine);
        self
    }

    /// How many workers there are at least; as many as processors, unless told otherwise. They are enough while
    /// handlers are quick; when handlers block there are more, up to [`max_workers`](Server::max_workers).
    pub fn workers(mut self, workers: usize) -> Server {
        self.setup.workers = workers.max(1);
        self
    }

    /// How many workers there are at most: [`Limits::max_workers`].
    pub fn max_workers(mut self, workers: usize) -> Server {
        self.setup.limits.max_workers = workers.max(1);
        self
    }

    /// All bounds at once.
    pub fn limits(mut self, limits: Limits) -> Server {
        self.setup.limits = limits;
        self
    }

    /// Runs `job` with the address once requests are answered.
    pub fn on_ready(mut self, job: impl FnOnce(SocketAddr) + 'static) -> Server {
        self.on_ready = Some(Box::new(job));
        self
    }

    /// Serves in the background.
    ///
    /// # Errors
    /// When the engine is not in this build, or the system has no threads or descriptors left.
    pub fn start(self, service: Arc<dyn Service>) -> io::Result<ServerHandle> {
        let Server { listener, addr, engine, setup, on_ready } = self;
        let running = engine.start(listener, service, &setup)?;
        if let Some(job) = on_ready {
            job(addr);
        }
        let life = Life { phase: Mutex::new(Phase::Running), changed: Condvar::new() };
        Ok(ServerHandle { addr, grace: setup.limits.shutdown_deadline, running, life })
    }

    /// Serves until SIGINT (Ctrl-C) or SIGTERM comes: then accepts no more, lets what is in flight finish for at most
    /// [`Limits::shutdown_deadline`], and returns. A second signal ends the process at once, with status 130 or 143.
    ///
    /// # Errors
    /// As [`start`](Server::start), and when signals cannot be listened for.
    pub fn serve(self, service: Arc<dyn Service>) -> io::Result<ShutdownReport> {
        #[cfg(unix)]
        let signal = signals::NextSignal::listen()?;
        let handle = self.start(service)?;
        #[cfg(unix)]
        {
            signal.wait();
            Ok(handle.shutdown(handle.grace))
        }
        // Elsewhere the system ends the process.
        #[cfg(not(unix))]
        Ok(handle.wait())
    }
}

/// A running server. Dropping the handle leaves it running for as long as the process.
pub struct ServerHandle {
    addr: SocketAddr,
    grace: Duration,
    running: Box<dyn Running>,
    life: Life,
}

struct Life {
    phase: Mutex<Phase>,
    changed: Condvar,
}

impl Life {
    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy)]
enum Phase {
    Running,
    Stopping,
    Ended(ShutdownReport),
}

impl ServerHandle {
    /// The address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it is doing.
    pub fn stats(&self) -> ServerStats {
        self.running.stats()
    }

    /// Accepts no more, lets what is in flight finish for at most `grace`, and ends all of its threads but those whose
    /// handlers do not return. When another thread is doing that already, waits for it.
    ///
    /// # Panics
    /// If the engine does; then the server counts as running, and may be shut down again.
    pub fn shutdown(&self, grace: Duration) -> ShutdownReport {
        /// What the server has come to, told also if the engine panics: nobody shall wait for ever.
        struct Outcome<'a>(&'a Life, Phase);
        impl Drop for Outcome<'_> {
            fn drop(&mut self) {
                *self.0.lock() = self.1;
                self.0.changed.notify_all();
            }
        }
        let mut phase = self.life.lock();
        loop {
            match *phase {
                Phase::Running => break,
                Phase::Stopping => phase = self.life.changed.wait(phase).unwrap_or_else(PoisonError::into_inner),
                Phase::Ended(report) => return report,
            }
        }
        *phase = Phase::Stopping;
        drop(phase);
        let mut outcome = Outcome(&self.life, Phase::Running);
        let report = self.running.stop(grace);
        outcome.1 = Phase::Ended(report);
        report
    }

    /// Waits until another thread has shut it down.
    pub fn wait(&self) -> ShutdownReport {
        let mut phase = self.life.lock();
        loop {
            match *phase {
                Phase::Ended(report) => return report,
                _ => phase = self.life.changed.wait(phase).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addr", &self.addr)
            .field("engine", &self.engine)
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle").field("addr", &self.addr).field("running", &self.running).finish_non_exhaustive()
    }
}
