//! The loop in the background: threads that are started on first use and live as long as the process.
//!
//! One queue, one lock, and timers that an idle thread of its own waits for. futures-executor's `ThreadPool` would mark
//! its threads as "inside an executor" (a library's `block_on` in a task panics there), cannot grow, and has no timers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;
use std::{io, pin::pin};

use once_cell::sync::Lazy;

use super::far::Runnable;
use super::header::Header;
use super::job::{Body, Job, Output};
use super::roll::Roll;
use super::this_thread;
use super::timers::{Alarm, Timers};
use crate::quiet::quietly;

pub(crate) static ROLL: Roll = Roll::new();

static SHARED: SharedLoop = SharedLoop {
    inner: Mutex::new(Inner { queue: VecDeque::new(), threads: 0, sleeping: 0, is_time_kept: false }),
    changed: Condvar::new(),
};

/// How many threads there are to be.
static WANTED: AtomicUsize = AtomicUsize::new(1);
/// How many there are; for a look without the lock.
static THREADS: AtomicUsize = AtomicUsize::new(0);

static TIMERS: Lazy<Arc<Timers>> = Lazy::new(|| Arc::new(Timers::with_alarm(Alarm::Shared)));

struct SharedLoop {
    inner: Mutex<Inner>,
    /// Notified for each task that is queued, and when there is an earlier deadline.
    changed: Condvar,
}

struct Inner {
    queue: VecDeque<Runnable>,
    threads: usize,
    /// Threads in `changed.wait`.
    sleeping: usize,
    /// Whether one of those wakes up for the first timer; the others sleep without end.
    is_time_kept: bool,
}

/// Sets the number of the shared loop's threads: 1 unless set. It can be raised at any time; a running loop keeps the
/// threads that it has. The process's tokio runtime has as many, as of its first use.
///
/// ```
/// use dewar::bridge;
///
/// bridge::set_shared_threads(2);
/// bridge::spawn_shared(async {}).join()?;
/// assert_eq!(bridge::stats().shared_threads, 2);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn set_shared_threads(threads: usize) {
    WANTED.store(threads.max(1), Ordering::Relaxed);
    if THREADS.load(Ordering::Relaxed) > 0 {
        let refused = SHARED.grow();
        if let Err(error) = refused {
            quietly(|| log::error!("the shared loop has no further thread: {error}"));
        }
    }
}

/// At least so many, for a policy that says so.
#[inline]
pub(crate) fn at_least(threads: u16) {
    if usize::from(threads) > WANTED.load(Ordering::Relaxed) {
        set_shared_threads(usize::from(threads));
    }
}

/// As [`at_least`], for a tokio runtime that is not made yet.
#[cfg(feature = "tokio")]
pub(crate) fn wish_for(threads: u16) {
    WANTED.fetch_max(usize::from(threads), Ordering::Relaxed);
}

/// How many there are to be.
#[cfg(feature = "tokio")]
pub(crate) fn wanted() -> usize {
    WANTED.load(Ordering::Relaxed)
}

/// The number of its threads: zero before its first use.
pub(crate) fn threads() -> usize {
    THREADS.load(Ordering::Relaxed)
}

pub(crate) fn timers() -> Arc<Timers> {
    Arc::clone(&TIMERS)
}

/// There is an earlier deadline: whoever keeps the time is to look again.
pub(crate) fn look_at_the_clock() {
    // Under the lock, so that it comes before the look or after the sleep has begun.
    let inner = SHARED.lock();
    let is_anybody_asleep = inner.sleeping > 0;
    drop(inner);
    if is_anybody_asleep {
        SHARED.changed.notify_all();
    }
}

/// Hands `body` over. If there is no thread for it, the task ends at once, and says so.
pub(crate) fn spawn<B>(header: Arc<Header>, body: B) -> async_task::FallibleTask<Output<B::Output>, u64>
where
    B: Body<Output: Send + 'static> + Send + 'static,
{
    let number = header.number;
    let job = Job::new(header, body);
    if THREADS.load(Ordering::Relaxed) < WANTED.load(Ordering::Relaxed)
        && let Err(error) = SHARED.grow()
    {
        if SHARED.lock().threads == 0 {
            pin!(job).refuse(&format!("no thread for the shared loop: {error}"));
            return nothing(number);
        }
        quietly(|| log::error!("the shared loop has no further thread: {error}"));
    }
    let (runnable, task) = async_task::Builder::new().metadata(number).spawn(|_| job, |runnable| SHARED.push(runnable));
    runnable.schedule();
    task.fallible()
}

/// A task that has ended without a value.
pub(crate) fn nothing<T: Send + 'static>(number: u64) -> async_task::FallibleTask<Output<T>, u64> {
    let (runnable, task) = async_task::Builder::new().metadata(number).spawn(|_| std::future::pending(), drop);
    drop(runnable);
    task.fallible()
}

impl SharedLoop {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nobody else's code runs under the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, runnable: Runnable) {
        let mut inner = self.lock();
        inner.queue.push_back(runnable);
        let is_anybody_asleep = inner.sleeping > 0;
        drop(inner);
        if is_anybody_asleep {
            self.changed.notify_one();
        }
    }

    /// Starts the threads that are wanted.
    fn grow(&'static self) -> io::Result<()> {
        let mut inner = self.lock();
        while inner.threads < WANTED.load(Ordering::Relaxed) {
            let name = format!("dewar-loop-{}", inner.threads);
            thread::Builder::new().name(name).spawn(|| self.work())?;
            inner.threads += 1;
            THREADS.store(inner.threads, Ordering::Relaxed);
        }
        Ok(())
    }

    /// A thread's life. No panic gets here: a job catches its future's, its destructors' and its luggage's.
    fn work(&self) -> ! {
        let mut inner = self.lock();
        loop {
            if let Some(runnable) = inner.queue.pop_front() {
                drop(inner);
                this_thread::run_shared(runnable);
                if let Some(timers) = Lazy::get(&TIMERS) {
                    timers.fire();
                }
                inner = self.lock();
                continue;
            }
            // Asked under the lock: an earlier one that comes in from now on notifies.
            let deadline =
                if inner.is_time_kept { None } else { Lazy::get(&TIMERS).and_then(|timers| timers.first_deadline()) };
            let Some(deadline) = deadline else {
                inner.sleeping += 1;
                inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
                inner.sleeping -= 1;
                continue;
            };
            let rest = deadline.saturating_duration_since(Instant::now());
            if !rest.is_zero() {
                inner.sleeping += 1;
                inner.is_time_kept = true;
                inner = self.changed.wait_timeout(inner, rest).unwrap_or_else(PoisonError::into_inner).0;
                inner.is_time_kept = false;
                inner.sleeping -= 1;
            }
            // The keeper goes to work: another one is to keep the time.
            let is_heir_needed = inner.sleeping > 0;
            drop(inner);
            if is_heir_needed {
                self.changed.notify_one();
            }
            if let Some(timers) = Lazy::get(&TIMERS) {
                timers.fire();
            }
            inner = self.lock();
        }
    }
}
