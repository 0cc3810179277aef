//! A connection that a response takes over: for WebSocket and other protocols that begin as HTTP (RFC 9110 section 7.8).

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a connection becomes when a response [takes it over](crate::Response::switching_protocols): bytes in both
/// directions, with what the client has sent already first.
///
/// Reading and writing block; dropping it closes the connection.
pub struct Upgraded(Box<dyn Duplex>);

/// A connection as engines hand it out.
pub(crate) trait Duplex: Read + Write + Send {
    /// How long a read may wait.
    fn set_read_timeout(&mut self, timeout: Option<Duration>);
    /// Ends both directions.
    fn shutdown(&mut self);
}

impl Upgraded {
    pub(crate) fn new(connection: impl Duplex + 'static) -> Upgraded {
        Upgraded(Box::new(connection))
    }

    /// How long a read may wait before it fails with [`TimedOut`](io::ErrorKind::TimedOut); for ever unless set.
    pub fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.0.set_read_timeout(timeout);
    }

    /// Ends both directions at once.
    pub fn shutdown(&mut self) {
        self.0.shutdown();
    }
}

impl Read for Upgraded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Write for Upgraded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgraded")
    }
}

type Job = Box<dyn FnOnce(Upgraded) + Send>;

/// What a response wants done with its connection. It rides in the response's extensions, which can be cloned; whoever
/// takes the job first has it.
#[derive(Clone)]
pub(crate) struct OnUpgrade(Arc<Mutex<Option<Job>>>);

impl OnUpgrade {
    pub(crate) fn new(job: impl FnOnce(Upgraded) + Send + 'static) -> OnUpgrade {
        OnUpgrade(Arc::new(Mutex::new(Some(Box::new(job)))))
    }

    pub(crate) fn take(&self) -> Option<Job> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
