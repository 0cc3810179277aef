//! tiny_http's server, and another one in its place when it stops accepting.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::tiny_http as tiny;

/// How long to wait before accepting again after an error, which is mostly a lack of descriptors.
const BREATHER: Duration = Duration::from_millis(50);
/// How long a retired server is looked after when none of its clients sends anything.
const RETIREMENT: Duration = Duration::from_secs(60);

/// The socket, and the tiny_http server that accepts on it at present.
pub(super) struct Front {
    listener: Mutex<Option<TcpListener>>,
    current: Mutex<Option<Arc<tiny::Server>>>,
    /// Servers whose accept loop has died: their clients still send requests.
    retired: Mutex<Vec<(Arc<tiny::Server>, Instant)>>,
    any_retired: AtomicBool,
}

impl Front {
    pub(super) fn open(listener: TcpListener, write_timeout: Duration) -> io::Result<Front> {
        prepare(&listener, write_timeout);
        let front = Front {
            listener: Mutex::new(Some(listener)),
            current: Mutex::default(),
            retired: Mutex::default(),
            any_retired: AtomicBool::new(false),
        };
        *lock(&front.current) = Some(Arc::new(front.accept()?));
        Ok(front)
    }

    fn accept(&self) -> io::Result<tiny::Server> {
        let listener = match &*lock(&self.listener) {
            Some(listener) => listener.try_clone()?,
            None => return Err(io::ErrorKind::NotConnected.into()),
        };
        tiny::Server::from_listener(listener, None).map_err(io::Error::other)
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
                    *current = Some(Arc::new(server));
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

/// tiny_http does not hand out its connections, but those inherit what is set on the listener: on Linux and the BSDs
/// that goes for these two. A listener is a socket like a stream, so std's type for streams sets them.
#[cfg(unix)]
fn prepare(listener: &TcpListener, write_timeout: Duration) {
    let set = || -> io::Result<()> {
        let socket = std::net::TcpStream::from(std::os::fd::OwnedFd::from(listener.try_clone()?));
        socket.set_nodelay(true)?;
        socket.set_write_timeout((!write_timeout.is_zero()).then_some(write_timeout))
    };
    if let Err(error) = set() {
        log::warn!("connections go without TCP_NODELAY and a write timeout: {error}");
    }
}

#[cfg(not(unix))]
fn prepare(_: &TcpListener, _: Duration) {}

/// Wakes the thread that sits in `accept`, and refuses what comes from now on. On Linux that is what `shutdown` does to
/// a listener; elsewhere tiny_http's own way does, when the server is dropped.
fn hang_up(listener: TcpListener) {
    #[cfg(unix)]
    {
        let socket = std::net::TcpStream::from(std::os::fd::OwnedFd::from(listener));
        // Where it cannot be done the system says so, and nothing has happened.
        let _ = socket.shutdown(std::net::Shutdown::Both);
    }
    #[cfg(not(unix))]
    drop(listener);
}
