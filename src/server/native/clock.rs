//! What has to happen at its time: clients that are too slow, requests that wait too long for a worker, and how many
//! shards there should be.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::{Method, StatusCode, Version};

use super::claim::Outcome;
use super::conn::{Conn, Stage, Terms};
use super::core::{Answered, Call, Core, Job};
use super::drive::{NO_HANDLER, Step};
use super::entry::Entry;
use super::hand::Hand;
use super::load::{Load, WINDOW};
use super::predict::{FORGIVEN_AFTER, Kind};
use super::ready::Event;
use super::table::Token;
use crate::body::Closers;
use crate::error::HttpError;
use crate::proto::Refusal;
use crate::response::Response;

/// How often to look, unless a timeout is so short that this would be coarse.
const PACE: Duration = Duration::from_millis(250);
const FASTEST: Duration = Duration::from_millis(2);
pub(super) fn run(core: &Arc<Core>) {
    let mut hand = Hand::new(None);
    let limits = &core.limits;
    let shortest =
        [limits.head_timeout, limits.body_timeout, limits.keep_alive, limits.write_timeout, limits.queue_deadline];
    let pace = shortest.into_iter().fold(PACE, |pace, time| pace.min(time / 8)).max(FASTEST);
    let mut load = Load::default();
    let mut named = Vec::new();
    let mut paused = false;
    let mut forgiven = Instant::now();
    while !core.is_ending() {
        let idle = core.table.open() == 0 && !paused;
        core.pause((!idle).then_some(pace.min(WINDOW / 2)));
        let now = core.now();
        for (index, _) in core.table.places() {
            if let Some(conn) = core.claim_due(index, now) {
                core.safely(&mut hand, |hand| core.expire(conn, hand));
            }
        }
        while let Some(job) = core.crew.overdue(limits.queue_deadline) {
            core.safely(&mut hand, |hand| core.overdue(job, hand));
        }
        paused = core.resume_accepting();
        load.look(core);
        if forgiven.elapsed() >= FORGIVEN_AFTER {
            core.predictor.forgive();
            forgiven = Instant::now();
        }
        core.safely(&mut hand, |_| name_slow_handlers(core, &mut named));
    }
}

impl Core {
    /// A connection's time is over.
    fn expire(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) {
        if matches!(conn.stage, Stage::Head) && conn.input.is_empty() {
            // A request may have come that nobody has looked at yet.
            conn.more = true;
            if let Some(n @ 1..) = Core::receive(&mut conn, &mut hand.scratch) {
                conn.input.push(&hand.scratch[..n]);
                conn.due = self.after(self.limits.head_timeout);
                return self.drive_on(Step::Go(conn), hand);
            }
        }
        let phase = match &conn.stage {
            Stage::Handshake => "in the TLS handshake",
            Stage::Head if conn.input.is_empty() => "between requests",
            Stage::Head => "sending a head",
            Stage::Ahead(_) => "sending a body",
            Stage::Sending(_) => "taking a response",
            Stage::Draining(..) => "sending a body that was not wanted",
            Stage::Lingering(..) => "closing",
        };
        if phase != "between requests" && phase != "closing" {
            self.figures.timeouts.fetch_add(1, Ordering::Relaxed);
        }
        log::debug!("a client was too slow {phase}: its connection is closed");
        let late = |why| Refusal { status: StatusCode::REQUEST_TIMEOUT, why };
        let step = match &conn.stage {
            Stage::Head if !conn.input.is_empty() => self.refuse(conn, late("its head took too long"), hand),
            Stage::Ahead(_) => self.refuse(conn, late("its body took too long"), hand),
            Stage::Sending(outgoing) => {
                conn.stream.abort();
                if outgoing.closers.as_ref().is_none_or(Closers::is_empty) {
                    Step::Close(conn)
                } else {
                    // Jobs on close may wait for what they like, and all others would wait for them here.
                    self.submit(Job::Discard(conn));
                    Step::Away
                }
            }
            Stage::Handshake | Stage::Head | Stage::Draining(..) | Stage::Lingering(..) => Step::Close(conn),
        };
        self.drive_on(step, hand);
    }

