//! The lease on its connection that a request's body is.

use std::io::{self, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http::HeaderMap;

use super::conn::Input;
use super::stream::{Stream, Wait};
use crate::body::{Body, BodyStopped};
use crate::proto::BodyDecoder;
use crate::server::Limits;

/// How long the end of a lease waits for another thread that is reading from it at that moment.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes that are read at once where they have to be decoded.
const STEP: usize = 16 * 1024;
/// For so long nothing is said about a slow client.
const GRACE: Duration = Duration::from_secs(10);

/// The reading side of a connection. The engine holds it, and so does the body that the handler got, wherever that has
/// gone; once the response is written it is void.
pub(super) struct Lease {
    void: AtomicBool,
    /// The response has begun: an interim one would come in its middle.
    pub(super) answering: AtomicBool,
    held: Mutex<Option<Reading>>,
    trailers: Arc<OnceLock<HeaderMap>>,
    waiting: Arc<Waiting>,
}

/// What is left of the body, and where it comes from.
pub(super) struct Reading {
    pub(super) stream: Arc<Stream>,
    /// What was decoded before the lease began.
    pub(super) prefix: Bytes,
    pub(super) input: Input,
    pub(super) decoder: BodyDecoder,
    /// The client waits to be told to go on.
    pub(super) expects: bool,
    /// The connection cannot be used any more: it broke, or what came was malformed.
    pub(super) broken: bool,
    /// How long the client was waited for, and what came.
    waited: Duration,
    came: u64,
}

/// How many workers wait for clients; at most half of them may.
pub(super) struct Waiting {
    now: AtomicUsize,
    /// Clients that were too slow.
    pub(super) given_up: AtomicU64,
    most: usize,
    body_timeout: Duration,
    pub(super) write_timeout: Duration,
    min_rate: u64,
}

impl Waiting {
    pub(super) fn new(limits: &Limits) -> Arc<Waiting> {
        Arc::new(Waiting {
            now: AtomicUsize::new(0),
            given_up: AtomicU64::new(0),
            most: (limits.max_workers / 2).max(1),
            body_timeout: limits.body_timeout,
            write_timeout: limits.write_timeout,
            min_rate: limits.min_rate,
        })
    }

    /// Waits for a client in a worker, which adds to `waited`.
    pub(super) fn wait(&self, stream: &Stream, wait: Wait, waited: &mut Duration, came: u64) -> io::Result<()> {
        struct Leave<'a>(&'a AtomicUsize);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let before = self.now.fetch_add(1, Ordering::Relaxed);
        let _leave = Leave(&self.now);
        if before >= self.most {
            return Err(io::Error::other(BodyStopped::Overloaded));
        }
        let timeout = if wait == Wait::Read { self.body_timeout } else { self.write_timeout };
        let since = Instant::now();
        let ready = stream.wait(wait, timeout)?;
        *waited += since.elapsed();
        let late = *waited > GRACE && came < waited.as_secs().saturating_mul(self.min_rate);
        if ready && !late {
            return Ok(());
        }
        self.given_up.fetch_add(1, Ordering::Relaxed);
        let phase = if wait == Wait::Read { "the request's body" } else { "taking the response" };
        log::debug!("a client was given up: {phase} took too long");
        Err(io::Error::new(ErrorKind::TimedOut, BodyStopped::TooSlow))
    }
}

impl Reading {
    pub(super) fn new(
        stream: Arc<Stream>,
        prefix: Bytes,
        input: Input,
        decoder: BodyDecoder,
        expects: bool,
    ) -> Reading {
        Reading { stream, prefix, input, decoder, expects, broken: false, waited: Duration::ZERO, came: 0 }
    }

    /// Whether the client has sent all of it, and we have read it.
    pub(super) fn is_done(&self) -> bool {
        self.decoder.is_done() && self.prefix.is_empty()
    }
}

