//! What turns a listener and a service into a running server.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::{Limits, Listener};
use crate::pool::PoolStats;
use crate::service::Service;

/// Turns a listener and a [`Service`] into a running server: accepts, parses, calls the service, sends.
///
/// [`EngineKind`] names those that come with the crate.
pub trait Engine: fmt::Debug + Send + Sync {
    /// Starts serving in the background.
    ///
    /// # Errors
    /// When the engine does not serve on this kind of listener, or not on this one, or threads cannot be started.
    fn start(&self, listener: Listener, service: Arc<dyn Service>, setup: &Setup) -> io::Result<Box<dyn Running>>;
}

/// What an [`Engine`] is told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Setup {
    /// Workers to have at least.
    pub workers: usize,
    /// All other bounds.
    pub limits: Limits,
    /// HTTPS is to be spoken, with this: an engine that cannot must not start.
    #[cfg(feature = "tls")]
    pub tls: Option<super::TlsConfig>,
}

/// A server that an [`Engine`] runs.
pub trait Running: fmt::Debug + Send + Sync {
    /// What it is doing.
    fn stats(&self) -> ServerStats;

    /// Stops accepting, lets what is in flight finish for at most `grace`, and ends. Called once.
    fn stop(&self, grace: Duration) -> ShutdownReport;
}

/// The engines that come with the crate, by the names that `--engine` takes.
///
/// ```
/// use dewar::server::EngineKind;
///
/// assert_eq!(EngineKind::default().to_string(), if cfg!(unix) { "native" } else { "tiny_http" });
/// # #[cfg(feature = "tiny_http")]
/// assert_eq!("tiny_http".parse::<EngineKind>()?, EngineKind::TinyHttp);
/// assert!("apache".parse::<EngineKind>().unwrap_err().to_string().contains("no engine"));
/// # Ok::<(), dewar::server::UnknownEngine>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum EngineKind {
    /// Our own, for all purposes: see [`native`](super::native). On Unix; the default there.
    #[cfg(unix)]
    #[default]
    Native,
    /// [`tiny_http`](super::tiny_http) accepts and parses, the worker pool handles.
    #[cfg_attr(not(unix), default)]
    TinyHttp,
}

impl EngineKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(unix)]
            EngineKind::Native => "native",
            EngineKind::TinyHttp => "tiny_http",
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EngineKind {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<EngineKind, UnknownEngine> {
        match name {
            #[cfg(unix)]
            "native" => Ok(EngineKind::Native),
            "tiny_http" if cfg!(feature = "tiny_http") => Ok(EngineKind::TinyHttp),
            _ => Err(UnknownEngine { name: name.to_owned() }),
        }
    }
}

impl Engine for EngineKind {
    fn start(&self, listener: Listener, service: Arc<dyn Service>, setup: &Setup) -> io::Result<Box<dyn Running>> {
        match self {
            #[cfg(unix)]
            EngineKind::Native => super::native::Native.start(listener, service, setup),
            #[cfg(feature = "tiny_http")]
            EngineKind::TinyHttp => super::tiny_http::TinyHttp.start(listener, service, setup),
            #[cfg(not(feature = "tiny_http"))]
            EngineKind::TinyHttp => {
                let _ = (listener, service, setup);
                Err(io::Error::new(io::ErrorKind::Unsupported, UnknownEngine { name: self.name().to_owned() }))
            }
        }
    }
}

/// There is no engine of this name in this build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownEngine {
    name: String,
}

impl fmt::Display for UnknownEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match name.as_str() {
            "native" => write!(f, "the native engine is not in this build of dewar")?,
            "tiny_http" => {
                write!(f, "the tiny_http engine is not in this build of dewar: enable its feature tiny_http")?
            }
            _ => write!(f, "there is no engine {name:?}")?,
        }
        match (cfg!(unix), cfg!(feature = "tiny_http")) {
            (true, true) => write!(f, "; there are native and tiny_http")?,
            (true, false) => write!(f, "; there is native")?,
            (false, true) => write!(f, "; there is tiny_http")?,
            (false, false) => {}
        }
        Ok(())
    }
}

impl std::error::Error for UnknownEngine {}

/// What a server is doing and has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerStats {
    /// Requests taken, those that were refused without asking the service among them.
    pub requests: u64,
    /// Panics caught, in handlers or while their responses were sent.
    pub panics: u64,
    /// Connections given up on purpose, with the thread and the socket that the engine had for them, because going on
    /// with them was not safe.
    pub leaked_readers: u64,
    /// Connections that are open.
    pub connections: usize,
    /// Connections accepted.
    pub accepted: u64,
    /// Requests that wait for a worker at this moment.
    pub waiting: usize,
    /// Clients that were given up because they were too slow.
    pub timeouts: u64,
    /// Requests answered with 503 because no worker was free for too long.
    pub refused_503: u64,
    /// The workers.
    pub pool: PoolStats,
}

/// How a shutdown went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Requests that were in a handler when it began and were finished.
    pub finished: usize,
    /// Requests whose handlers had not ended when the grace was over.
    pub cut: usize,
}
