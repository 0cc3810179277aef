//! A thread that waits by itself, without an event loop.
//!
//! This file uses nothing but a lock and a condition variable, so that `loom/` can include it.

use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};
use std::time::Instant;

#[cfg(loom)]
use loom::sync::{Condvar, Mutex};
#[cfg(not(loom))]
use std::sync::{Condvar, Mutex};

/// Made for one wait of one thread. Not `thread::park`: its token is the whole thread's, and a stale waker, or another
/// executor on the same thread, may leave one or take ours.
pub(super) struct Parker {
    woken: Mutex<bool>,
    /// Notified when `woken` becomes true.
    changed: Condvar,
}

impl Parker {
    pub(super) fn new() -> (Arc<Parker>, Waker) {
        let parker = Arc::new(Parker { woken: Mutex::new(false), changed: Condvar::new() });
        let waker = Waker::from(Arc::clone(&parker));
        (parker, waker)
    }

    /// Sleeps until the waker is woken, and takes that wake; one that came before the call counts.
    pub(super) fn park(&self) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !std::mem::take(&mut *woken) {
            woken = self.changed.wait(woken).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// As `park`, but not beyond `deadline`.
    pub(super) fn park_until(&self, deadline: Instant) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !std::mem::take(&mut *woken) {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return;
            }
            woken = self.changed.wait_timeout(woken, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}
