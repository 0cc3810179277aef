//! Connections that a response has taken over.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::conn::{Conn, Input};
use super::core::Core;
use super::drive::Step;
use super::hand::Hand;
use super::stream::{FOR_EVER, Stream, Wait};
use super::table::Token;
use crate::quiet::quietly;
use crate::response::Response;
use crate::upgrade::{Duplex, OnUpgrade, Upgraded};

impl Core {
    /// Sends the 101, and leaves the connection to the response's job, on a thread of its own: no worker has it.
    pub(super) fn switch(&self, mut conn: Box<Conn>, response: &Response, hand: &mut Hand<'_>) -> Step {
        let job = response.extensions().get::<OnUpgrade>().and_then(OnUpgrade::take);
        let (Some(job), Some(core)) = (job, self.this.upgrade()) else { return Step::Close(conn) };
        hand.heads.put_switch(&mut hand.out, response);
        // So little always has room, but for a client that has not taken the answers before it.
        if !matches!(conn.stream.write(&hand.out, false), Ok(n) if n == hand.out.len()) || conn.stream.flush().is_err()
        {
            return Step::Close(conn);
        }
        hand.out.clear();
        self.mute(&mut conn);
        let (stream, input) = (Arc::clone(&conn.stream), std::mem::take(&mut conn.input));
        let token = conn.token;
        let place = self.table.place(token.index);
        // Not in the closure, with which it would be lost when no thread is to be had.
        place.put(conn);
        // Events that come now are for nobody.
        while place.claim.park().is_err() {}
        let run = move || {
            let upgraded = Upgraded::new(Connection { stream, input, read_timeout: None });
            if quietly(|| job(upgraded)).is_none() {
                log::error!("the job of a connection that was taken over panicked");
            }
            core.take_back(token);
        };
        if let Err(error) = thread::Builder::new().name("dewar-upgraded".into()).spawn(run) {
            log::error!("a connection cannot be taken over, no thread is to be had: {error}");
            self.take_back(token);
        }
        Step::Away
    }

    /// Ends a connection that was parked.
    fn take_back(&self, token: Token) {
        let place = self.table.place(token.index);
        place.claim.unpark();
        if let Some(conn) = place.take() {
            conn.stream.cut();
            self.close(conn);
        }
    }
}

/// Blocks where the engine's own streams do not.
struct Connection {
    stream: Arc<Stream>,
    /// What the client has sent behind its request.
    input: Input,
    read_timeout: Option<Duration>,
}

impl Connection {
    fn patiently<T>(&self, mut write: impl FnMut(&Stream) -> io::Result<T>) -> io::Result<T> {
        loop {
            match write(&self.stream) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => _ = self.stream.wait(Wait::Write, FOR_EVER)?,
                written => return written,
            }
        }
    }
}

impl Read for Connection {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.input.is_empty() {
            let n = self.input.as_slice().len().min(out.len());
            out[..n].copy_from_slice(&self.input.as_slice()[..n]);
            self.input.consume(n);
            return Ok(n);
        }
        loop {
            match self.stream.read(out) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.stream.wait(Wait::Read, self.read_timeout.unwrap_or(FOR_EVER))? {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
                read => return read,
            }
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.patiently(|stream| stream.write(bytes, false))?;
        // Whoever reads next must not wait for an answer to what was kept.
        self.patiently(Stream::flush)?;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Duplex for Connection {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.read_timeout = timeout;
    }

    fn shutdown(&mut self) {
        self.stream.part();
        self.stream.cut();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.stream.part();
        }
        self.stream.cut();
    }
}
