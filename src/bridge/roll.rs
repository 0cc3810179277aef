//! The roll of a loop: every task that is on it, from its spawning to its end.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slab::Slab;

use super::far::Far;
use super::header::{Header, Place};
use super::this_thread::Running;

/// A mutex, since a dump is asked for by any thread. Without one it costs some nanoseconds twice in a task's life.
pub(crate) struct Roll(Mutex<Slab<Arc<Header>>>);

impl Roll {
    pub(crate) const fn new() -> Roll {
        Roll(Mutex::new(Slab::new()))
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Arc<Header>>> {
        // Nobody else's code runs under the lock: headers' destructors run nobody's, and they are handed out anyway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, make: impl FnOnce(u32) -> Arc<Header>) -> Arc<Header> {
        let mut roll = self.lock();
        let entry = roll.vacant_entry();
        let header = make(entry.key() as u32);
        entry.insert(Arc::clone(&header));
        header
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Who is on it, in the order of their spawning.
    pub(crate) fn all(&self) -> Vec<Arc<Header>> {
        let mut all: Vec<_> = self.lock().iter().map(|(_, header)| Arc::clone(header)).collect();
        all.sort_unstable_by_key(|header| header.number);
        all
    }
}

/// Whose roll a task is on.
pub(crate) enum Home {
    /// A thread's own loop.
    Local(Arc<Far>),
    /// The shared loop.
    Shared(&'static Roll),
    /// The tokio runtime.
    #[cfg(feature = "tokio")]
    Tokio(&'static Roll),
    /// A pool: none.
    Pool,
}

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// What numbers are taken in: each thread takes a block of them, since all threads would want the one line else.
const BLOCK: u64 = 64;

thread_local! {
    static NUMBERS: std::cell::Cell<(u64, u64)> = const { std::cell::Cell::new((0, 0)) };
}

/// Rising on each thread, and different in the whole process.
fn next_number() -> u64 {
    let (mut next, mut end) = NUMBERS.get();
    if next == end {
        next = NUMBER.fetch_add(BLOCK, Ordering::Relaxed);
        end = next + BLOCK;
    }
    NUMBERS.set((next + 1, end));
    next
}

impl Home {
    fn roll(&self) -> Option<&Roll> {
        match self {
            Home::Local(far) => Some(&far.roll),
            Home::Shared(roll) => Some(roll),
            #[cfg(feature = "tokio")]
            Home::Tokio(roll) => Some(roll),
            Home::Pool => None,
        }
    }

    /// Whether only this thread can get its tasks on.
    pub(crate) fn is_of_this_thread(&self) -> bool {
        matches!(self, Home::Local(far) if far.thread_id == std::thread::current().id())
    }

    /// What its thread is busy with while such a task is polled.
    pub(crate) fn running(&self, spawned_at: &'static Location<'static>) -> Running {
        match self {
            #[cfg(feature = "tokio")]
            Home::Tokio(_) => Running::TokioTask(spawned_at),
            _ => Running::SharedTask(spawned_at),
        }
    }

    /// Makes a task's header, and puts it on the roll.
    pub(crate) fn enter(
        self,
        place: Place,
        name: Option<Arc<str>>,
        spawned_at: &'static Location<'static>,
        is_debug: bool,
    ) -> Arc<Header> {
        let number = next_number();
        let header =
            |home: Home, key: u32| Arc::new(Header::new(place, name, spawned_at, (home, key), (number, is_debug)));
        // Made under the lock, which is held for an allocation longer; the other way round it would cost a second pass.
        match self {
            Home::Local(far) => far.roll.enter(|key| header(Home::Local(Arc::clone(&far)), key)),
            Home::Shared(roll) => roll.enter(|key| header(Home::Shared(roll), key)),
            #[cfg(feature = "tokio")]
            Home::Tokio(roll) => roll.enter(|key| header(Home::Tokio(roll), key)),
            Home::Pool => header(Home::Pool, 0),
        }
    }

    /// Takes the task off the roll.
    pub(crate) fn leave(&self, key: u32) {
        let Some(roll) = self.roll() else { return };
        let header = roll.lock().try_remove(key as usize);
        drop(header);
    }
}
