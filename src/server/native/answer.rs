//! How a response goes out: at once if it is small, without a worker if it is bytes or a file, block by block if it is
//! made while it is sent.

use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::header::UPGRADE;
use http::{HeaderMap, Method, StatusCode};

use super::conn::{After, Conn, Outgoing, Pace, Stage, Terms};
use super::core::{Answered, Core, Job};
use super::drive::{NO_HANDLER, Step};
use super::hand::Hand;
use super::lease::{Lease, Patience};
use super::stream::{Stream, Wait};
use crate::body::{Body, Plain};
use crate::error::HttpError;
use crate::proto::{Delivery, put_chunk, put_last_chunk};
use crate::quiet::{discard_panic, quietly};
use crate::request::Request;
use crate::response::{MakeTrailers, Response};
use crate::upgrade::OnUpgrade;

/// Bodies up to this are copied behind their head; longer ones are sent beside it.
const COPIED: usize = 16 * 1024;
/// Bytes that are read at once of a body that is a reader.
const BLOCK: usize = 128 * 1024;
/// Bytes that are sent before a leader looks after the others.
const SEND_AT_ONCE: u64 = 1 << 20;
/// How long a client may send nothing after the last response, and not close.
pub(super) const LINGER: Duration = Duration::from_secs(2);

impl Core {
    /// Calls the service; what panics is a 500.
    pub(super) fn call(&self, request: Request) -> Response {
        match catch_unwind(AssertUnwindSafe(|| self.service.call(request))) {
            Ok(response) => response,
            Err(panic) => {
                self.figures.panics.fetch_add(1, Ordering::Relaxed);
                let text = panic.downcast_ref::<&str>().copied();
                let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                log::error!("a handler panicked: {}", text.unwrap_or("with something that is no text"));
                discard_panic(panic);
                HttpError::new(500).into_response()
            }
        }
    }

    /// Answers a request that was refused. What the client still sends of it is thrown away.
    pub(super) fn answer_finally(
        &self,
        conn: Box<Conn>,
        response: Response,
        mut terms: Terms,
        hand: &mut Hand<'_>,
    ) -> Step {
        let mut entry = terms.entry.take();
        if let Some(entry) = &mut entry {
            (entry.status, entry.bytes) = (Some(response.status()), response.body().len().unwrap_or(0));
        }
        let delivery = Delivery::of(&response, terms.version, terms.method == Method::HEAD, true);
        hand.heads.put(&mut hand.out, &response, delivery);
        if !delivery.is_bodiless()
            && let Ok(bytes) = response.into_body().into_bytes()
        {
            hand.out.extend_from_slice(&bytes);
        }
        match self.flush(conn, hand) {
            Step::Go(conn) => self.wind_up(conn, false, hand),
            Step::Wait(mut conn) => {
                if let Stage::Sending(outgoing) = &mut conn.stage {
                    outgoing.after.close = true;
                    outgoing.after.entry = entry;
                }
                Step::Wait(conn)
            }
            step => step,
        }
    }

