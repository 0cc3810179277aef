//! The lease on a connection that a request's body is.

use std::io::{self, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use ::tiny_http as tiny;

use crate::body::Body;
use crate::response::Response;

/// How long the end of a lease waits for another thread that is reading from it at that moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// A request whose body is still on the socket. The engine holds it, and so does the body that the handler got,
/// wherever that has gone; once the response is written, it is empty for both.
pub(super) struct Lease {
    void: AtomicBool,
    held: Mutex<Held>,
}

struct Held {
    request: Option<tiny::Request>,
    rest: Rest,
}

/// What is left of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing: the connection is in step.
    Nothing,
    /// So many bytes.
    Sized(u64),
    /// Some chunks.
    Chunks,
    /// Reading failed, so nobody knows where the next request begins.
    Unknown,
}

impl Lease {
    pub(super) fn new(request: tiny::Request, rest: Rest) -> Arc<Lease> {
        Arc::new(Lease { void: AtomicBool::new(false), held: Mutex::new(Held { request: Some(request), rest }) })
    }

    /// The body for the handler, of at most `limit` bytes.
    pub(super) fn body(self: &Arc<Self>, limit: u64) -> Body {
        let reader = LeaseReader(Arc::clone(self));
        match self.hold().rest {
            Rest::Sized(length) => Body::sized_reader(reader, length),
            _ => Body::reader(reader).limited(limit),
        }
    }

    fn hold(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a while for another thread that is reading from it; `None` when that does not come back.
    fn hold_soon(&self) -> Option<MutexGuard<'_, Held>> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.held.try_lock() {
                Ok(held) => return Some(held),
                Err(TryLockError::Poisoned(held)) => return Some(held.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() > until => return None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Whether the body that the handler got still exists somewhere.
    fn is_shared(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1
    }

    /// Ends the lease: from now on reading the body is an error. `None` when another thread is in the middle of
    /// reading and does not come back; the connection is its to end then.
    pub(super) fn revoke(&self) -> Option<(tiny::Request, Rest)> {
        self.void.store(true, Ordering::Release);
        let mut held = self.hold_soon()?;
        let rest = held.rest;
        held.request.take().map(|request| (request, rest))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.rest != Rest::Nothing
            && let Some(request) = self.request.take()
        {
            // Dropping it would misread what is left of the body as the next request.
            std::mem::forget(request);
        }
    }
}

struct LeaseReader(Arc<Lease>);

impl Read for LeaseReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ended = || io::Error::new(ErrorKind::BrokenPipe, "the request whose body this is has ended");
        // Looked at before as well, so that a reader in a loop cannot keep the engine from the lock.
        if self.0.void.load(Ordering::Acquire) {
            return Err(ended());
        }
        let mut held = self.0.hold();
        let Held { request, rest } = &mut *held;
        let Some(request) = request.as_mut().filter(|_| !self.0.void.load(Ordering::Acquire)) else {
            return Err(ended());
        };
        let want = match *rest {
            Rest::Nothing => return Ok(0),
            Rest::Unknown => return Err(io::Error::new(ErrorKind::InvalidData, "the body could not be read before")),
            Rest::Sized(left) => out.len().min(usize::try_from(left).unwrap_or(usize::MAX)),
            Rest::Chunks => out.len(),
        };
        // Until it is known better: reading may panic.
        let before = std::mem::replace(rest, Rest::Unknown);
        match request.as_reader().read(&mut out[..want]) {
            // The client has gone away, or the last chunk has come.
            Ok(0) => {
                *rest = Rest::Nothing;
                Ok(0)
            }
            Ok(got) => {
                *rest = match before {
                    Rest::Sized(left) if left <= got as u64 => Rest::Nothing,
                    Rest::Sized(left) => Rest::Sized(left - got as u64),
                    other => other,
                };
                Ok(got)
            }
            Err(error) => Err(error),
        }
    }
}

/// Makes of a response one that can be sent after the lease has ended: where its body may be reading the request's,
/// it is read into memory until that is at its end. At most `limit` bytes.
pub(super) fn detach(lease: &Arc<Lease>, response: &mut Response, limit: u64) -> io::Result<()> {
    if !response.body().is_stream() || !lease.is_shared() {
        return Ok(());
    }
    let mut body = std::mem::take(response.body_mut());
    let mut ahead = Vec::new();
    let mut ended = false;
    while !ended {
        // Where another thread sits in a read there is nothing to be waited for here; the end of the lease tells of it.
        match lease.hold_soon().map(|held| held.rest) {
            None | Some(Rest::Nothing) => break,
            Some(_) => {}
        }
        match body.next_block()? {
            Some(block) => ahead.extend_from_slice(&block),
            None => ended = true,
        }
        if ahead.len() as u64 > limit {
            let what =
                format!("the response reads the request's body and comes to more than {limit} bytes before its end");
            return Err(io::Error::other(what));
        }
    }
    let length = if ended { Some(0) } else { body.len() }.map(|rest| rest + ahead.len() as u64);
    // The body is kept to its end in any case: with it go the jobs that run on close.
    let reader = io::Cursor::new(ahead).chain(body);
    response.set_body(match length {
        Some(length) => Body::sized_reader(reader, length),
        None => Body::reader(reader),
    });
    Ok(())
}
