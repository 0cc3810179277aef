//! Blocking code called from async code: a pool of threads that may block.

use std::collections::VecDeque;
use std::io;
use std::panic::Location;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::counters::{self, Count};
use super::far::Runnable;
use super::header::Place;
use super::job::{Closure, Job};
use super::roll;
use super::shared_loop;
use super::task::Task;
use crate::quiet::quietly;

/// How long a thread waits for another closure before it ends.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// How many threads there may be, unless set.
const DEFAULT_THREADS: usize = 64;

/// Runs `f`, which may block, on a thread of the blocking pool. `loop.run_in_executor`,
/// `asyncio.to_thread`.
///
/// Await the task in a fragment, or [`join`](Task::join) it from blocking code. The luggage goes along; a
/// panic is delivered to whoever awaits. Dropping the task does not stop `f`, nor does a `timeout` around it: what takes
/// too long in there needs a limit of its own (a busy timeout, an interrupt handle, a socket timeout).
///
/// The pool has at most [`set_unblock_threads`] threads, named `dewar-unblock-N`; they are started when
/// they are needed and end after ten idle seconds. Closures that wait for other closures of the pool can
/// fill it up and wait for ever: as with Python's executors, don't.
///
/// ```
/// use dewar::bridge;
///
/// let text = bridge::block_on(async {
///     bridge::unblock(|| std::fs::read_to_string("Cargo.toml")).await
/// })???;
/// assert!(text.contains("[package]"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn unblock<T, F>(f: F) -> Task<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    counters::add(Count::UnblockJobs);
    let header = roll::of_a_closure(Place::Unblock, Location::caller());
    let job = Job::new(Arc::clone(&header), Closure::new(f));
    if let Err(error) = POOL.open() {
        pin!(job).refuse(&format!("no thread for the blocking pool: {error}"));
        let nothing = shared_loop::nothing(header.number);
        return Task::new(header, nothing);
    }
    let (runnable, task) =
        async_task::Builder::new().metadata(header.number).spawn(|_| job, |runnable| POOL.push(runnable));
    let task = Task::new(header, task.fallible());
    runnable.schedule();
    task
}

/// Sets how many threads [`unblock`] may use at once: 64 unless set, and at least 1. At any time; of too
/// many threads each ends when it has finished what it is doing.
///
/// ```
/// dewar::bridge::set_unblock_threads(8);
/// ```
pub fn set_unblock_threads(threads: usize) {
    let mut inner = POOL.lock();
    inner.max_threads = threads.max(1);
    // What is queued may now be allowed a thread.
    let refused = POOL.grow(&mut inner);
    drop(inner);
    warn_of(refused);
    // Idle threads look whether they are too many.
    POOL.changed.notify_all();
}

/// The blocking pool's figures at one moment; see [`unblock_stats`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnblockStats {
    /// Threads alive, idle ones included.
    pub threads: usize,
    /// Threads that wait for something to do, or are just being started.
    pub idle: usize,
    /// Closures that wait for a thread.
    pub queued: usize,
    /// How many threads there may be.
    pub max_threads: usize,
}

/// What the blocking pool is doing now.
///
/// ```
/// use dewar::bridge;
///
/// bridge::unblock(|| ()).join()?;
/// assert_eq!(bridge::unblock_stats().queued, 0);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn unblock_stats() -> UnblockStats {
    let inner = POOL.lock();
    UnblockStats { threads: inner.threads, idle: inner.idle, queued: inner.queue.len(), max_threads: inner.max_threads }
}

fn warn_of(refused: Option<io::Error>) {
    if let Some(error) = refused {
        quietly(|| log::error!("the blocking pool has no further thread: {error}"));
    }
}

struct Pool {
    inner: Mutex<Inner>,
    /// Notified once for each closure that is queued, and when the bound changes.
    changed: Condvar,
}

struct Inner {
    /// Not begun yet, oldest first.
    queue: VecDeque<Runnable>,
    /// Threads alive.
    threads: usize,
    /// Threads in `changed.wait`, and those that were started and have not had the lock yet. One that was
    /// notified counts until it has the lock again: so only what the queue has beyond this number asks for
    /// more threads.
    idle: usize,
    /// The bound on `threads`.
    max_threads: usize,
    /// For the threads' names.
    started: usize,
}

static POOL: Pool = Pool {
    inner: Mutex::new(Inner { queue: VecDeque::new(), threads: 0, idle: 0, max_threads: DEFAULT_THREADS, started: 0 }),
    changed: Condvar::new(),
};

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Closures never run under the lock; its state is whole even if it is poisoned.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that there is a thread.
    fn open(&'static self) -> io::Result<()> {
        let mut inner = self.lock();
        if inner.threads == 0 { self.start(&mut inner) } else { Ok(()) }
    }

    fn push(&'static self, job: Runnable) {
        let mut inner = self.lock();
        inner.queue.push_back(job);
        self.changed.notify_one();
        let refused = self.grow(&mut inner);
        // No thread, and none to be had (the last one has just left): cancelled, instead of waiting for ever. With at
        // least one thread the queue gets its turn, later.
        let stranded = if inner.threads == 0 { std::mem::take(&mut inner.queue) } else { VecDeque::new() };
        drop(inner);
        warn_of(refused);
        drop(stranded);
    }

    /// Starts as many threads as the queue asks for and the bound allows. An error is handed out, to be told of when
    /// the lock is let go: a logger may use the pool.
    fn grow(&'static self, inner: &mut Inner) -> Option<io::Error> {
        while inner.queue.len() > inner.idle && inner.threads < inner.max_threads {
            if let Err(error) = self.start(inner) {
                return Some(error);
            }
        }
        None
    }

    fn start(&'static self, inner: &mut Inner) -> io::Result<()> {
        let name = format!("dewar-unblock-{}", inner.started);
        thread::Builder::new().name(name).spawn(|| self.work())?;
        inner.threads += 1;
        inner.started += 1;
        inner.idle += 1; // until it has the lock
        Ok(())
    }

    /// A thread's life.
    fn work(&self) {
        let mut inner = self.lock();
        inner.idle -= 1; // counted by whoever started us
        loop {
            // Too many: the bound was lowered. Others are there for the queue, since the bound is above 0.
            if inner.threads > inner.max_threads {
                break;
            }
            if let Some(job) = inner.queue.pop_front() {
                drop(inner);
                job.run(); // catches panics itself
                inner = self.lock();
                continue;
            }
            inner.idle += 1;
            let (lock, timeout) = self.changed.wait_timeout(inner, IDLE_TIME).unwrap_or_else(PoisonError::into_inner);
            inner = lock;
            inner.idle -= 1;
            // With something in the queue it was notified at the last moment, and takes it.
            if timeout.timed_out() && inner.queue.is_empty() {
                break;
            }
        }
        inner.threads -= 1;
        // If we leave because there are too many, a notification that was ours must reach another.
        drop(inner);
        self.changed.notify_one();
    }
}