    /// No worker came for a job in time.
    fn overdue(&self, job: Job, hand: &mut Hand<'_>) {
        let (conn, terms) = match job {
            Job::Discard(_) => return self.submit(job), // nobody waits for that
            Job::Handshake(conn) => {
                self.note_refusal("a connection is closed before its handshake");
                return self.close(conn);
            }
            Job::Event(event) => {
                let Some(conn) = self.asking(event, hand) else { return };
                let entry = Entry::of_malformed(conn.peer, conn.input.as_slice());
                (conn, Terms { entry, ..Terms::last(Method::GET, Version::HTTP_11) })
            }
            Job::Call(call) => {
                let Call { mut conn, terms, lease, .. } = *call;
                if let Some(reading) = lease.and_then(|lease| lease.revoke()) {
                    conn.input = reading.input;
                }
                (conn, terms)
            }
            Job::Send(answered) => {
                let Answered { mut conn, response, terms, .. } = *answered;
                // The answers before this one go before it.
                hand.out = std::mem::take(&mut conn.unsent);
                // A body's destructor may wait for what it likes.
                self.submit(Job::Discard(Box::new(response)));
                (conn, terms)
            }
        };
        self.note_refusal("a request is answered with 503");
        let step = self.answer_finally(conn, self.come_again(), Terms { keep_alive: false, ..terms }, hand);
        self.drive_on(step, hand);
    }

    fn note_refusal(&self, outcome: &str) {
        self.figures.refused.fetch_add(1, Ordering::Relaxed);
        log::warn!("no worker was free for {:?}, {outcome}", self.limits.queue_deadline);
    }

    /// The connection of an event that no worker came for, if it has asked for something. An event of any other kind goes
    /// back in line: there must be no answer that nobody has asked for, least of all in the middle of another one.
    fn asking(&self, event: Event, hand: &mut Hand<'_>) -> Option<Box<Conn>> {
        let token = Token::from_u64(event.token);
        let place = self.table.place(token.index);
        if place.claim.event(token.generation, event.flags) != Outcome::Mine {
            return None;
        }
        let mut conn = place.take()?;
        if !matches!(conn.stage, Stage::Head) {
            place.put(conn);
            self.hand_back(token, event.flags);
            return None;
        }
        conn.more = true;
        let step = match Core::receive(&mut conn, &mut hand.scratch) {
            Some(0) if conn.input.is_empty() && !conn.ended => Step::Wait(conn),
            Some(n) if n > 0 || !conn.input.is_empty() => {
                conn.input.push(&hand.scratch[..n]);
                return Some(conn);
            }
            _ => Step::Close(conn),
        };
        self.drive_on(step, hand);
        None
    }

    fn come_again(&self) -> Response {
        let seconds = self.limits.queue_deadline.as_secs().clamp(1, 60).to_string();
        HttpError::new(503).with_header("retry-after", &seconds).into_response()
    }
}

/// Tells once of each handler that does not return.
fn name_slow_handlers(core: &Core, named: &mut Vec<(u64, u64)>) {
    let Some(watch) = core.watch.get().filter(|_| !core.limits.slow_handler.is_zero()) else { return };
    let slow = watch.longer_than(core.limits.slow_handler);
    named.retain(|known| slow.iter().any(|slow| (slow.worker, slow.job) == *known));
    for slow in slow {
        if slow.note != NO_HANDLER && !named.contains(&(slow.worker, slow.job)) {
            named.push((slow.worker, slow.job));
            let name = core.predictor.name_of(Kind::from_u64(slow.note));
            log::warn!("a handler has not returned for {:?}: one like {name}", slow.age);
        }
    }
}