    /// Answers a request.
    pub(super) fn answer(
        &self,
        mut conn: Box<Conn>,
        mut response: Response,
        mut terms: Terms,
        lease: Option<Arc<Lease>>,
        hand: &mut Hand<'_>,
    ) -> Step {
        hand.note(NO_HANDLER);
        if response.status().is_informational() {
            let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS
                && response.extensions().get::<OnUpgrade>().is_some();
            if switches && lease.is_none() && terms.upgradable {
                return self.switch(conn, &response, hand);
            }
            response = match response.headers_mut().remove(UPGRADE) {
                Some(protocol) if switches => {
                    let mut refusal = Response::empty(StatusCode::UPGRADE_REQUIRED);
                    refusal.headers_mut().insert(UPGRADE, protocol);
                    refusal
                }
                _ => {
                    log::error!("a handler answered {}, which is no final status: sent as 500", response.status());
                    Response::empty(500)
                }
            };
        }
        if response.body().is_stream() {
            if hand.is_wanted() {
                conn.unsent = std::mem::take(&mut hand.out);
                self.submit(Job::Send(Box::new(Answered { conn, response, terms, lease })));
                return Step::Away;
            }
            return self.answer_by_blocks(conn, response, terms, lease, hand);
        }
        let mut after = After { close: !terms.keep_alive, unread: None, entry: terms.entry.take() };
        if let Some(entry) = &mut after.entry {
            (entry.status, entry.bytes) = (Some(response.status()), response.body().len().unwrap_or(0));
        }
        if let Some(lease) = lease {
            after = self.end_lease(&mut conn, &lease, after);
        }
        after.close |= self.is_draining();
        let delivery = Delivery::of(&response, terms.version, terms.method == Method::HEAD, after.close);
        after.close = delivery.close;
        if let Some(entry) = after.entry.as_mut().filter(|_| delivery.is_bodiless()) {
            entry.bytes = 0;
        }
        hand.heads.put(&mut hand.out, &response, delivery);
        let (plain, closers) = response.into_body().into_plain();
        let outgoing = match plain {
            _ if delivery.is_bodiless() => None,
            Plain::Bytes(bytes) if bytes.len() <= COPIED => {
                hand.out.extend_from_slice(&bytes);
                None
            }
            Plain::Bytes(bytes) => Some((bytes, None)),
            Plain::File(_, 0) => None,
            Plain::File(file, length) => Some((Bytes::new(), Some((file, length)))),
            Plain::Stream(_) => None, // it was asked for above
        };
        if let Some((second, file)) = outgoing {
            let first = Bytes::from(std::mem::take(&mut hand.out));
            let pace = Pace::from(self.now());
            let closers = Some(closers);
            conn.stage = Stage::Sending(Box::new(Outgoing { first, second, file, closers, after, pace }));
            conn.due = self.after(self.limits.write_timeout);
            return self.send_on(conn, hand);
        }
        if !after.close && after.unread.is_none() && closers.is_empty() && Core::may_put_off(&conn, hand) {
            return self.finish(conn, after, hand);
        }
        match self.flush(conn, hand) {
            Step::Go(conn) => {
                drop(closers);
                self.finish(conn, after, hand)
            }
            Step::Wait(mut conn) => {
                if let Stage::Sending(outgoing) = &mut conn.stage {
                    (outgoing.after, outgoing.closers) = (after, Some(closers));
                }
                Step::Wait(conn)
            }
            step => step,
        }
    }

    /// Takes the reading side of the connection back.
    fn end_lease(&self, conn: &mut Conn, lease: &Arc<Lease>, mut after: After) -> After {
        match lease.revoke() {
            Some(reading) => {
                let done = reading.is_done();
                conn.input = reading.input;
                conn.more = true;
                // A client that was not told to go on may or may not send its body.
                after.close |= reading.broken || (reading.expects && !done);
                if !done && !reading.broken {
                    after.unread = Some(reading.decoder);
                }
            }
            None => {
                log::error!("another thread is still reading a request's body: its connection is closed");
                after.close = true;
            }
        }
        after
    }

