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
//! # #[cfg(any(unix, feature = "tiny_http"))] {
//! let handle = Server::bind("127.0.0.1:0")?.max_workers(64).start(Arc::new(hello))?;
//! println!("listening on http://{}", handle.addr());
//!
//! let report = handle.shutdown(Duration::from_secs(5));
//! assert_eq!(report.cut, 0);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod engine;
mod limits;
mod listen;
#[cfg(unix)]
pub mod native;
#[cfg(unix)]
mod signals;
#[cfg(feature = "tiny_http")]
pub mod tiny_http;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
#[cfg(unix)]
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::service::Service;

pub use crate::body::{Closers, Plain};
pub use crate::pool::PoolStats;
pub(crate) use access::Moment;
pub use access::{AccessLog, Template, UnknownFormat, set_access_log};
pub use engine::{Engine, EngineKind, Running, ServerStats, Setup, ShutdownReport, UnknownEngine};
pub use limits::Limits;
pub use listen::{Addr, BindError, BindOptions, Listener};
#[cfg(feature = "tls")]
pub use tls::{TlsConfig, TlsError};

/// A server that is being set up: bound to its port or socket already, not yet answering.
#[must_use = "a server does nothing until `start` or `serve`"]
pub struct Server {
    listener: Listener,
    addr: Addr,
    file: Unstarted,
    engine: Box<dyn Engine>,
    setup: Setup,
    on_ready: Option<OnReady>,
}

type OnReady = Box<dyn FnOnce(&Addr)>;

impl Server {
    /// Binds the port. Port 0 takes a free one: see [`Server::addr`].
    ///
    /// # Errors
    /// When the port is in use or not allowed; the message says what to do about it.
    pub fn bind(addr: impl ToSocketAddrs + fmt::Display) -> Result<Server, BindError> {
        Server::bind_with(addr, &BindOptions::default())
    }

    /// Binds the port, as [`BindOptions`] say: shared with other servers, or for IPv6 only.
    ///
    /// # Errors
    /// As [`bind`](Server::bind), and when the system has no such option.
    pub fn bind_with(addr: impl ToSocketAddrs + fmt::Display, options: &BindOptions) -> Result<Server, BindError> {
        listen::bind(addr, options).map(Server::from_listener)
    }

    /// Binds a Unix domain socket at this path, for a proxy on the same machine. A socket file that nobody listens on any
    /// more is removed first; the file is removed again at a shutdown, unless it is another one by then.
    ///
    /// Who may connect is decided by the rights of its folder and, on most systems, of the file, which the process's
    /// umask gives it.
    ///
    /// # Errors
    /// When somebody listens there, or there is a file of another kind; when the folder does not exist or cannot be
    /// written to; when the path is too long. The message says what to do about it.
    #[cfg(unix)]
    pub fn bind_unix(path: impl AsRef<Path>) -> Result<Server, BindError> {
        let (listener, file) = listen::bind_unix(path.as_ref())?;
        let mut server = Server::from_listener(listener);
        server.file = Unstarted(Some(file));
        Ok(server)
    }

    /// Serves on a listener that is bound already. The file of a Unix socket stays when the server ends.
    pub fn from_listener(listener: impl Into<Listener>) -> Server {
        let listener = listener.into();
        let addr = listener.addr();
        // At least two, so that one that waits does not stop everything until the pool has noticed.
        let cores = std::thread::available_parallelism().map_or(2, |n| n.get().max(2));
        let setup = Setup {
            workers: cores,
            limits: Limits::default(),
            #[cfg(feature = "tls")]
            tls: None,
        };
        let engine = Box::new(EngineKind::default());
        Server { listener, addr, file: Unstarted::default(), engine, setup, on_ready: None }
    }

    /// Serves on the listener that systemd's socket activation, or who speaks like it, has passed to this process:
    /// `None` when there is none. It may be a TCP or a Unix socket; of several the first one is taken, with a warning in
    /// the log.
    ///
    /// That is told by the variables `LISTEN_FDS` and `LISTEN_PID`, which are removed from the environment: there is
    /// something to be had only once, and programs started by this one do not take it for theirs. So call it before there
    /// are threads that may read the environment. Elsewhere than on Unix there is never one.
    ///
    /// # Errors
    /// When what was passed is no TCP and no Unix stream socket.
    pub fn inherited() -> io::Result<Option<Server>> {
        Ok(listen::inherited()?.map(Server::from_listener))
    }

    /// The socket alone; the file of a Unix socket goes when what is given beside it is dropped.
    #[cfg(unix)]
    pub(crate) fn into_listener(self) -> (Listener, impl Drop) {
        (self.listener, self.file)
    }

    /// The IP address and port that it is bound to; `0.0.0.0:0` for a Unix socket, of which
    /// [`local_addr`](Server::local_addr) knows more.
    pub fn addr(&self) -> SocketAddr {
        self.addr.tcp_or_nowhere()
    }

    /// What it is bound to.
    pub fn local_addr(&self) -> &Addr {
        &self.addr
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

    /// Speaks HTTPS, with this certificate, and nothing else: plain HTTP is answered with 400. Only the
    /// [native](EngineKind::Native) engine does; [`start`](Server::start) fails with others.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: TlsConfig) -> Server {
        self.setup.tls = Some(tls);
        self
    }

    /// Runs `job` with what it is bound to once requests are answered.
    pub fn on_ready(mut self, job: impl FnOnce(&Addr) + 'static) -> Server {
        self.on_ready = Some(Box::new(job));
        self
    }

    /// Serves in the background.
    ///
    /// # Errors
    /// When the engine is not in this build or cannot serve on this kind of socket, or the system has no threads or
    /// descriptors left.
    pub fn start(self, service: Arc<dyn Service>) -> io::Result<ServerHandle> {
        let Server { listener, addr, file, engine, setup, on_ready } = self;
        let running = engine.start(listener, service, &setup)?;
        if let Some(job) = on_ready {
            job(&addr);
        }
        let life = Life { phase: Mutex::new(Phase::Running), changed: Condvar::new() };
        Ok(ServerHandle { addr, file: file.started(), grace: setup.limits.shutdown_deadline, running, life })
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

/// What a shutdown has to remove.
#[cfg(unix)]
type File = listen::SocketFile;
#[cfg(not(unix))]
type File = std::convert::Infallible;

/// The file of a socket whose server has not started: when that comes to nothing, it goes.
#[derive(Default)]
struct Unstarted(Option<File>);

impl Unstarted {
    fn started(mut self) -> Option<File> {
        self.0.take()
    }
}

impl Drop for Unstarted {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(file: &Option<File>) {
    #[cfg(unix)]
    if let Some(file) = file {
        file.remove();
    }
    #[cfg(not(unix))]
    let _ = file;
}

/// A running server. Dropping the handle leaves it running for as long as the process.
pub struct ServerHandle {
    addr: Addr,
    file: Option<File>,
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
    /// The IP address and port that it listens on; `0.0.0.0:0` for a Unix socket, of which
    /// [`local_addr`](ServerHandle::local_addr) knows more.
    pub fn addr(&self) -> SocketAddr {
        self.addr.tcp_or_nowhere()
    }

    /// What it listens on.
    pub fn local_addr(&self) -> &Addr {
        &self.addr
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
        remove(&self.file);
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
