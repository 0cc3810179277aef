//! The ticker: decides how many workers there are.
//!
//! **Growing.** When no worker is free, as many are started as are *blocked*: in the same job as a tick ago, and asleep
//! there as the kernel tells. A worker that is merely waiting for a processor is not blocked, and another one beside it
//! would only add context switches; but one that has been computing for [`UNFAIR`] counts too, since those who wait
//! behind it should not wait for its end. So 64 handlers that sleep have 64 workers after some seven ticks.
//!
//! **Shrinking.** Over each window of a second as many are needed as were stuck at once at most, and the minimum beside
//! them for those that are quick.
//!
//! **Sleeping.** When all are free and none is too many, the ticker sleeps until a worker becomes busy.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::{Inner, Shared, slot};
use crate::quiet::quietly;

/// A worker in the same job for longer than this is shown as blocked.
pub(super) const STUCK: Duration = Duration::from_millis(2);
/// How often to look while workers are stuck or none is free.
const FAST: Duration = Duration::from_millis(1);
/// How often to look while jobs come and go quickly.
const SLOW: Duration = Duration::from_millis(4);
/// How often to look while nothing happens and there are too many workers.
const IDLE: Duration = Duration::from_millis(250);
/// A job that computes for longer than this is worked around.
const UNFAIR: Duration = Duration::from_millis(50);
/// Saturation is told to those who wait for it when it has lasted for this.
const LASTING: Duration = Duration::from_millis(20);
/// Over how long it is counted how many workers are needed.
const WINDOW: Duration = Duration::from_secs(1);
/// How long to go on with what there is when the system refuses a thread.
const NO_SPAWN: Duration = Duration::from_millis(500);

/// What a look at the workers found.
struct Look {
    workers: usize,
    free: usize,
    /// In the same job as at the last look.
    stuck: usize,
    /// Those of them that another worker would help.
    blocked: usize,
}

pub(super) fn run(shared: &Arc<Shared>) {
    let _ = shared.ticker.set(thread::current());
    // It begins awake: a job may come before the first sleep.
    shared.lock().awakenings += 1;
    shared.changed.notify_all();
    let mut window = Instant::now();
    let mut peak = 0;
    // Whether all were free when last looked at, and nobody was told of an end of that.
    let mut resting = false;
    while !shared.closing.load(Ordering::Acquire) {
        let mut inner = shared.lock();
        let look = look(&mut inner, shared.max);
        note_saturation(shared, &mut inner, look.free == 0);
        let refused = if look.free == 0 && look.blocked > 0 { grow(shared, &mut inner, look.blocked) } else { None };
        if look.free < look.workers && std::mem::take(&mut resting) {
            // It came between the end of a sleep and this look.
            inner.awakenings += 1;
            shared.changed.notify_all();
        }
        peak = peak.max(look.stuck);
        if window.elapsed() >= WINDOW {
            let needed = shared.min + peak;
            shared.surplus.store(inner.workers.len().saturating_sub(needed), Ordering::Release);
            (window, peak) = (Instant::now(), 0);
        }
        // Not joined: what handlers left in thread-locals is dropped after a worker has put itself here, and that may
        // take its time, or ask for the pool's figures.
        inner.ended_threads.retain(|thread| !thread.is_finished());
        let workers = inner.workers.len();
        drop(inner);
        if let Some(error) = refused {
            quietly(|| log::warn!("no thread to be had beyond {workers} workers, going on with those: {error}"));
        }
        if look.free < look.workers {
            thread::park_timeout(if look.stuck > 0 || look.free == 0 { FAST } else { SLOW });
        } else {
            resting = !sleep(shared, (workers > shared.min).then_some(IDLE));
        }
    }
}

fn look(inner: &mut Inner, max: usize) -> Look {
    let now = Instant::now();
    let mut look = Look { workers: inner.workers.len(), free: 0, stuck: 0, blocked: 0 };
    for entry in &mut inner.workers {
        let number = entry.slot.number();
        if !slot::is_busy(number) {
            look.free += 1;
        } else if number == entry.seen {
            look.stuck += 1;
        }
        if number != entry.seen {
            (entry.seen, entry.since) = (number, now);
        }
    }
    if look.free == 0 && look.workers < max {
        let stuck = inner.workers.iter().filter(|entry| entry.since != now);
        look.blocked = stuck.filter(|entry| now - entry.since >= UNFAIR || entry.slot.sleeps() != Some(false)).count();
    }
    look
}

fn note_saturation(shared: &Shared, inner: &mut Inner, saturated: bool) {
    if !saturated {
        inner.saturated_since = None;
        inner.saturation_lasts = false;
        return;
    }
    let since = *inner.saturated_since.get_or_insert_with(Instant::now);
    // Not at once: under quick requests it comes and goes from tick to tick, and telling it wakes a thread.
    if !inner.saturation_lasts && since.elapsed() >= LASTING {
        inner.saturation_lasts = true;
        shared.changed.notify_all();
    }
}

/// The error is handed out, to be told of when the lock is let go: a logger may ask for the pool's figures.
fn grow(shared: &Arc<Shared>, inner: &mut Inner, by: usize) -> Option<io::Error> {
    // Those who close the pool take the lock after they have said so: nobody is started whom they have not counted.
    if shared.closing.load(Ordering::Acquire) || inner.no_spawn_before.is_some_and(|until| Instant::now() < until) {
        return None;
    }
    shared.surplus.store(0, Ordering::Release);
    for _ in 0..by.min(shared.max.saturating_sub(inner.workers.len())) {
        if let Err(error) = shared.start_worker(inner) {
            inner.no_spawn_before = Some(Instant::now() + NO_SPAWN);
            return Some(error);
        }
    }
    None
}

/// Sleeps until a worker becomes busy, or for `time`. Whether a worker did, of which those who wait for it are told.
fn sleep(shared: &Shared, time: Option<Duration>) -> bool {
    shared.ticker_asleep.store(true, Ordering::SeqCst);
    // A worker that became busy before that has not seen it; now it is seen here.
    let busy = shared.lock().workers.iter().any(|entry| slot::is_busy(entry.slot.number()));
    if !busy && !shared.closing.load(Ordering::SeqCst) {
        match time {
            Some(time) => thread::park_timeout(time),
            None => thread::park(),
        }
    }
    let woken = !shared.ticker_asleep.swap(false, Ordering::SeqCst) || busy;
    if woken {
        shared.lock().awakenings += 1;
        shared.changed.notify_all();
    }
    woken
}
