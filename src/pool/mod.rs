//! Threads that run handlers: their names, how many there are, what they are doing, their panics and their end.
//!
//! The pool is **not a queue**. An engine gives it a *source loop*, which every worker runs: wait for the next job
//! wherever the engine keeps them, do it inside [`Worker::job`], wait again. What the pool knows of a worker is one
//! number on a cache line of its own, odd while it is in a job; a *ticker* thread looks at those numbers every
//! millisecond while anyone is busy, starts workers when all of them are stuck, and ends them when that is over.

mod slot;
mod ticker;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use slot::Slot;
pub(crate) use ticker::Look;

use crate::bridge::Leash;
use crate::quiet::quietly;

/// How long a worker beyond the minimum waits for a job before it looks whether it is still wanted.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a shutdown waits at least for threads that have nothing left to do.
const LEAST: Duration = Duration::from_millis(100);

/// What a pool is doing: see [`ServerStats`](crate::server::ServerStats).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Workers there are now.
    pub workers: usize,
    /// Workers that are in a handler.
    pub busy: usize,
    /// Workers that have been in the same handler for more than a few milliseconds.
    pub blocked: usize,
    /// Workers started since the beginning.
    pub started: u64,
    /// Workers that have ended, because they were no longer wanted.
    pub ended: u64,
    /// Jobs begun.
    pub jobs: u64,
    /// Panics that came as far as the worker itself. Those of handlers are caught before that, and counted in
    /// [`ServerStats::panics`](crate::server::ServerStats::panics).
    pub panics: u64,
    /// How long the worker that has been longest in its handler has been there.
    pub oldest: Duration,
    /// How long no worker has been free, or a request has waited for one: zero when none does.
    pub saturated: Duration,
}

/// Where the workers' jobs come from.
pub(crate) trait Source: Send + Sync {
    /// The loop that every worker runs: wait for a job, do it inside [`Worker::job`], and again, until
    /// [`Worker::closing`] or [`Worker::is_surplus`].
    fn work(&self, worker: &Worker<'_>);

    /// How many more workers it would take, by what the ticker has just seen. Called with the pool's lock held: it may
    /// not ask the pool for anything.
    fn wanted(&self, look: &Look<'_>) -> usize {
        look.blocked_when_none_is_free()
    }

    /// How many workers beyond the minimum have something to do at this moment.
    fn needed(&self, look: &Look<'_>) -> usize {
        look.stuck
    }

    /// There are so many more workers than were needed lately. Those of this source that wait without
    /// [patience](Worker::patience) have to be told.
    fn dismiss(&self, count: usize) {
        let _ = count;
    }

    /// Whether the ticker shall look every millisecond while jobs come and go quickly, rather than every four.
    fn is_impatient(&self) -> bool {
        false
    }
}

/// A source that is a closure, with the usual policy.
pub(crate) struct Plainly<F>(pub(crate) F);

impl<F: Fn(&Worker<'_>) + Send + Sync> Source for Plainly<F> {
    fn work(&self, worker: &Worker<'_>) {
        self.0(worker);
    }
}

/// A pool of worker threads.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    ticker: Mutex<Option<JoinHandle<()>>>,
}

pub(crate) struct Shared {
    min: usize,
    max: usize,
    source: Arc<dyn Source>,
    /// Set once, when the pool is to end.
    closing: AtomicBool,
    /// Ends what waits in the bridge, when the time for a shutdown is over.
    leash: Leash,
    /// How many workers beyond the minimum shall end as soon as they have nothing to do.
    surplus: AtomicUsize,
    /// Whether the ticker has to be woken by the next worker that becomes busy.
    ticker_asleep: AtomicBool,
    ticker: OnceLock<Thread>,
    panics: AtomicU64,
    inner: Mutex<Inner>,
    /// Told when a worker has ended, when saturation has lasted, when the pool awakes, and when it closes.
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    workers: Vec<Entry>,
    /// Threads that have ended or are about to, to be joined.
    ended_threads: Vec<JoinHandle<()>>,
    started: u64,
    ended: u64,
    /// Jobs of workers that have ended.
    past_jobs: u64,
    /// Since when no worker was seen free.
    saturated_since: Option<Instant>,
    /// Whether that has lasted, and those who wait for it were told.
    saturation_lasts: bool,
    /// How often the pool has come back to work after a time in which all were free.
    awakenings: u64,
    /// No thread is started before this: the last attempt failed.
    no_spawn_before: Option<Instant>,
}