impl Lease {
    pub(super) fn new(reading: Reading, trailers: Arc<OnceLock<HeaderMap>>, waiting: Arc<Waiting>) -> Arc<Lease> {
        let (void, answering) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Lease { void, answering, held: Mutex::new(Some(reading)), trailers, waiting })
    }

    /// The body for the handler, of at most `limit` bytes.
    pub(super) fn body(self: &Arc<Self>, limit: u64) -> Body {
        let reader = LeaseReader(Arc::clone(self));
        let left = self.hold().as_ref().and_then(|reading| reading.decoder.left());
        match left {
            Some(length) => Body::sized_reader(reader, length),
            None => Body::reader(reader).limited(limit),
        }
    }

    fn hold(&self) -> MutexGuard<'_, Option<Reading>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the lease: from now on reading the body is an error. `None` when another thread is in the middle of reading
    /// and does not come back; the connection cannot go on then.
    pub(super) fn revoke(&self) -> Option<Reading> {
        self.void.store(true, Ordering::Release);
        let until = Instant::now() + PATIENCE;
        loop {
            match self.held.try_lock() {
                Ok(mut held) => return held.take(),
                Err(TryLockError::Poisoned(held)) => return held.into_inner().take(),
                Err(TryLockError::WouldBlock) if Instant::now() > until => return None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn read(&self, out: &mut [u8]) -> io::Result<usize> {
        let ended = || io::Error::new(ErrorKind::BrokenPipe, "the request whose body this is has ended");
        // Looked at before as well, so that a reader in a loop cannot keep the engine from the lock.
        if self.void.load(Ordering::Acquire) {
            return Err(ended());
        }
        let mut held = self.hold();
        let Some(reading) = held.as_mut().filter(|_| !self.void.load(Ordering::Acquire)) else { return Err(ended()) };
        let read = self.read_held(reading, out);
        reading.broken |= read.is_err();
        if reading.decoder.is_done() && self.trailers.get().is_none() {
            let _ = self.trailers.set(reading.decoder.take_trailers());
        }
        read
    }

    fn read_held(&self, reading: &mut Reading, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if !reading.prefix.is_empty() {
            let n = reading.prefix.len().min(out.len());
            out[..n].copy_from_slice(&reading.prefix[..n]);
            reading.prefix.advance(n);
            return Ok(n);
        }
        if reading.broken {
            return Err(io::Error::new(ErrorKind::BrokenPipe, "the request's body broke off before"));
        }
        loop {
            if reading.decoder.is_done() {
                return Ok(0);
            }
            if !reading.input.is_empty() {
                let progress = reading.decoder.decode(reading.input.as_slice(), out).map_err(malformed)?;
                reading.input.consume(progress.consumed);
                if progress.produced > 0 {
                    return Ok(progress.produced);
                }
                if progress.consumed > 0 {
                    continue;
                }
            }
            if std::mem::take(&mut reading.expects) && !self.answering.load(Ordering::Acquire) {
                self.go_on(reading)?;
            }
            // What is nothing but body goes straight to whoever wants it.
            let raw = reading.decoder.raw_left().min(out.len() as u64) as usize;
            if raw > 0 && reading.input.is_empty() {
                let n = self.receive(reading, |stream| stream.read(&mut out[..raw]))?;
                reading.decoder.advance(n as u64);
                return Ok(n);
            }
            let mut step = [0; STEP];
            let n = self.receive(reading, |stream| stream.read(&mut step))?;
            reading.input.push(&step[..n]);
        }
    }

    fn receive(&self, reading: &mut Reading, mut read: impl FnMut(&Stream) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            let read = read(&reading.stream);
            if self.void.load(Ordering::Acquire) {
                return Err(io::Error::new(ErrorKind::BrokenPipe, "the request whose body this is has ended"));
            }
            match read {
                Ok(0) => {
                    let what = "the client went away before the end of the body";
                    return Err(io::Error::new(ErrorKind::UnexpectedEof, what));
                }
                Ok(n) => {
                    reading.came += n as u64;
                    return Ok(n);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.waiting.wait(&reading.stream, Wait::Read, &mut reading.waited, reading.came)?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// RFC 9110 section 10.1.1: the client may send its body.
    fn go_on(&self, reading: &mut Reading) -> io::Result<()> {
        let mut left: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        loop {
            let written = match left {
                [] => reading.stream.flush().map(|()| None),
                left => reading.stream.write(left, false).map(Some),
            };
            match written {
                Ok(Some(n)) => left = &left[n..],
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.waiting.wait(&reading.stream, Wait::Write, &mut reading.waited, u64::MAX)?;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn malformed(refusal: crate::proto::Refusal) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, refusal.why)
}

struct LeaseReader(Arc<Lease>);

impl Read for LeaseReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}
