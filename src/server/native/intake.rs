//! How bytes become requests.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::StatusCode;

use super::conn::{Ahead, Conn, Pace, Stage, Terms};
use super::core::{Core, Trailers};
use super::drive::Step;
use super::entry::Entry;
use super::hand::Hand;
use super::lease::{Lease, Reading};
use super::predict::{Guess, Kind};
use crate::body::Body;
use crate::proto::{BodyDecoder, Framing, Refusal, RequestHead, parse_head};
use crate::request::{Received, Request};

/// A request that has come, with its body where that is whole already.
pub(super) struct Asked {
    pub(super) head: RequestHead,
    pub(super) body: Option<Bytes>,
    pub(super) kind: Kind,
    pub(super) guess: Guess,
}

impl Core {
    pub(super) fn read_head(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        if !conn.input.is_empty() {
            match parse_head(conn.input.as_slice(), &self.head_limits) {
                Ok(Some(head)) => {
                    let used = head.len;
                    let (asked, body) = self.ask(head, &conn.input.as_slice()[used..], hand);
                    if !hand.out.is_empty() && (asked.body.is_none() || self.is_slow(&asked, hand)) {
                        // Answers must not wait for a request that does; it is looked at again when they are out.
                        return self.flush(conn, hand);
                    }
                    conn.input.consume(used + body);
                    return self.begin(conn, asked, hand);
                }
                Ok(None) => {}
                Err(refusal) => return self.refuse(conn, refusal, hand),
            }
        }
        if !hand.out.is_empty() {
            return self.flush(conn, hand);
        }
        let mut scratch = std::mem::take(&mut hand.scratch);
        let step = match Core::receive(&mut conn, &mut scratch) {
            None => Step::Close(conn),
            Some(0) if conn.ended => self.end_of_input(conn, hand),
            Some(0) if conn.more => Step::Go(conn),
            Some(0) => Step::Wait(conn),
            Some(n) => self.read_fresh(conn, &scratch[..n], hand),
        };
        hand.scratch = scratch;
        step
    }

    /// What has just been read, which is nearly always a whole request.
    pub(super) fn read_fresh(&self, mut conn: Box<Conn>, bytes: &[u8], hand: &mut Hand<'_>) -> Step {
        if !conn.input.is_empty() {
            conn.input.push(bytes);
            return Step::Go(conn);
        }
        match parse_head(bytes, &self.head_limits) {
            Ok(Some(head)) => {
                let used = head.len;
                let (asked, body) = self.ask(head, &bytes[used..], hand);
                conn.input.push(&bytes[used + body..]);
                self.begin(conn, asked, hand)
            }
            Ok(None) => {
                if conn.served > 0 {
                    conn.due = self.after(self.limits.head_timeout);
                }
                conn.input.push(bytes);
                if conn.more { Step::Go(conn) } else { Step::Wait(conn) }
            }
            Err(refusal) => {
                conn.input.push(bytes);
                self.refuse(conn, refusal, hand)
            }
        }
    }

