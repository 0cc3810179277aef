//! How a response goes out: at once if it is small, without a worker if it is bytes or a file.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Buf, Bytes};
use http::header::UPGRADE;
use http::{Method, StatusCode};

use super::conn::{After, Conn, Outgoing, Pace, Stage, Terms};
use super::core::{Answered, Core, Job};
use super::drive::{NO_HANDLER, Step};
use super::hand::Hand;
use super::lease::Lease;
use super::stream::Stream;
use crate::body::Plain;
use crate::proto::Delivery;
use crate::response::Response;
use crate::upgrade::OnUpgrade;

/// Bodies up to this are copied behind their head; longer ones are sent beside it.
const COPIED: usize = 16 * 1024;
/// Bytes that are sent before a leader looks after the others.
const SEND_AT_ONCE: u64 = 1 << 20;

impl Core {
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
    pub(super) fn end_lease(&self, conn: &mut Conn, lease: &Arc<Lease>, mut after: After) -> After {
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
