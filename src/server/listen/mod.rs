//! What a server listens on: made here, or come from outside.

mod error;
mod tcp;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
#[cfg(unix)]
use std::path::{Path, PathBuf};

pub use error::BindError;
pub(super) use tcp::bind;
#[cfg(all(unix, feature = "tiny_http"))]
pub(super) use unix::knock;
#[cfg(unix)]
pub(super) use unix::{SocketFile, bind as bind_unix};

/// A socket that accepts connections: what an [`Engine`](super::Engine) gets to serve on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Listener {
    /// TCP, over IPv4 or IPv6.
    Tcp(TcpListener),
    /// A Unix domain socket: connections from this machine only.
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Listener {
    #[cfg(unix)]
    pub(super) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Listener::Tcp(listener) => listener.set_nonblocking(nonblocking),
            Listener::Unix(listener) => listener.set_nonblocking(nonblocking),
        }
    }

    /// The same socket once more, by a descriptor of its own.
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn try_clone(&self) -> io::Result<Listener> {
        match self {
            Listener::Tcp(listener) => listener.try_clone().map(Listener::Tcp),
            #[cfg(unix)]
            Listener::Unix(listener) => listener.try_clone().map(Listener::Unix),
        }
    }

    /// What it is bound to.
    pub fn addr(&self) -> Addr {
        match self {
            // The system knows it of every TCP socket; a mistaken one shall not stop the server.
            Listener::Tcp(listener) => Addr::Tcp(listener.local_addr().unwrap_or_else(|_| nowhere())),
            #[cfg(unix)]
            Listener::Unix(listener) => {
                Addr::Unix(listener.local_addr().map(|addr| path_of(&addr)).unwrap_or_default())
            }
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Listener {
        Listener::Tcp(listener)
    }
}

#[cfg(unix)]
impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Listener {
        Listener::Unix(listener)
    }
}

#[cfg(unix)]
impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Listener::Tcp(listener) => listener.as_fd(),
            Listener::Unix(listener) => listener.as_fd(),
        }
    }
}

/// Where a server listens. It is written as `127.0.0.1:5000`, `[::1]:5000` or `unix:/run/site.sock`.
///
/// ```
/// use dewar::server::Addr;
///
/// assert_eq!(Addr::Tcp(([127, 0, 0, 1], 5000).into()).to_string(), "127.0.0.1:5000");
/// # #[cfg(unix)]
/// assert_eq!(Addr::Unix("/run/site.sock".into()).to_string(), "unix:/run/site.sock");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Addr {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// The path of a socket file, as it was given. On Linux, `@` and a name stand for an abstract socket, which is no file;
    /// one that was bound to nothing at all has the empty path.
    #[cfg(unix)]
    Unix(PathBuf),
}

impl Addr {
    /// The IP address and port; `None` for a Unix socket.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Addr::Tcp(addr) => Some(*addr),
            #[cfg(unix)]
            Addr::Unix(_) => None,
        }
    }

    /// The path of the socket file; `None` for TCP.
    #[cfg(unix)]
    pub fn unix(&self) -> Option<&Path> {
        match self {
            Addr::Tcp(_) => None,
            Addr::Unix(path) => Some(path),
        }
    }

    pub(super) fn tcp_or_nowhere(&self) -> SocketAddr {
        self.tcp().unwrap_or_else(nowhere)
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Addr::Tcp(addr) => addr.fmt(f),
            #[cfg(unix)]
            Addr::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

fn nowhere() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 0))
}

#[cfg(unix)]
fn path_of(addr: &std::os::unix::net::SocketAddr) -> PathBuf {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        #[cfg(target_os = "android")]
        use std::os::android::net::SocketAddrExt;
        #[cfg(target_os = "linux")]
        use std::os::linux::net::SocketAddrExt;
        if let Some(name) = addr.as_abstract_name() {
            return format!("@{}", String::from_utf8_lossy(name)).into();
        }
    }
    addr.as_pathname().map(Path::to_owned).unwrap_or_default()
}

/// How [`Server::bind_with`](super::Server::bind_with) binds a port.
///
/// ```
/// use dewar::server::{BindOptions, Server};
///
/// let server = Server::bind_with("127.0.0.1:0", &BindOptions { backlog: 64, ..BindOptions::default() })?;
/// assert_ne!(server.addr().port(), 0);
/// # Ok::<(), dewar::server::BindError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindOptions {
    /// Whether several servers of one user, in one process or in several, may have the port at the same time, if all of
    /// them say so: `false`. Linux spreads connections over them; elsewhere one of them may get all. It is an error where
    /// the system has no such thing, as on Windows.
    pub reuse_port: bool,
    /// Connections that may wait to be accepted: 4096, or less if the system allows no more (`net.core.somaxconn` on
    /// Linux). Beyond that the system lets clients wait and try again. On Windows it is what std chooses.
    pub backlog: u32,
    /// Whether `[::]` means all networks of IPv6 only, so that another server may have the port on IPv4: `false`, which
    /// leaves it to the system. Linux takes IPv4 too, unless `net.ipv6.bindv6only` is set; OpenBSD and Windows never do.
    pub only_v6: bool,
}

impl Default for BindOptions {
    fn default() -> BindOptions {
        BindOptions { reuse_port: false, backlog: 4096, only_v6: false }
    }
}

/// The first of the listeners that systemd, or who speaks like it, passed to this process.
#[cfg(unix)]
pub(super) fn inherited() -> io::Result<Option<Listener>> {
    let mut passed = listenfd::ListenFd::from_env();
    if passed.len() == 0 {
        return Ok(None);
    }
    // What is no Unix socket stays for the second look, whose error then speaks of both.
    let listener = match passed.take_unix_listener(0) {
        Ok(listener) => listener.map(Listener::Unix),
        Err(_) => passed.take_tcp_listener(0).map_err(not_ours)?.map(Listener::Tcp),
    };
    if passed.len() > 1 {
        log::warn!("LISTEN_FDS passes {} sockets, only the first one is served on", passed.len());
    }
    Ok(listener)
}

#[cfg(unix)]
fn not_ours(error: io::Error) -> io::Error {
    let what = format!("the first socket that LISTEN_FDS passes is neither a TCP nor a Unix stream socket: {error}");
    io::Error::new(error.kind(), what)
}

#[cfg(not(unix))]
pub(super) fn inherited() -> io::Result<Option<Listener>> {
    Ok(None)
}
