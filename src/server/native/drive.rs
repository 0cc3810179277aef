//! What happens on a connection, from one event to the next: bytes become requests, and bodies are taken in.

use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode, Version};

use super::answer::LINGER;
use super::claim::{GONE, HALF, READ, WRITE};
use super::conn::{Ahead, Conn, Outgoing, Pace, Stage, Terms};
use super::core::{Answered, Call, Core, Job, Trailers};
use super::entry::Entry;
use super::hand::Hand;
use super::lease::{Lease, Reading};
use super::predict::{Guess, Kind, SLOW_AFTER};
use super::ready::{Event, Interest};
use crate::body::Body;
use crate::error::HttpError;
use crate::proto::{BodyDecoder, Framing, Refusal, RequestHead, parse_head};
use crate::request::{Received, Request};

/// For how long a worker that does not lead goes on with one connection, when it has more requests.
const TURN: Duration = Duration::from_millis(10);
/// Responses to requests that came together are sent together, up to so many bytes.
const TOGETHER: usize = 32 * 1024;
/// Bytes that are thrown away before a leader looks after the others.
const SKIP_AT_ONCE: usize = 1 << 20;
/// So many quick requests in a row, and a connection goes back from the slow ones to the others.
const STAYS_SLOW: u8 = 2;
/// A note that says that a worker is in no handler.
pub(super) const NO_HANDLER: u64 = u64::MAX;

/// What is next for a connection.
pub(super) enum Step {
    /// To go on with its stage.
    Go(Box<Conn>),
    /// Nothing, until there is an event.
    Wait(Box<Conn>),
    /// The others first.
    Later(Box<Conn>),
    /// It is over.
    Close(Box<Conn>),
    /// Somebody else has it now.
    Away,
}

/// A request that has come, with its body where that is whole already.
struct Asked {
    head: RequestHead,
    body: Option<Bytes>,
    kind: Kind,
    guess: Guess,
}

impl Conn {
    pub(super) fn wanted_interest(&self) -> Interest {
        match self.stage {
            Stage::Sending(_) => Interest::Write,
            Stage::Handshake if self.stream.is_kept() => Interest::Write,
            _ => Interest::Read,
        }
    }
}

impl Core {
    /// Goes on with a connection that the caller owns, and lets it go in the end.
    pub(super) fn drive(&self, conn: Box<Conn>, flags: u8, hand: &mut Hand<'_>) {
        let step = on_flags(conn, flags);
        self.drive_on(step, hand);
    }

    pub(super) fn drive_on(&self, mut step: Step, hand: &mut Hand<'_>) {
        let mut in_a_row = 0;
        let began = (!hand.is_wanted()).then(Instant::now);
        loop {
            step = match step {
                Step::Go(conn) if in_a_row > hand.in_a_row => Step::Later(conn),
                Step::Go(conn) if began.is_some_and(|began| in_a_row > 0 && began.elapsed() > TURN) => {
                    Step::Later(conn)
                }
                Step::Go(conn) => {
                    in_a_row += 1;
                    self.advance(conn, hand)
                }
                Step::Wait(conn) => match self.let_go(conn) {
                    Some((conn, flags)) => on_flags(conn, flags),
                    None => return,
                },
                Step::Later(conn) => {
                    in_a_row = 0;
                    // Its answers so far go out first, and what they leave over has the same way to go.
                    match self.flush(conn, hand) {
                        Step::Go(conn) => return self.put_off(conn),
                        step => step,
                    }
                }
                Step::Close(conn) => {
                    hand.out.clear();
                    return self.close(conn);
                }
                Step::Away => return,
            };
        }
    }

    /// Lets go of a connection that could go on, behind all others that can. Where it belongs may be another place by now.
    fn put_off(&self, conn: Box<Conn>) {
        let (token, shard) = (conn.token.to_u64(), self.shard_of(&conn));
        let mut event = Event { token, flags: READ | WRITE };
        let mut held = Some(conn);
        while let Some(conn) = held {
            held = self.let_go(conn).map(|(conn, flags)| {
                event.flags |= flags;
                conn
            });
        }
        match self.shards.get(shard) {
            Some(shard) => shard.again(event),
            None => self.submit(Job::Event(event)),
        }
    }

    fn advance(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        match &mut conn.stage {
            Stage::Handshake => self.handshake(conn, hand),
            Stage::Head => self.read_head(conn, hand),
            Stage::Ahead(_) => self.take_ahead(conn, hand),
            Stage::Sending(_) => self.send_on(conn, hand),
            Stage::Draining(..) => self.drain(conn, hand),
            Stage::Lingering(..) => self.linger(conn, hand),
        }
    }

