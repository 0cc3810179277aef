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

    /// Makes a task's header, and puts it on the roll. (Made under the lock, which is held for an allocation longer; the
    /// other way round it would cost a second look for its place.)
    fn enter(&self, make: impl FnOnce(u32) -> Header) -> Arc<Header> {
        let mut roll = self.lock();
        let entry = roll.vacant_entry();
        let header = Arc::new(make(entry.key() as u32));
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

/// Makes the header of a task of a thread's own loop, and puts it on its roll.
pub(crate) fn enter_local(
    far: &Arc<Far>,
    name: Option<Arc<str>>,
    at: &'static Location<'static>,
    debug: bool,
) -> Arc<Header> {
    let numbered = (next_number(), debug);
    far.roll.enter(|key| Header::new(Place::Local, name, at, (Home::Local(Arc::clone(far)), key), numbered))
}

/// The same for a loop that lives as long as the process; `home` is to be its.
pub(crate) fn enter_shared(
    roll: &'static Roll,
    home: Home,
    name: Option<Arc<str>>,
    at: &'static Location<'static>,
    debug: bool,
) -> Arc<Header> {
    let numbered = (next_number(), debug);
    roll.enter(|key| Header::new(Place::Shared, name, at, (home, key), numbered))
}

/// The header of a closure, which is on no roll.
pub(crate) fn of_a_closure(place: Place, at: &'static Location<'static>) -> Arc<Header> {
    Arc::new(Header::new(place, None, at, (Home::Pool, 0), (next_number(), false)))
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

    /// Takes the task off the roll.
    pub(crate) fn leave(&self, key: u32) {
        let Some(roll) = self.roll() else { return };
        let header = roll.lock().try_remove(key as usize);
        drop(header);
    }
}