    /// The client sends no more. What it asked for has been answered.
    pub(super) fn end_of_input(&self, conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        if conn.input.as_slice().iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return Step::Close(conn);
        }
        self.refuse(conn, Refusal { status: StatusCode::BAD_REQUEST, why: "it ends in its head" }, hand)
    }

    /// Looks at a request: its body if that is among the `rest` of the bytes that came, how many of those it takes, and
    /// whether it will be quick.
    pub(super) fn ask(&self, head: RequestHead, rest: &[u8], hand: &mut Hand<'_>) -> (Asked, usize) {
        let body = match head.framing {
            Framing::Empty => Some((Bytes::new(), 0)),
            Framing::Sized(length)
                if length <= self.limits.body_ahead.min(self.limits.body)
                    && !head.expects_continue
                    && rest.len() as u64 >= length =>
            {
                Some((Bytes::copy_from_slice(&rest[..length as usize]), length as usize))
            }
            _ => None,
        };
        let kind = Kind::of(head.method.as_str(), head.uri.path());
        hand.turn = hand.turn.wrapping_add(1);
        let guess = self.guess(kind, hand);
        let (body, used) = match body {
            Some((body, used)) => (Some(body), used),
            None => (None, 0),
        };
        (Asked { head, body, kind, guess }, used)
    }

    pub(super) fn guess(&self, kind: Kind, hand: &Hand<'_>) -> Guess {
        match hand.worker {
            Some(_) if hand.leads => match self.predictor.guess(kind, hand.turn, || self.now()) {
                // If it were slow, nobody could take over from whoever runs it.
                Guess::Quick(true) if self.predictor.is_new(kind) && self.crew.is_full() => Guess::Slow,
                guess => guess,
            },
            Some(_) => Guess::Quick(true),
            None => Guess::Slow,
        }
    }

    /// Whether it is known to be slow, also to those who run it all the same.
    pub(super) fn is_slow(&self, asked: &Asked, hand: &Hand<'_>) -> bool {
        asked.guess == Guess::Slow
            || (!hand.leads && self.predictor.guess(asked.kind, hand.turn, || self.now()) == Guess::Slow)
    }

    /// A request has come; its head has been taken off the input.
    pub(super) fn begin(&self, mut conn: Box<Conn>, asked: Asked, hand: &mut Hand<'_>) -> Step {
        self.shards[conn.shard % self.shards.len()].requests.fetch_add(1, Ordering::Relaxed);
        let Asked { head, body, kind, guess } = asked;
        if let Some(body) = body {
            let (request, terms) = self.request(&conn, head, body.into(), None);
            return self.dispatch(conn, request, terms, None, kind, guess, hand);
        }
        let decoder = BodyDecoder::new(head.framing);
        if let Framing::Sized(length) = head.framing
            && length > self.limits.body
        {
            let why = "its body is longer than is allowed";
            return self.refuse_with_body(conn, Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, why }, &head, hand);
        }
        let ahead = decoder.left().is_none_or(|length| length <= self.limits.body_ahead);
        if head.expects_continue || !ahead {
            return self.lease(conn, head, decoder, Bytes::new(), hand);
        }
        conn.due = self.after(self.limits.body_timeout);
        let body = Vec::with_capacity(decoder.left().unwrap_or(0) as usize);
        conn.stage = Stage::Ahead(Box::new(Ahead { head, decoder, body, pace: Pace::from(self.now()) }));
        Step::Go(conn)
    }

    pub(super) fn take_ahead(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        let Stage::Ahead(ahead) = &mut conn.stage else { return Step::Go(conn) };
        // One byte more than is allowed, to tell a body that just fits from one that does not.
        let room = (self.limits.body_ahead as usize + 1).saturating_sub(ahead.body.len());
        let before = ahead.body.len();
        ahead.body.resize(before + room.min(conn.input.as_slice().len()), 0);
        let progress = match ahead.decoder.decode(conn.input.as_slice(), &mut ahead.body[before..]) {
            Ok(progress) => progress,
            Err(refusal) => return self.refuse(conn, refusal, hand),
        };
        ahead.body.truncate(before + progress.produced);
        ahead.pace.bytes += progress.produced as u64;
        conn.input.consume(progress.consumed);
        if ahead.decoder.is_done() || ahead.body.len() as u64 > self.limits.body_ahead {
            let Stage::Ahead(ahead) = std::mem::replace(&mut conn.stage, Stage::Head) else { return Step::Go(conn) };
            let Ahead { head, mut decoder, body, .. } = *ahead;
            if !decoder.is_done() {
                return self.lease(conn, head, decoder, body.into(), hand);
            }
            if body.len() as u64 > self.limits.body {
                let why = "its body is longer than is allowed";
                return self.refuse(conn, Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, why }, hand);
            }
            let trailers = Trailers::default();
            let _ = trailers.set(decoder.take_trailers());
            let kind = Kind::of(head.method.as_str(), head.uri.path());
            let guess = self.guess(kind, hand);
            let (request, terms) = self.request(&conn, head, Bytes::from(body).into(), Some(trailers));
            return self.dispatch(conn, request, terms, None, kind, guess, hand);
        }
        if ahead.pace.is_too_slow(self.now(), self.limits.min_rate) {
            self.figures.timeouts.fetch_add(1, Ordering::Relaxed);
            return self.refuse(
                conn,
                Refusal { status: StatusCode::REQUEST_TIMEOUT, why: "its body took too long" },
                hand,
            );
        }
        if progress.consumed > 0 && !conn.input.is_empty() {
            return Step::Go(conn);
        }
        let is_too_slow = ahead.pace.is_too_slow(self.now(), self.limits.min_rate);
        let mut scratch = std::mem::take(&mut hand.scratch);
        let step = match Core::receive(&mut conn, &mut scratch) {
            None => Step::Close(conn),
            Some(0) if conn.ended => {
                self.refuse(conn, Refusal { status: StatusCode::BAD_REQUEST, why: "it ends in its body" }, hand)
            }
            Some(0) if conn.more => Step::Go(conn),
            Some(0) => Step::Wait(conn),
            Some(_) if is_too_slow => {
                self.figures.timeouts.fetch_add(1, Ordering::Relaxed);
                let why = "its body took too long";
                self.refuse(conn, Refusal { status: StatusCode::REQUEST_TIMEOUT, why }, hand)
            }
            Some(n) => {
                conn.input.push(&scratch[..n]);
                conn.due = self.after(self.limits.body_timeout);
                Step::Go(conn)
            }
        };
        hand.scratch = scratch;
        step
    }

    /// Hands the reading side of the connection to the handler.
    pub(super) fn lease(
        &self,
        mut conn: Box<Conn>,
        head: RequestHead,
        decoder: BodyDecoder,
        prefix: Bytes,
        hand: &mut Hand<'_>,
    ) -> Step {
        let kind = Kind::of(head.method.as_str(), head.uri.path());
        let trailers: Trailers = Arc::new(OnceLock::new());
        let input = std::mem::take(&mut conn.input);
        let reading = Reading::new(Arc::clone(&conn.stream), prefix, input, decoder, head.expects_continue);
        let lease = Lease::new(reading, Arc::clone(&trailers), Arc::clone(&self.waiting));
        self.mute(&mut conn);
        let (request, terms) = self.request(&conn, head, lease.body(self.limits.body), Some(trailers));
        self.dispatch(conn, request, terms, Some(lease), kind, Guess::Slow, hand)
    }

    pub(super) fn request(
        &self,
        conn: &Conn,
        head: RequestHead,
        body: Body,
        trailers: Option<Trailers>,
    ) -> (Request, Terms) {
        let terms = Terms {
            method: head.method.clone(),
            version: head.version,
            keep_alive: head.keep_alive,
            wants_trailers: head.wants_trailers,
            upgradable: head.wants_upgrade,
            entry: Entry::begin(conn.peer, &head.method, &head.uri, head.version, &head.headers),
        };
        let received = Received {
            method: head.method,
            uri: head.uri,
            version: head.version,
            headers: head.headers,
            remote_addr: conn.peer,
            secure: conn.stream.is_secure(),
            trailers,
        };
        (Request::received(received, body), terms)
    }
}