    /// Reads what the kernel has: `Some(0)` when that is nothing, `None` when the connection is broken.
    pub(super) fn receive(conn: &mut Conn, scratch: &mut [u8]) -> Option<usize> {
        if !conn.more || conn.ended {
            return Some(0);
        }
        match conn.stream.read(scratch) {
            Ok(0) => {
                conn.ended = true;
                Some(0)
            }
            Ok(n) => {
                // A short read has taken all there was: more of it is a new event. But the end of what the client
                // sends comes with no event of its own, when it came together with the last bytes.
                conn.more = n == scratch.len() || conn.half || conn.stream.has_more();
                Some(n)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                conn.more = false;
                Some(0)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Some(0),
            Err(_) => None,
        }
    }

    fn read_head(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
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
    fn read_fresh(&self, mut conn: Box<Conn>, bytes: &[u8], hand: &mut Hand<'_>) -> Step {
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
    fn end_of_input(&self, conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        if conn.input.as_slice().iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return Step::Close(conn);
        }
        self.refuse(conn, Refusal { status: StatusCode::BAD_REQUEST, why: "it ends in its head" }, hand)
    }

    /// Looks at a request: its body if that is among the `rest` of the bytes that came, how many of those it takes, and
    /// whether it will be quick.
    fn ask(&self, head: RequestHead, rest: &[u8], hand: &mut Hand<'_>) -> (Asked, usize) {
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

    fn guess(&self, kind: Kind, hand: &Hand<'_>) -> Guess {
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
    fn is_slow(&self, asked: &Asked, hand: &Hand<'_>) -> bool {
        asked.guess == Guess::Slow
            || (!hand.leads && self.predictor.guess(asked.kind, hand.turn, || self.now()) == Guess::Slow)
    }

    /// A request has come; its head has been taken off the input.
    fn begin(&self, mut conn: Box<Conn>, asked: Asked, hand: &mut Hand<'_>) -> Step {
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

    fn take_ahead(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
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
    fn lease(
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

    fn request(&self, conn: &Conn, head: RequestHead, body: Body, trailers: Option<Trailers>) -> (Request, Terms) {
        let terms = Terms {
            method: head.method.clone(),
            version: head.version,
            keep_alive: head.keep_alive,
            wants_trailers: head.wants_trailers,
            upgradable: head.wants_upgrade,
            entry: Entry::begin(conn.peer, &head.method, &head.uri, head.version),
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

    /// Has the request handled: here if it will be quick, or if this is nobody whom others wait for.
    #[allow(clippy::too_many_arguments)]
    fn dispatch(
        &self,
        mut conn: Box<Conn>,
        request: Request,
        terms: Terms,
        lease: Option<Arc<Lease>>,
        kind: Kind,
        guess: Guess,
        hand: &mut Hand<'_>,
    ) -> Step {
        match guess {
            Guess::Slow if hand.is_wanted() => {
                self.submit(Job::Call(Box::new(Call { conn, request, terms, lease, kind })));
                Step::Away
            }
            Guess::Quick(false) => {
                hand.note(kind.to_u64());
                let response = self.call(request);
                self.answer(conn, response, terms, lease, hand)
            }
            _ => {
                if self.predictor.is_new(kind) {
                    self.predictor.name(kind, || format!("{} {:.128}", request.method(), request.path()));
                }
                hand.note(kind.to_u64());
                let since = Instant::now();
                let response = self.call(request);
                let took = since.elapsed();
                self.predictor.learn(kind, took);
                conn.slow = if took > SLOW_AFTER { STAYS_SLOW } else { conn.slow.saturating_sub(1) };
                self.answer(conn, response, terms, lease, hand)
            }
        }
    }

    /// Does a job that a leader left to this worker.
    pub(super) fn perform(&self, job: Job, hand: &mut Hand<'_>) {
        let step = match job {
            Job::Call(call) => {
                let Call { conn, request, terms, lease, kind } = *call;
                self.dispatch(conn, request, terms, lease, kind, Guess::Quick(true), hand)
            }
            Job::Event(event) => return self.on_event(event, hand),
            Job::Handshake(conn) => self.handshake(conn, hand),
            Job::Discard(what) => return drop(what),
            Job::Send(answered) => {
                let Answered { mut conn, response, terms, lease } = *answered;
                hand.out = std::mem::take(&mut conn.unsent);
                self.answer(conn, response, terms, lease, hand)
            }
        };
        self.drive_on(step, hand);
    }

    /// Answers what is no request, and ends the connection: nobody knows where the next one would begin.
    pub(super) fn refuse(&self, conn: Box<Conn>, refusal: Refusal, hand: &mut Hand<'_>) -> Step {
        let error = HttpError::new(refusal.status);
        let error = if refusal.status == StatusCode::BAD_REQUEST {
            error.with_description(format!("The request is malformed: {}.", refusal.why))
        } else {
            error
        };
        log::debug!("refused a request with {}: {}", refusal.status.as_u16(), refusal.why);
        let entry = match &conn.stage {
            Stage::Ahead(ahead) => Entry::begin(conn.peer, &ahead.head.method, &ahead.head.uri, ahead.head.version),
            _ => Entry::of_malformed(conn.peer, conn.input.as_slice()),
        };
        let terms = Terms { entry, ..Terms::last(Method::GET, Version::HTTP_11) };
        let mut conn = conn;
        conn.stage = Stage::Head;
        self.answer_finally(conn, error.into_response(), terms, hand)
    }

    fn refuse_with_body(&self, conn: Box<Conn>, refusal: Refusal, head: &RequestHead, hand: &mut Hand<'_>) -> Step {
        let what = format!("The request's body is larger than the {} bytes allowed.", self.limits.body);
        let response = HttpError::new(refusal.status).with_description(what).into_response();
        let entry = Entry::begin(conn.peer, &head.method, &head.uri, head.version);
        let terms = Terms { entry, ..Terms::last(head.method.clone(), head.version) };
        self.answer_finally(conn, response, terms, hand)
    }

    /// Throws away what is left of a body that was not wanted.
    fn drain(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        let mut skipped = 0;
        loop {
            let Stage::Draining(decoder, budget) = &mut conn.stage else { return Step::Go(conn) };
            match decoder.skip(conn.input.as_slice()) {
                Ok(progress) => {
                    conn.input.consume(progress.consumed);
                    skipped += progress.consumed;
                    *budget = budget.saturating_sub(progress.consumed as u64);
                    if decoder.is_done() {
                        conn.stage = Stage::Head;
                        conn.due = self.after(self.limits.keep_alive);
                        return Step::Go(conn);
                    }
                    if *budget == 0 {
                        return self.wind_up(conn, false, hand);
                    }
                    if progress.consumed > 0 && !conn.input.is_empty() {
                        continue; // what is wrong with the rest is told by itself
                    }
                }
                Err(_) => return self.wind_up(conn, false, hand),
            }
            if skipped > SKIP_AT_ONCE && hand.is_wanted() {
                return Step::Later(conn);
            }
            match Core::receive(&mut conn, &mut hand.scratch) {
                None => return Step::Close(conn),
                Some(0) if conn.ended => return Step::Close(conn),
                Some(0) if conn.more => {}
                Some(0) => return Step::Wait(conn),
                Some(n) => {
                    conn.input.push(&hand.scratch[..n]);
                    conn.due = self.after(self.limits.body_timeout);
                }
            }
        }
    }

    /// Waits for the client to see the end, and throws away what it sends until then.
    fn linger(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        conn.input.consume(conn.input.as_slice().len());
        let mut skipped = 0;
        loop {
            match Core::receive(&mut conn, &mut hand.scratch) {
                None => return Step::Close(conn),
                Some(0) if conn.ended => return Step::Close(conn),
                Some(0) if conn.more => {}
                Some(0) => return Step::Wait(conn),
                Some(n) => {
                    let Stage::Lingering(budget, end) = &mut conn.stage else { return Step::Close(conn) };
                    skipped += n;
                    *budget = budget.saturating_sub(n as u64);
                    if *budget == 0 {
                        return Step::Close(conn);
                    }
                    conn.due = self.after(LINGER).min(*end);
                    if skipped > SKIP_AT_ONCE && hand.is_wanted() {
                        return Step::Later(conn);
                    }
                }
            }
        }
    }

    /// Sends what is waiting to be sent on this connection: `Go` when that is done.
    pub(super) fn flush(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        if hand.out.is_empty() {
            return Step::Go(conn);
        }
        let mut sent = 0;
        loop {
            let written = match &hand.out[sent..] {
                [] => conn.stream.flush().map(|()| None),
                rest => conn.stream.write(rest, false).map(Some),
            };
            match written {
                Ok(Some(n)) => sent += n,
                Ok(None) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let rest = Bytes::copy_from_slice(&hand.out[sent..]);
                    hand.out.clear();
                    let outgoing = Outgoing::of_bytes(rest, self.now());
                    conn.stage = Stage::Sending(Box::new(outgoing));
                    conn.due = self.after(self.limits.write_timeout);
                    return Step::Wait(conn);
                }
                Err(_) => return Step::Close(conn),
            }
        }
        hand.out.clear();
        Step::Go(conn)
    }

    /// Whether more answers may be put behind those that wait to be sent.
    pub(super) fn may_put_off(conn: &Conn, hand: &Hand<'_>) -> bool {
        !conn.input.is_empty() && hand.out.len() < TOGETHER
    }
}

/// What events say. A connection that is broken is not read any more: nobody is there for an answer.
fn on_flags(mut conn: Box<Conn>, flags: u8) -> Step {
    if flags & GONE != 0 {
        return Step::Close(conn);
    }
    conn.half |= flags & HALF != 0;
    conn.more |= flags & (READ | HALF) != 0;
    Step::Go(conn)
}
