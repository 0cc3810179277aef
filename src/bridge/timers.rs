//! The heap of timers: one per local loop, which looks at it before it sleeps, and one with a thread of
//! its own for timers that are polled by anybody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Instant;

use once_cell::sync::OnceCell;

use super::shared_loop;
use crate::quiet::quietly;

/// When, and a number that tells timers of the same instant apart: they fire in the order of their
/// registration.
pub(crate) type Key = (Instant, u64);

/// Behind a mutex even where a single thread uses it: a `Sleep` may be dropped, or polled, on another
/// thread than the one that it is registered with. Uncontended, that is a few nanoseconds.
///
/// Wakers are other people's code: they are cloned, woken and dropped outside of the lock, since any of
/// that may come back to this heap (the last waker of a task may drop the task and a `Sleep` in it).
pub(crate) struct Timers {
    heap: Mutex<Heap>,
    alarm: Alarm,
}

/// Who is to hear that the first deadline became an earlier one.
pub(crate) enum Alarm {
    /// Nobody: the loop's own thread looks before it sleeps.
    Nobody,
    /// The timer thread.
    Thread(Condvar),
    /// The shared loop.
    Shared,
}

struct Heap {
    waiting: BTreeMap<Key, Waker>,
    next_id: u64,
}

impl Timers {
    pub(crate) fn new() -> Timers {
        Timers::with_alarm(Alarm::Nobody)
    }

    pub(crate) fn with_alarm(alarm: Alarm) -> Timers {
        Timers { heap: Mutex::new(Heap { waiting: BTreeMap::new(), next_id: 0 }), alarm }
    }

    fn lock(&self) -> MutexGuard<'_, Heap> {
        // Nothing of anybody else's runs under the lock, so the heap is whole even if it is poisoned.
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a timer.
    pub(crate) fn insert(&self, deadline: Instant, waker: &Waker) -> Key {
        let waker = waker.clone();
        let mut heap = self.lock();
        let key = (deadline, heap.next_id);
        heap.next_id += 1;
        heap.waiting.insert(key, waker);
        let is_first = heap.waiting.keys().next() == Some(&key);
        drop(heap);
        if is_first {
            match &self.alarm {
                Alarm::Nobody => {}
                Alarm::Thread(earlier) => earlier.notify_one(),
                Alarm::Shared => shared_loop::look_at_the_clock(),
            }
        }
        key
    }

    /// Sees to it that the timer wakes `waker`; false if it has fired already.
    pub(crate) fn renew(&self, key: &Key, waker: &Waker) -> bool {
        match self.lock().waiting.get(key) {
            None => return false,
            Some(old) if old.will_wake(waker) => return true,
            Some(_) => {}
        }
        let mut waker = waker.clone();
        match self.lock().waiting.get_mut(key) {
            None => return false, // fired in between
            Some(old) => std::mem::swap(old, &mut waker),
        }
        drop(waker); // the old one
        true
    }

    /// Takes a timer out, if it is still in.
    pub(crate) fn remove(&self, key: &Key) {
        let waker = self.lock().waiting.remove(key);
        drop(waker);
    }

    /// When the next timer is due.
    pub(crate) fn first_deadline(&self) -> Option<Instant> {
        self.lock().waiting.keys().next().map(|key| key.0)
    }

    /// Wakes what is due, the earliest first.
    pub(crate) fn fire(&self) {
        if self.first_deadline().is_none() {
            return; // spares reading the clock
        }
        let now = Instant::now();
        let mut due = Vec::new();
        {
            let mut heap = self.lock();
            // Not `split_off`: that one counts what it leaves.
            while let Some(first) = heap.waiting.first_entry()
                && first.key().0 <= now
            {
                due.push(first.remove());
            }
        }
        due.into_iter().for_each(wake);
    }

    /// The timer thread's life.
    fn serve(&self, earlier: &Condvar) -> ! {
        loop {
            self.fire();
            let heap = self.lock();
            // A timer that came in since `fire` is seen here, under the lock; one that comes in later
            // notifies. Either way none is slept through, and a sleep that ends early is harmless.
            match heap.waiting.keys().next().map(|key| key.0) {
                None => drop(earlier.wait(heap)),
                Some(first) => {
                    let wait = first.saturating_duration_since(Instant::now());
                    if !wait.is_zero() {
                        drop(earlier.wait_timeout(heap, wait));
                    }
                }
            }
        }
    }
}

/// Wakes; a waker that panics harms nobody else.
pub(crate) fn wake(waker: Waker) {
    if quietly(|| waker.wake()).is_none() {
        // Quietly too, as everywhere in the machine: a logger that panics must not stop a loop or the timers.
        quietly(|| log::error!("a waker panicked; whatever it was to wake may never be polled again"));
    }
}

/// The heap that a background thread looks after, started on first use. `None` if the operating system
/// refuses the thread; it is asked again next time.
pub(crate) fn of_the_timer_thread() -> Option<Arc<Timers>> {
    static TIMER_THREAD: OnceCell<Arc<Timers>> = OnceCell::new();
    TIMER_THREAD
        .get_or_try_init(|| {
            let timers = Arc::new(Timers::with_alarm(Alarm::Thread(Condvar::new())));
            let served = Arc::clone(&timers);
            thread::Builder::new().name("dewar-timers".into()).spawn(move || {
                if let Alarm::Thread(earlier) = &served.alarm {
                    served.serve(earlier);
                }
            })?;
            Ok(timers)
        })
        .map(Arc::clone)
        .inspect_err(|error: &std::io::Error| {
            log::error!("no thread for timers, their tasks poll without rest: {error}");
        })
        .ok()
}
