//! What has to happen at its time: clients that are too slow, requests that wait too long for a worker, and how many
//! shards there should be.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::StatusCode;

use super::conn::{Conn, Stage, Terms};
use super::core::{Answered, Core, Job};
use super::drive::{NO_HANDLER, Step};
use super::hand::Hand;
use super::predict::Kind;
use crate::error::HttpError;
use crate::proto::Refusal;

/// How often to look, unless a timeout is so short that this would be coarse.
const PACE: Duration = Duration::from_millis(250);
const FASTEST: Duration = Duration::from_millis(2);
/// Over how long it is counted what the leaders have to do.
const WINDOW: Duration = Duration::from_millis(100);
/// Leaders that have so large a part of a processor have no time left.
const FULL: f64 = 0.97;
/// What the others must have had of theirs, for one to be given up.
const SPARE: f64 = 0.70;

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
        core.pause((!idle).then_some(pace.min(WINDOW)));
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
        self.figures.refused.fetch_add(1, Ordering::Relaxed);
        let seconds = self.limits.queue_deadline.as_secs();
        log::warn!("no worker was free for {seconds} s, a request is answered with 503");
        let step = match job {
            Job::Call(call) => {
                let call = *call;
                let mut conn = call.conn;
                if let Some(reading) = call.lease.and_then(|lease| lease.revoke()) {
                    conn.input = reading.input;
                }
                let retry = seconds.clamp(1, 60).to_string();
                let response = HttpError::new(503).with_header("retry-after", &retry).into_response();
                let terms = Terms { keep_alive: false, ..call.terms };
                self.answer_finally(conn, response, terms, hand)
            }
            Job::Send(answered) => {
                let Answered { conn, terms, .. } = *answered;
                let terms = Terms { keep_alive: false, ..terms };
                let response = HttpError::new(503).into_response();
                self.answer_finally(conn, response, terms, hand)
            }
        };
        self.drive_on(step, hand);
    }
}

/// How much the leaders have to do, which says how many there should be. One is best for as long as it has time: it
/// finds many events with each wait, and leaves the other processors to those who need them.
#[derive(Default)]
struct Load {
    since: Option<Instant>,
    /// Each leader, and the processor time that it has had.
    leaders: Vec<(u64, Duration)>,
    full: u32,
    spare: u32,
}

impl Load {
    fn look(&mut self, core: &Core) {
        let (Some(watch), active) = (core.watch.get(), core.active.load(Ordering::Relaxed)) else { return };
        let elapsed = self.since.map_or(Duration::MAX, |since| since.elapsed());
        if core.shards.len() == 1 || elapsed < WINDOW {
            return;
        }
        let times = core.shards[..active].iter().map(|shard| {
            let leader = shard.leader()?;
            Some((leader, watch.cpu_time(leader)?))
        });
        let before = std::mem::take(&mut self.leaders);
        self.since = Some(Instant::now());
        let Some(now) = times.collect::<Option<Vec<_>>>() else {
            // Nobody tells (or a leader has just been deposed): then all of them, as elsewhere.
            if !cfg!(target_os = "linux") {
                core.active.store(core.shards.len(), Ordering::Relaxed);
            }
            return;
        };
        let parts = now.iter().map(|(leader, time)| {
            let (_, earlier) = before.iter().find(|(id, _)| id == leader)?;
            Some(time.saturating_sub(*earlier).as_secs_f64() / elapsed.as_secs_f64())
        });
        let parts = parts.collect::<Option<Vec<_>>>();
        self.leaders = now;
        let Some(parts) = parts else { return };
        let all: f64 = parts.iter().sum();
        self.full = if parts.iter().all(|part| *part > FULL) { self.full + 1 } else { 0 };
        self.spare = if active > 1 && all < SPARE * (active - 1) as f64 { self.spare + 1 } else { 0 };
        if self.full >= 3 && active < core.shards.len() {
            core.active.store(active + 1, Ordering::Relaxed);
            self.full = 0;
        } else if self.spare >= 10 {
            core.active.store(active - 1, Ordering::Relaxed);
            self.spare = 0;
        }
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