struct Entry {
    slot: Arc<Slot>,
    thread: JoinHandle<()>,
    /// The number that the ticker last saw, and when it was new.
    seen: u64,
    since: Instant,
}

impl Pool {
    /// Starts `min` workers, each of which works for `source`; there will never be more than `max`.
    ///
    /// # Errors
    /// When not a single thread could be started. With fewer than `min` the pool goes on.
    pub(crate) fn start(min: usize, max: usize, source: Arc<dyn Source>) -> std::io::Result<Pool> {
        let max = max.max(1);
        let shared = Arc::new(Shared {
            min: min.clamp(1, max),
            max,
            source,
            closing: AtomicBool::new(false),
            leash: Leash::new(),
            surplus: AtomicUsize::new(0),
            ticker_asleep: AtomicBool::new(false),
            ticker: OnceLock::new(),
            panics: AtomicU64::new(0),
            inner: Mutex::default(),
            changed: Condvar::new(),
        });
        for started in 0..shared.min {
            let outcome = shared.start_worker(&mut shared.lock());
            match outcome {
                Ok(()) => {}
                Err(error) if started == 0 => return Err(error),
                Err(error) => {
                    log::warn!("only {started} of {} workers could be started: {error}", shared.min);
                    break;
                }
            }
        }
        let ticking = Arc::clone(&shared);
        let ticker = thread::Builder::new().name("dewar-ticker".into()).spawn(move || ticker::run(&ticking));
        let ticker = match ticker {
            Ok(ticker) => Some(ticker),
            Err(error) => {
                log::error!("the pool cannot grow, its ticker could not be started: {error}");
                None
            }
        };
        Ok(Pool { shared, ticker: Mutex::new(ticker) })
    }

    /// What a thread outside of the pool needs to watch it.
    pub(crate) fn watch(&self) -> Watch {
        Watch(Arc::clone(&self.shared))
    }

    /// What the pool is doing.
    pub(crate) fn stats(&self) -> PoolStats {
        let inner = self.shared.lock();
        let now = Instant::now();
        let mut stats = PoolStats {
            workers: inner.workers.len(),
            started: inner.started,
            ended: inner.ended,
            jobs: inner.past_jobs,
            panics: self.shared.panics.load(Ordering::Relaxed),
            saturated: inner.saturated_since.map_or(Duration::ZERO, |since| now - since),
            ..PoolStats::default()
        };
        for entry in &inner.workers {
            let number = entry.slot.number();
            stats.jobs += slot::jobs(number);
            if slot::is_busy(number) {
                stats.busy += 1;
                // What the ticker has not seen yet is younger than a tick.
                let age = if number == entry.seen { now - entry.since } else { Duration::ZERO };
                stats.oldest = stats.oldest.max(age);
                stats.blocked += usize::from(age > ticker::STUCK);
            }
        }
        stats
    }

    /// Tells the workers to end when they next look. An engine then wakes those that wait in its source.
    pub(crate) fn close(&self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.shared.wake_ticker();
        // With the lock, so that nobody is between looking at `closing` and waiting.
        drop(self.shared.lock());
        self.shared.changed.notify_all();
    }

    /// Waits for the workers to end, at most until `deadline`; returns how many have not.
    pub(crate) fn join(&self, deadline: Instant) -> usize {
        let left = self.wait_for_all(deadline);
        if left > 0 {
            self.end_fragments();
            self.wait_for_all(Instant::now() + LAST_WORDS);
        }
        let mut inner = self.shared.lock();
        let left = inner.workers.len();
        let threads = std::mem::take(&mut inner.ended_threads);
        drop(inner);
        let ticker = self.ticker.lock().unwrap_or_else(PoisonError::into_inner).take();
        join_until(threads.into_iter().chain(ticker).collect(), deadline);
        left
    }