    /// Goes on sending a response that is there in whole.
    pub(super) fn send_on(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        let Stage::Sending(outgoing) = &mut conn.stage else { return Step::Go(conn) };
        let mut sent = 0;
        let result = loop {
            if outgoing.is_done() {
                break conn.stream.flush();
            }
            if sent >= SEND_AT_ONCE && hand.is_wanted() {
                outgoing.pace.bytes += sent;
                conn.due = self.after(self.limits.write_timeout);
                return Step::Later(conn);
            }
            match outgoing.send(&conn.stream) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        outgoing.pace.bytes += sent;
        match result {
            Ok(()) => {
                let Stage::Sending(outgoing) = std::mem::replace(&mut conn.stage, Stage::Head) else {
                    return Step::Go(conn);
                };
                let Outgoing { closers, after, .. } = *outgoing;
                drop(closers);
                self.finish(conn, after, hand)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if outgoing.pace.is_too_slow(self.now(), self.limits.min_rate) {
                    self.figures.timeouts.fetch_add(1, Ordering::Relaxed);
                    log::debug!("a client was given up: taking the response took too long");
                    conn.stream.abort();
                    return Step::Close(conn);
                }
                if sent > 0 || conn.stream.has_moved() {
                    conn.due = self.after(self.limits.write_timeout);
                }
                Step::Wait(conn)
            }
            Err(error) => {
                if error.kind() == ErrorKind::UnexpectedEof {
                    log::error!("the response's body broke off, its connection is closed: {error}");
                }
                conn.stream.cut();
                Step::Close(conn)
            }
        }
    }

    /// Answers with a body that is made while it is sent, which this worker waits for.
    fn answer_by_blocks(
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
    fn cut(&self, mut conn: Box<Conn>, by_reset: bool) -> Step {
        conn.broken = true;
        if by_reset {
            conn.stream.abort();
        } else {
            conn.stream.cut();
        }
        Step::Close(conn)
    }

    /// A response is out.
    pub(super) fn finish(&self, mut conn: Box<Conn>, after: After, hand: &mut Hand<'_>) -> Step {
        conn.served = conn.served.saturating_add(1);
        conn.stage = Stage::Head;
        if after.close {
            let clean = after.unread.is_none();
            return match self.flush(conn, hand) {
                Step::Go(conn) => self.wind_up(conn, clean, hand),
                step => step,
            };
        }
        if let Some(decoder) = after.unread {
            if decoder.left().is_some_and(|left| left > self.limits.unread_body) {
                return self.wind_up(conn, false, hand);
            }
            conn.due = self.after(self.limits.body_timeout);
            conn.stage = Stage::Draining(decoder, self.limits.unread_body);
            return Step::Go(conn);
        }
        let time = if conn.input.is_empty() { self.limits.keep_alive } else { self.limits.head_timeout };
        conn.due = self.after(time);
        Step::Go(conn)
    }

    /// The last response is out: the client has to see that before the connection is closed. With `clean` there is
    /// nothing that it can still be sending.
    pub(super) fn wind_up(&self, mut conn: Box<Conn>, clean: bool, hand: &mut Hand<'_>) -> Step {
        if conn.ended {
            return Step::Close(conn);
        }
        if clean && conn.input.is_empty() {
            conn.more = true;
            match Core::receive(&mut conn, &mut hand.scratch) {
                Some(0) if conn.ended || !conn.more => return Step::Close(conn),
                None => return Step::Close(conn),
                Some(_) => {}
            }
        }
        conn.stream.finish();
        conn.due = self.after(LINGER);
        conn.stage = Stage::Lingering(self.limits.unread_body, self.after(self.limits.body_timeout));
        conn.more = true;
        Step::Go(conn)
    }
}

impl Outgoing {
    pub(super) fn of_bytes(first: Bytes, now: u64) -> Outgoing {
        let after = After { close: false, unread: None, entry: None };
        Outgoing { first, second: Bytes::new(), file: None, closers: None, after, pace: Pace::from(now) }
    }

    /// Sends some of it.
    fn send(&mut self, stream: &Stream) -> io::Result<u64> {
        if !self.first.is_empty() {
            let n = match self.second.is_empty() {
                true => stream.write(&self.first, self.file.is_some())?,
                false => stream.write_both(&self.first, &self.second)?,
            };
            let first = n.min(self.first.len());
            self.first.advance(first);
            self.second.advance(n - first);
            return Ok(n as u64);
        }
        if !self.second.is_empty() {
            let n = stream.write(&self.second, false)?;
            self.second.advance(n);
            return Ok(n as u64);
        }
        let Some((file, left)) = &mut self.file else { return Ok(0) };
        let n = stream.send_file(file, (*left).min(SEND_AT_ONCE) as usize)? as u64;
        if n == 0 {
            let what = format!("the file ended {left} bytes before its announced length");
            return Err(io::Error::new(ErrorKind::UnexpectedEof, what));
        }
        *left -= n;
        if *left == 0 {
            self.file = None;
        }
        Ok(n)
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
