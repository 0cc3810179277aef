//! What has to happen at its time: clients that are too slow, requests that wait too long for a worker, and how many
//! shards there should be.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{Method, StatusCode, Version};

use super::claim::{GONE, Outcome};
use super::conn::{Conn, Stage, Terms};
use super::core::{Answered, Core, Job};
use super::drive::{NO_HANDLER, Step};
use super::entry::Entry;
use super::hand::Hand;
use super::load::{Load, WINDOW};
use super::predict::Kind;
use super::table::Token;
use crate::error::HttpError;
use crate::proto::Refusal;

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
    while !core.is_ending() {
        let idle = core.table.open() == 0 && !paused;
        core.pause((!idle).then_some(pace.min(WINDOW / 2)));
        let now = core.now();
        for (index, _) in core.table.places() {
            if let Some(conn) = core.claim_due(index, now) {
                core.expire(conn, &mut hand);
            }
        }
        while let Some(job) = core.crew.overdue(limits.queue_deadline) {
            core.overdue(job, &mut hand);
        }
        paused = core.resume_accepting();
        load.look(core);
        name_slow_handlers(core, &mut named);
    }
}

impl Core {
    /// A connection's time is over.
    fn expire(&self, conn: Box<Conn>, hand: &mut Hand<'_>) {
        let late = |why| Refusal { status: StatusCode::REQUEST_TIMEOUT, why };
        let (phase, step) = match &conn.stage {
            Stage::Head if conn.input.is_empty() => ("between requests", Step::Close(conn)),
            Stage::Head => ("sending a head", self.refuse(conn, late("its head took too long"), hand)),
            Stage::Ahead(_) => ("sending a body", self.refuse(conn, late("its body took too long"), hand)),
            Stage::Sending(_) => {
                conn.stream.cut();
                ("taking a response", Step::Close(conn))
            }
            Stage::Draining(..) => ("sending a body that was not wanted", Step::Close(conn)),
            Stage::Lingering(_) => ("closing", Step::Close(conn)),
        };
        if phase != "between requests" && phase != "closing" {
            self.figures.timeouts.fetch_add(1, Ordering::Relaxed);
        }
        log::debug!("a client was too slow {phase}: its connection is closed");
        self.drive_on(step, hand);
    }

    /// No worker came for a job in time.
    fn overdue(&self, job: Job, hand: &mut Hand<'_>) {
        let step = match job {
            Job::Event(event) => {
                let token = Token::from_u64(event.token);
                let place = self.table.place(token.index);
                if place.claim.event(token.generation, event.flags) != Outcome::Mine {
                    return;
                }
                let Some(conn) = place.take() else { return };
                if event.flags & GONE != 0 || !matches!(conn.stage, Stage::Head | Stage::Ahead(_)) {
                    // No request waits here. In the middle of a response, its rest would come behind the 503.
                    return self.drive(conn, event.flags, hand);
                }
                let entry = Entry::of_malformed(conn.peer, b"");
                let terms = Terms { entry, ..Terms::last(Method::GET, Version::HTTP_11) };
                self.come_again(conn, terms, hand)
            }
            Job::Call(call) => {
                let call = *call;
                let mut conn = call.conn;
                if let Some(reading) = call.lease.and_then(|lease| lease.revoke()) {
                    conn.input = reading.input;
                }
                let terms = Terms { keep_alive: false, ..call.terms };
                self.come_again(conn, terms, hand)
            }
            Job::Send(answered) => {
                let Answered { mut conn, terms, .. } = *answered;
                // The answers to earlier requests go first, or this would be taken for one of them.
                hand.out = std::mem::take(&mut conn.unsent);
                let terms = Terms { keep_alive: false, ..terms };
                self.come_again(conn, terms, hand)
            }
        };
        self.drive_on(step, hand);
    }

    fn come_again(&self, conn: Box<Conn>, terms: Terms, hand: &mut Hand<'_>) -> Step {
        self.figures.refused.fetch_add(1, Ordering::Relaxed);
        let seconds = self.limits.queue_deadline.as_secs();
        log::warn!("no worker was free for {seconds} s, a request is answered with 503");
        let response = HttpError::new(503).with_header("retry-after", &seconds.clamp(1, 60).to_string());
        self.answer_finally(conn, response.into_response(), terms, hand)
    }
}

/// Tells once of each handler that does not return.
fn name_slow_handlers(core: &Core, named: &mut Vec<(u64, u64)>) {
    let Some(watch) = core.watch.get() else { return };
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
