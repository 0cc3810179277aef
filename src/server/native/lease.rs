//! The lease on its connection that a request's body is.

use std::io::{self, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
/// One that was waited for this long, and is slower than so many times the least, makes room for others when all places
/// are taken.
const FAIR: Duration = Duration::from_secs(1);
const CRAWLING: u64 = 16;

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
    patience: Patience,
}

/// The workers that wait for clients; at most half of all may. When all places are taken and one more is needed, it is
/// that of the slowest client, if that is a very slow one: else a few who send next to nothing would keep out all others.
pub(super) struct Waiting {
    now: Mutex<Vec<Waiter>>,
    /// Clients that were too slow.
    pub(super) given_up: AtomicU64,
    most: usize,
    body_timeout: Duration,
    pub(super) write_timeout: Duration,
    min_rate: u64,
}

/// A client that a worker waits for.
struct Waiter {
    stream: Arc<Stream>,
    wait: Wait,
    patience: Patience,
    since: Instant,
    given_up: bool,
}

/// How a client gets on that is waited for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Patience {
    waited: Duration,
    moved: u64,
}

impl Patience {
    /// So many bytes have come or were taken.
    pub(super) fn moved(&mut self, bytes: u64) {
        self.moved = self.moved.saturating_add(bytes);
    }

    /// Bytes per second.
    fn rate(&self) -> u64 {
        self.moved.saturating_mul(1000) / (self.waited.as_millis() as u64).max(1)
    }

    /// The client was waited for; whether it is too slow. What is long past counts less and less: who has sent much at
    /// once cannot be silent for hours after that.
    fn is_out(&mut self, waited: Duration, min_rate: u64) -> bool {
        self.waited += waited;
        let late = self.waited > GRACE && self.moved < self.waited.as_secs().saturating_mul(min_rate);
        if self.waited > GRACE {
            (self.waited, self.moved) = (self.waited / 2, self.moved / 2);
        }
        late
    }
}

impl Waiting {
    pub(super) fn new(limits: &Limits) -> Arc<Waiting> {
        Arc::new(Waiting {
            now: Mutex::default(),
            given_up: AtomicU64::new(0),
            most: (limits.max_workers / 2).max(1),
            body_timeout: limits.body_timeout,
            write_timeout: limits.write_timeout,
            min_rate: limits.min_rate,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waiter>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a client in a worker, which takes from its patience.
    pub(super) fn wait(&self, stream: &Arc<Stream>, wait: Wait, patience: &mut Patience) -> io::Result<()> {
        let since = Instant::now();
        self.enter(Waiter { stream: Arc::clone(stream), wait, patience: *patience, since, given_up: false })?;
        let timeout = if wait == Wait::Read { self.body_timeout } else { self.write_timeout };
        let ready = stream.wait(wait, timeout);
        let given_up = self.leave(stream, wait);
        let late = patience.is_out(since.elapsed(), self.min_rate);
        if ready? && !late && !given_up {
            return Ok(());
        }
        self.given_up.fetch_add(1, Ordering::Relaxed);
        let phase = if wait == Wait::Read { "the request's body" } else { "taking the response" };
        log::debug!("a client was given up: {phase} took too long");
        Err(io::Error::new(ErrorKind::TimedOut, BodyStopped::TooSlow))
    }

    fn enter(&self, waiter: Waiter) -> io::Result<()> {
        let mut now = self.lock();
        if now.iter().filter(|waiter| !waiter.given_up).count() >= self.most {
            let slowest = now.iter_mut().filter(|waiter| !waiter.given_up && self.is_crawling(waiter));
            let Some(slowest) = slowest.min_by_key(|waiter| waiter.patience.rate()) else {
                return Err(io::Error::other(BodyStopped::Overloaded));
            };
            slowest.given_up = true;
            // Which wakes its worker. One that reads can still answer.
            match slowest.wait {
                Wait::Read => slowest.stream.deafen(),
                Wait::Write => slowest.stream.cut(),
            }
        }
        now.push(waiter);
        Ok(())
    }

    fn is_crawling(&self, waiter: &Waiter) -> bool {
        let waited = waiter.patience.waited + waiter.since.elapsed();
        let patience = Patience { waited, ..waiter.patience };
        waited > FAIR && patience.rate() < self.min_rate.saturating_mul(CRAWLING)
    }

    /// Whether it was given up.
    fn leave(&self, stream: &Arc<Stream>, wait: Wait) -> bool {
        let mut now = self.lock();
        let at = now.iter().position(|waiter| Arc::ptr_eq(&waiter.stream, stream) && waiter.wait == wait);
        at.is_some_and(|at| now.swap_remove(at).given_up)
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
        Reading { stream, prefix, input, decoder, expects, broken: false, patience: Patience::default() }
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
                    reading.patience.moved(n as u64);
                    return Ok(n);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.waiting.wait(&reading.stream, Wait::Read, &mut reading.patience)?;
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
                    self.waiting.wait(&reading.stream, Wait::Write, &mut reading.patience)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_for_those_who_come_on() {
        let tenth = Duration::from_millis(100);
        let lasts = |patience: &mut Patience, each: u64| {
            (0..10_000).find(|_| {
                patience.moved(each);
                patience.is_out(tenth, 256)
            })
        };
        assert_eq!(lasts(&mut Patience::default(), 26), None);
        assert_eq!(lasts(&mut Patience::default(), 0), Some(100), "after ten seconds");
        assert!(lasts(&mut Patience::default(), 20).is_some());
        // Who was quick may rest for a while, not for as long as it has earned.
        let mut patience = Patience { waited: Duration::ZERO, moved: 16 << 20 };
        assert!((200..1000).contains(&lasts(&mut patience, 0).unwrap()));
    }
}
