//! What the bridge counts, and how it counts for next to nothing.
//!
//! Every thread owns a *sheet* of counters that it alone writes, so an increment is a plain load and
//! store on a cache line that no other core wants. Readers sum over the sheets of all living threads;
//! when a thread ends, its sheet is added to a total and leaves the list.
//!
//! Sums are exact once the threads that count are at rest (after a join, after a response); while they
//! run, a sum is a moment's estimate.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What can be counted: the index of a line on every thread's sheet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    LoopsCreated,
    Fragments,
    Polls,
    TasksFinished,
    TasksSpawned,
    TasksCancelled,
    TasksPanicked,
    OwnThreads,
    UnblockJobs,
    ComputeJobs,
    /// A gauge: guards packed less guards dropped. A `Packed` is dropped on the thread that made it,
    /// so that no sheet goes below zero.
    Pushed,
}

const LINES: usize = Count::Pushed as usize + 1;

/// One thread's counters. Aligned so that two sheets never share a cache line (128: adjacent lines are
/// fetched in pairs on x86, and are that long on some arm64).
#[repr(align(128))]
struct Sheet([AtomicU64; LINES]);

impl Sheet {
    const fn new() -> Sheet {
        Sheet([const { AtomicU64::new(0) }; LINES])
    }

    /// Only for the thread that owns the sheet: load and store instead of a read-modify-write is right
    /// only because there is one writer. `Release`, paired with the `Acquire` in [`sum`]: whoever sees
    /// a task counted as finished also sees it counted as spawned.
    #[inline]
    fn add(&self, what: Count, n: u64) {
        let line = &self.0[what as usize];
        line.store(line.load(Ordering::Relaxed).wrapping_add(n), Ordering::Release);
    }
}

/// Every living thread's sheet, and what the dead ones left.
struct Registry {
    living: Vec<Arc<Sheet>>,
    dead: [u64; LINES],
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { living: Vec::new(), dead: [0; LINES] });

fn registry() -> MutexGuard<'static, Registry> {
    // Nothing panics under this lock; were it to, the figures would still be worth reading.
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A sheet that is in the registry for as long as its thread lives.
struct Registered(Arc<Sheet>);

impl Registered {
    fn new() -> Registered {
        let sheet = Arc::new(Sheet::new());
        registry().living.push(Arc::clone(&sheet));
        Registered(sheet)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut registry = registry();
        registry.living.retain(|s| !Arc::ptr_eq(s, &self.0));
        for (total, line) in registry.dead.iter_mut().zip(&self.0.0) {
            *total = total.wrapping_add(line.load(Ordering::Relaxed));
        }
    }
}

thread_local! {
    static SHEET: Registered = Registered::new();
}

/// Adds one.
#[inline]
pub(crate) fn add(what: Count) {
    add_n(what, 1);
}

/// Adds a fragment and its first poll: together, since a look for the sheet costs as much as a count.
#[inline]
pub(crate) fn add_fragment() {
    let counted = SHEET.try_with(|sheet| {
        sheet.0.add(Count::Fragments, 1);
        sheet.0.add(Count::Polls, 1);
    });
    if counted.is_err() {
        add_without_thread(Count::Fragments, 1);
        add_without_thread(Count::Polls, 1);
    }
}

/// Takes one away: for gauges.
#[inline]
pub(crate) fn sub(what: Count) {
    add_n(what, u64::MAX); // wrapping: minus one
}

#[inline]
fn add_n(what: Count, n: u64) {
    if SHEET.try_with(|sheet| sheet.0.add(what, n)).is_err() {
        add_without_thread(what, n);
    }
}

/// The thread is ending and its sheet is already added up (we are in some other thread-local's
/// destructor): straight to the total.
#[cold]
fn add_without_thread(what: Count, n: u64) {
    let total = &mut registry().dead[what as usize];
    *total = total.wrapping_add(n);
}

/// The sum over all threads, living and dead.
pub(crate) fn sum(what: Count) -> u64 {
    sum_in(&registry(), what)
}

fn sum_in(registry: &Registry, what: Count) -> u64 {
    registry
        .living
        .iter()
        .map(|sheet| sheet.0[what as usize].load(Ordering::Acquire))
        .fold(registry.dead[what as usize], u64::wrapping_add)
}

/// What the bridge has done since the process began; see [`stats`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Local event loops made: one per fragment under `PerRequest`, one per thread that needed one
    /// otherwise.
    pub loops_created: u64,
    /// Fragments begun: calls of `block_on` that were not refused, and `own_thread`s.
    pub fragments: u64,
    /// Times that a fragment or a task was polled.
    pub polls: u64,
    /// Tasks spawned, on local loops and on the shared one.
    pub tasks_spawned: u64,
    /// Tasks that ended by being cancelled: on request, or because their fragment ended.
    pub tasks_cancelled: u64,
    /// Tasks that ended by a panic.
    pub tasks_panicked: u64,
    /// Tasks spawned and not ended yet. Zero once every fragment has ended and the shared loop has
    /// nothing left.
    pub tasks_alive: u64,
    /// Threads of the shared loop; zero before its first use.
    pub shared_threads: usize,
    /// Threads started by `own_thread`.
    pub own_threads: u64,
    /// Closures handed to `unblock`.
    pub unblock_jobs: u64,
    /// Closures handed to `compute`.
    pub compute_jobs: u64,
}

/// The bridge's figures, summed over all threads. Counting is always on; asking takes a lock and a
/// walk over the threads that have counted something.
///
/// ```
/// use dewar::bridge;
///
/// let before = bridge::stats();
/// bridge::block_on(async { bridge::yield_now().await })?;
/// let after = bridge::stats();
/// assert!(after.fragments > before.fragments);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn stats() -> Stats {
    let registry = registry();
    let sum = |what| sum_in(&registry, what);
    // Finished before spawned: the other way round a task that comes and goes in between could make
    // `alive` negative.
    let finished = sum(Count::TasksFinished);
    let spawned = sum(Count::TasksSpawned);
    Stats {
        loops_created: sum(Count::LoopsCreated),
        fragments: sum(Count::Fragments),
        polls: sum(Count::Polls),
        tasks_spawned: spawned,
        tasks_cancelled: sum(Count::TasksCancelled),
        tasks_panicked: sum(Count::TasksPanicked),
        tasks_alive: spawned.saturating_sub(finished),
        shared_threads: super::shared_loop::threads(),
        own_threads: sum(Count::OwnThreads),
        unblock_jobs: sum(Count::UnblockJobs),
        compute_jobs: sum(Count::ComputeJobs),
    }
}
