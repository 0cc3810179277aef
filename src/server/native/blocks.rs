//! Responses that are made while they are sent, by a worker that waits for the client.

use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::{HeaderMap, Method};

use super::conn::{After, Conn, Terms};
use super::core::Core;
use super::drive::Step;
use super::hand::Hand;
use super::lease::{Lease, Patience};
use super::stream::{Stream, Wait};
use crate::body::Body;
use crate::proto::{Delivery, put_chunk, put_last_chunk};
use crate::quiet::{discard_panic, quietly};
use crate::response::{MakeTrailers, Response};

/// Bytes that are read at once of a body that is a reader.
const BLOCK: usize = 128 * 1024;

impl Core {
    /// Answers with a body that is made while it is sent, which this worker waits for.
    pub(super) fn answer_by_blocks(
        &self,
        mut conn: Box<Conn>,
        response: Response,
        mut terms: Terms,
        lease: Option<Arc<Lease>>,
        hand: &mut Hand<'_>,
    ) -> Step {
        // What is left of the body is not known before the end of the response, which may read it.
        let close = !terms.keep_alive || self.is_draining();
        let delivery = Delivery::of(&response, terms.version, terms.method == Method::HEAD, close);
        hand.heads.put(&mut hand.out, &response, delivery);
        if let Some(lease) = &lease {
            lease.answering.store(true, Ordering::Release);
        }
        let trailers = response.extensions().get::<MakeTrailers>().filter(|_| terms.wants_trailers);
        let trailers = trailers.and_then(MakeTrailers::take);
        let mut entry = terms.entry.take();
        if let Some(entry) = &mut entry {
            entry.status = Some(response.status());
        }
        let body = response.into_body();
        // Without a length and without chunks, an end in order is the end of the body.
        let ends_it = body.len().is_none() && !delivery.is_chunked();
        let head = hand.out.len() as u64;
        let mut sender =
            Sender { core: self, stream: Arc::clone(&conn.stream), patience: Patience::default(), sent: 0 };
        let sent = catch_unwind(AssertUnwindSafe(|| {
            if delivery.is_bodiless() {
                drop(body);
                return sender.send(&hand.out).map_err(Failure::Client);
            }
            sender.send_blocks(&mut hand.out, body, delivery.is_chunked(), trailers)
        }));
        if let Some(entry) = &mut entry {
            entry.bytes = sender.sent.saturating_sub(head);
        }
        hand.out.clear();
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(Failure::Client(error))) => {
                log::debug!("a response was not taken to its end: {error}");
                return self.cut(conn, true);
            }
            Ok(Err(Failure::Body(error))) => {
                log::error!("the response's body failed while it was sent, its connection is closed: {error}");
                return self.cut(conn, ends_it);
            }
            Err(panic) => {
                discard_panic(panic);
                self.figures.panics.fetch_add(1, Ordering::Relaxed);
                log::error!("the response's body panicked while it was sent, its connection is closed");
                return self.cut(conn, ends_it);
            }
        }
        let mut after = After { close: delivery.close, unread: None, entry };
        if let Some(lease) = lease {
            after = self.end_lease(&mut conn, &lease, after);
        }
        self.finish(conn, after, hand)
    }

    /// Ends a connection in a way that no client takes for the end of the response: by a reset, where an end in order
    /// could be; that takes from the client what it has not received yet.
    pub(super) fn cut(&self, mut conn: Box<Conn>, by_reset: bool) -> Step {
        conn.broken = true;
        if by_reset {
            conn.stream.abort();
        } else {
            conn.stream.cut();
        }
        Step::Close(conn)
    }
}

enum Failure {
    /// The client could not be written to.
    Client(io::Error),
    /// What was to be sent could not be had.
    Body(io::Error),
}

/// Sends from a worker, which waits for the client.
struct Sender<'a> {
    core: &'a Core,
    stream: Arc<Stream>,
    patience: Patience,
    sent: u64,
}

impl Sender<'_> {
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.stream.write(bytes, false);
            bytes = &bytes[self.taken(written)?..];
        }
        while let Err(error) = self.stream.flush() {
            self.taken(Err(error))?;
        }
        Ok(())
    }

    fn taken(&mut self, written: io::Result<usize>) -> io::Result<usize> {
        match written {
            Ok(n) => {
                self.sent += n as u64;
                self.patience.moved(n as u64);
                Ok(n)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.core.waiting.wait(&self.stream, Wait::Write, &mut self.patience)?;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// Each block is sent as it is made, so that a client sees events when they happen.
    fn send_blocks(
        &mut self,
        out: &mut Vec<u8>,
        mut body: Body,
        chunked: bool,
        trailers: Option<impl FnOnce() -> HeaderMap>,
    ) -> Result<(), Failure> {
        // The head does not wait for the first block, for which the client may have to wait.
        self.send(out).map_err(Failure::Client)?;
        let room = body.len().map_or(BLOCK, |length| length.clamp(1, BLOCK as u64) as usize);
        let mut room = if body.is_reader() { vec![0; room] } else { Vec::new() };
        loop {
            let read;
            let block = if room.is_empty() {
                let Some(next) = body.next_block().map_err(Failure::Body)? else { break };
                read = next;
                &read[..]
            } else {
                match body.read(&mut room) {
                    Ok(n) => &room[..n],
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => return Err(Failure::Body(error)),
                }
            };
            if block.is_empty() {
                break;
            }
            if chunked {
                out.clear();
                put_chunk(out, block);
                self.send(out).map_err(Failure::Client)?;
            } else {
                self.send(block).map_err(Failure::Client)?;
            }
        }
        if chunked {
            out.clear();
            put_last_chunk(out, &trailers.map(|make| make()).unwrap_or_default());
            self.send(out).map_err(Failure::Client)?;
        }
        // When all was sent, a destructor cannot make it less.
        if quietly(|| drop(body)).is_none() {
            log::error!("the response's body panicked when it was dropped");
        }
        Ok(())
    }
}