    /// Ends the bridge's fragments on the workers' threads: handlers that wait in one get an error from it. For those
    /// that a shutdown would wait for in vain; [`LAST_WORDS`] is the time that it gives them then.
    pub(crate) fn end_fragments(&self) {
        self.shared.leash.pull();
    }

    /// The number of workers that are left at the deadline.
    fn wait_for_all(&self, deadline: Instant) -> usize {
        let mut inner = self.shared.lock();
        while !inner.workers.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            inner = self.shared.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        inner.workers.len()
    }
}

/// For handlers whose fragments were ended, to answer and return.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(200);

/// Waits for threads to end, at most until `deadline`. What handlers left in thread-locals is dropped there last, and
/// may not come to an end; so another thread does the waiting, since a join has no deadline of its own.
pub(crate) fn join_until(threads: Vec<JoinHandle<()>>, deadline: Instant) {
    let (done, all) = mpsc::channel();
    let join = move || {
        for thread in threads {
            // Its panics were caught inside.
            let _ = thread.join();
        }
        let _ = done.send(());
    };
    // Without a thread for it they are let go.
    if let Ok(joiner) = thread::Builder::new().name("dewar-join".into()).spawn(join) {
        // However late it is, those that have ended are not left behind.
        if all.recv_timeout(deadline.saturating_duration_since(Instant::now()).max(LEAST)).is_ok() {
            let _ = joiner.join(); // it has nothing left to do
        }
    }
}

/// A worker that has been in one job for long: see [`Watch::longer_than`].
pub(crate) struct Slow {
    pub(crate) worker: u64,
    pub(crate) job: u64,
    /// See [`Worker::note`].
    pub(crate) note: u64,
    pub(crate) age: Duration,
}

/// A look at a pool from outside: for an engine's own threads.
#[derive(Clone)]
pub(crate) struct Watch(Arc<Shared>);

impl Watch {
    /// Waits until no worker has been free for some ticks; `false` when the pool closes instead.
    pub(crate) fn until_saturated(&self) -> bool {
        let mut inner = self.0.lock();
        while !inner.saturation_lasts && !self.closing() {
            inner = self.0.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        !self.closing()
    }

    /// Waits until a worker becomes busy after a time in which all were free; `seen` tells the last time from this one.
    /// `false` when the pool closes instead.
    pub(crate) fn until_awake(&self, seen: &mut u64) -> bool {
        let mut inner = self.0.lock();
        while inner.awakenings == *seen && !self.closing() {
            inner = self.0.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        *seen = inner.awakenings;
        !self.closing()
    }

    /// Has the ticker look now: there is more to do than there are workers.
    pub(crate) fn hurry(&self) {
        self.0.ticker_asleep.store(false, Ordering::SeqCst);
        if let Some(ticker) = self.0.ticker.get() {
            ticker.unpark();
        }
    }

    /// How much processor time a worker has had, where the kernel tells and the worker is still there.
    pub(crate) fn cpu_time(&self, id: u64) -> Option<Duration> {
        let slot = self.0.lock().workers.iter().find(|entry| entry.slot.id == id).map(|entry| Arc::clone(&entry.slot));
        slot?.cpu_time()
    }

    /// The workers that have been in the same job for longer than `time`.
    pub(crate) fn longer_than(&self, time: Duration) -> Vec<Slow> {
        let inner = self.0.lock();
        let stuck = inner.workers.iter().filter(|entry| {
            slot::is_busy(entry.seen) && entry.slot.number() == entry.seen && entry.since.elapsed() > time
        });
        let slow = stuck.map(|entry| Slow {
            worker: entry.slot.id,
            job: entry.seen,
            note: entry.slot.note.load(Ordering::Relaxed),
            age: entry.since.elapsed(),
        });
        slow.collect()
    }

    /// How many jobs were begun by now.
    pub(crate) fn jobs(&self) -> u64 {
        let inner = self.0.lock();
        inner.past_jobs + inner.workers.iter().map(|entry| slot::jobs(entry.slot.number())).sum::<u64>()
    }

    /// Whether any worker is in a job.
    pub(crate) fn busy(&self) -> bool {
        self.0.lock().workers.iter().any(|entry| slot::is_busy(entry.slot.number()))
    }

    /// Waits for `time`, or for the pool to close.
    pub(crate) fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut inner = self.0.lock();
        while !self.closing() && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            inner = self.0.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether no worker was free when last looked at.
    pub(crate) fn saturated(&self) -> bool {
        self.0.lock().saturated_since.is_some()
    }

    /// Whether the pool is ending.
    pub(crate) fn closing(&self) -> bool {
        self.0.closing.load(Ordering::Acquire)
    }
}

/// A worker, as its source loop sees it.
pub(crate) struct Worker<'a> {
    shared: &'a Arc<Shared>,
    slot: &'a Slot,
    base: bool,
}

impl Worker<'_> {
    /// The worker is in a job until the guard is dropped.
    pub(crate) fn job(&self) -> Job<'_> {
        self.slot.begin();
        if self.shared.ticker_asleep.load(Ordering::SeqCst) {
            self.shared.wake_ticker();
        }
        Job(self.slot)
    }

    /// Its number, which no other worker of the pool has or will have.
    pub(crate) fn id(&self) -> u64 {
        self.slot.id
    }

    /// Leaves word of what the worker is about to do, for whoever finds it [stuck](Stuck::note).
    pub(crate) fn note(&self, note: u64) {
        self.slot.note.store(note, Ordering::Relaxed);
    }

    /// How long to wait for a job at once. `None` for those of the minimum, who wait for as long as it takes.
    pub(crate) fn patience(&self) -> Option<Duration> {
        (!self.base).then_some(PATIENCE)
    }

    /// Whether the worker is not wanted any more: there are more than needed. Asking takes one's leave, so the source
    /// loop must end when this is true.
    pub(crate) fn is_surplus(&self) -> bool {
        !self.base
            && self.shared.surplus.load(Ordering::Relaxed) > 0
            && self.shared.surplus.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok()
    }

    /// Whether the pool is ending.
    pub(crate) fn closing(&self) -> bool {
        self.shared.closing.load(Ordering::Acquire)
    }

    /// What a thread outside of the pool needs to watch it.
    pub(crate) fn watch(&self) -> Watch {
        Watch(Arc::clone(self.shared))
    }
}

