//! tiny_http's server, and another one in its place when it stops accepting.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::tiny_http as tiny;

use crate::server::Listener;

/// How long to wait before accepting again after an error, which is mostly a lack of descriptors.
const BREATHER: Duration = Duration::from_millis(50);
/// How long a retired server is looked after when none of its clients sends anything.
const RETIREMENT: Duration = Duration::from_secs(60);

/// The socket, and the tiny_http server that accepts on it at present.
pub(super) struct Front {
    listener: Mutex<Option<Listener>>,
    current: Mutex<Option<Arc<tiny::Server>>>,
    /// Servers whose accept loop has died: their clients still send requests.
    retired: Mutex<Vec<(Arc<tiny::Server>, Instant)>>,
    any_retired: AtomicBool,
}

impl Front {
    pub(super) fn open(listener: Listener, write_timeout: Duration) -> io::Result<Front> {
        prepare(&listener, write_timeout)?;
        let front = Front {
            listener: Mutex::new(Some(listener)),
            current: Mutex::default(),
            retired: Mutex::default(),
            any_retired: AtomicBool::new(false),
        };
        *lock(&front.current) = Some(front.accept()?);
        Ok(front)
    }

    fn accept(&self) -> io::Result<Arc<tiny::Server>> {
        let listener = lock(&self.listener);
        let listener = listener.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        match listener {
            Listener::Tcp(tcp) => {
                tiny::Server::from_listener(tcp.try_clone()?, None).map(Arc::new).map_err(io::Error::other)
            }
            #[cfg(unix)]
            Listener::Unix(unix) => {
                let server = tiny::Server::from_listener(unix.try_clone()?, None).map(Arc::new);
                let server = server.map_err(io::Error::other)?;
                // Dropping it would remove the socket's file, though it may be systemd's or another server's by then.
                std::mem::forget(Arc::clone(&server));
                Ok(server)
            }
        }
    }

    /// The server to take requests from; `None` when there will be none any more.
    pub(super) fn server(&self) -> Option<Arc<tiny::Server>> {
        lock(&self.current).clone()
    }

    /// Puts a new server in the place of this one, whose accept loop has died. Returns whether there is something for
    /// [`Front::next_retired`] to look after that was not before. Waits for descriptors if need be; `closing` ends that.
    pub(super) fn replace(&self, dead: &Arc<tiny::Server>, closing: impl Fn() -> bool) -> bool {
        let mut current = lock(&self.current);
        if !current.as_ref().is_some_and(|server| Arc::ptr_eq(server, dead)) {
            return false; // someone else has
        }
        loop {
            std::thread::sleep(BREATHER);
            if closing() {
                return false;
            }
            match self.accept() {
                Ok(server) => {
                    *current = Some(server);
                    break;
                }
                Err(error) => log::error!("cannot accept connections again yet: {error}"),
            }
        }
        drop(current);
        lock(&self.retired).push((Arc::clone(dead), Instant::now()));
        !self.any_retired.swap(true, Ordering::AcqRel)
    }

    /// The next request of a retired server, waiting for at most a moment; `Err` when there are none left.
    pub(super) fn next_retired(&self) -> Result<Option<tiny::Request>, ()> {
        let mut retired = lock(&self.retired);
        for (server, since) in &mut *retired {
            if let Ok(Some(request)) = server.try_recv() {
                *since = Instant::now();
                return Ok(Some(request));
            }
        }
        retired.retain(|(_, since)| since.elapsed() < RETIREMENT);
        if retired.is_empty() {
            self.any_retired.store(false, Ordering::Release);
            return Err(());
        }
        drop(retired);
        std::thread::sleep(Duration::from_millis(5));
        Ok(None)
    }

    /// Stops accepting. Requests of connections that there are still come.
    pub(super) fn stop_accepting(&self) {
        if let Some(listener) = lock(&self.listener).take() {
            hang_up(listener);
        }
    }

    /// Forgets the servers, which ends their accept loops for good.
    pub(super) fn close(&self) {
        self.stop_accepting();
        drop(lock(&self.current).take());
        lock(&self.retired).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// tiny_http does not hand out its connections, but those of TCP inherit what is set on the listener: on Linux and the
/// BSDs that goes for these two. A listener is a socket like a stream, so std's type for streams sets them.
#[cfg(unix)]
fn prepare(listener: &Listener, write_timeout: Duration) -> io::Result<()> {
    let tcp = match listener {
        Listener::Tcp(tcp) => tcp,
        // Elsewhere nothing but dropping its server ends tiny_http's accept thread, and that removes the file.
        Listener::Unix(_) if cfg!(not(any(target_os = "linux", target_os = "android"))) => {
            let what = "the tiny_http engine serves on Unix sockets on Linux only: use the native engine";
            return Err(io::Error::new(io::ErrorKind::Unsupported, what));
        }
        // It comes from outside, perhaps.
        Listener::Unix(unix) => return unix.set_nonblocking(false),
    };
    tcp.set_nonblocking(false)?;
    let set = || -> io::Result<()> {
        let socket = std::net::TcpStream::from(std::os::fd::OwnedFd::from(tcp.try_clone()?));
        socket.set_nodelay(true)?;
        socket.set_write_timeout((!write_timeout.is_zero()).then_some(write_timeout))
    };
    if let Err(error) = set() {
        log::warn!("connections go without TCP_NODELAY and a write timeout: {error}");
    }
    Ok(())
}

#[cfg(not(unix))]
fn prepare(listener: &Listener, _: Duration) -> io::Result<()> {
    let Listener::Tcp(tcp) = listener;
    tcp.set_nonblocking(false)
}

/// Wakes the thread that sits in `accept`, and refuses what comes from now on. On Linux that is what `shutdown` does to
/// a listener; elsewhere tiny_http's own way does, when the server is dropped.
fn hang_up(listener: Listener) {
    #[cfg(unix)]
    {
        let socket = match listener {
            Listener::Tcp(tcp) => std::os::fd::OwnedFd::from(tcp),
            Listener::Unix(unix) => unix.into(),
        };
        // Where it cannot be done the system says so, and nothing has happened.
        let _ = std::net::TcpStream::from(socket).shutdown(std::net::Shutdown::Both);
    }
    #[cfg(not(unix))]
    drop(listener);
}
