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

use super::slot::{self, Slot};
use super::{Entry, Inner, Shared};
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
pub(crate) struct Look<'a> {
    pub(crate) workers: usize,
    pub(crate) free: usize,
    /// In the same job as at the last look.
    pub(crate) stuck: usize,
    /// Jobs have begun since the last look.
    moving: bool,
    entries: &'a [Entry],
    now: Instant,
}

/// A worker that is in the same job as at the last look.
pub(crate) struct Stuck<'a> {
    slot: &'a Slot,
    /// Since it was first seen there.
    pub(crate) age: Duration,
}

impl Stuck<'_> {
    /// See [`Worker::id`](super::Worker::id).
    pub(crate) fn id(&self) -> u64 {
        self.slot.id
    }

    /// See [`Worker::note`](super::Worker::note).
    pub(crate) fn note(&self) -> u64 {
        self.slot.note.load(Ordering::Relaxed)
    }

    /// Whether another worker would help: it waits for something other than a processor, as far as the kernel tells,
    /// or has been computing for `unfair`.
    pub(crate) fn is_blocked(&self, unfair: Duration) -> bool {
        self.age >= unfair || self.is_asleep()
    }

    /// Whether it waits for something other than a processor, as far as the kernel tells.
    pub(crate) fn is_asleep(&self) -> bool {
        self.slot.sleeps() != Some(false)
    }
}

impl Look<'_> {
    /// The workers that are in the same job as at the last look.
    pub(crate) fn stuck(&self) -> impl Iterator<Item = Stuck<'_>> {
        let stuck = self.entries.iter().filter(|entry| entry.since != self.now && slot::is_busy(entry.seen));
        stuck.map(|entry| Stuck { slot: &entry.slot, age: self.now - entry.since })
    }

    /// The usual policy: see the module.
    pub(crate) fn blocked_when_none_is_free(&self) -> usize {
        if self.free > 0 {
            return 0;
        }
        self.stuck().filter(|stuck| stuck.is_blocked(UNFAIR)).count()
    }
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
        let look = look(&mut inner);
        let wanted = shared.source.wanted(&look);
        peak = peak.max(shared.source.needed(&look));
        let (all_free, none_free) = (look.free == look.workers, look.free == 0);
        let pace = if look.stuck > 0 || none_free || shared.source.is_impatient() { FAST } else { SLOW };
        let moving = look.moving;
        note_saturation(shared, &mut inner, none_free);
        let refused = if wanted > 0 { grow(shared, &mut inner, wanted) } else { None };
        if !all_free && std::mem::take(&mut resting) {
            // It came between the end of a sleep and this look.
            inner.awakenings += 1;
            shared.changed.notify_all();
        }
        if window.elapsed() >= WINDOW {
            let needed = shared.min + peak;
            let surplus = inner.workers.len().saturating_sub(needed);
            shared.surplus.store(surplus, Ordering::Release);
            if surplus > 0 {
                shared.source.dismiss(surplus);
            }
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
        if !all_free || moving {
            thread::park_timeout(pace);
        } else {
            resting = !sleep(shared, (workers > shared.min).then_some(IDLE));
        }
    }
}

fn look(inner: &mut Inner) -> Look<'_> {
    let now = Instant::now();
    let (mut free, mut stuck, mut moving) = (0, 0, false);
    for entry in &mut inner.workers {
        let number = entry.slot.number();
        if !slot::is_busy(number) {
            free += 1;
        } else if number == entry.seen {
            stuck += 1;
        }
        if number != entry.seen {
            (entry.seen, entry.since) = (number, now);
            moving = true;
        }
    }
    Look { workers: inner.workers.len(), free, stuck, moving, entries: &inner.workers, now }
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