/// A job that is being done: see [`Worker::job`].
pub(crate) struct Job<'a>(&'a Slot);

impl Drop for Job<'_> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock, short of the allocator.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_ticker(&self) {
        if self.ticker_asleep.swap(false, Ordering::SeqCst)
            && let Some(ticker) = self.ticker.get()
        {
            ticker.unpark();
        }
    }

    fn start_worker(self: &Arc<Self>, inner: &mut Inner) -> std::io::Result<()> {
        let number = inner.started + 1;
        let base = inner.workers.iter().filter(|entry| entry.slot.base).count() < self.min;
        let slot = Arc::new(Slot::new(number, base));
        let (shared, own) = (Arc::clone(self), Arc::clone(&slot));
        let thread = thread::Builder::new().name(format!("dewar-worker-{number}")).spawn(move || shared.work(&own))?;
        inner.started = number;
        inner.workers.push(Entry { slot, thread, seen: 0, since: Instant::now() });
        Ok(())
    }

    /// What a worker's thread does.
    fn work(self: &Arc<Self>, slot: &Arc<Slot>) {
        slot.announce();
        let _held = self.leash.hold();
        let worker = Worker { shared: self, slot, base: slot.base };
        while quietly(|| self.source.work(&worker)).is_none() {
            // Engines catch what handlers do; this is for what they did not think of. The panic hook has told of it.
            self.panics.fetch_add(1, Ordering::Relaxed);
            quietly(|| log::error!("a worker panicked outside of a handler; it goes on"));
        }
        let mut inner = self.lock();
        if let Some(at) = inner.workers.iter().position(|entry| Arc::ptr_eq(&entry.slot, slot)) {
            let entry = inner.workers.swap_remove(at);
            inner.ended_threads.push(entry.thread);
        }
        inner.past_jobs += slot::jobs(slot.number());
        inner.ended += 1;
        drop(inner);
        self.changed.notify_all();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.stats()).finish()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
