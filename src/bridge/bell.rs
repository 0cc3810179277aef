//! How a sleeping loop is woken: a flag and an unpark.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};

/// The far end of a waker: remembers that it was rung and wakes its thread.
///
/// The flag carries the meaning, the unpark only ends the sleep. A thread looks at the flag after every
/// `park` and before the next one; so a park that ends for no reason does no harm (the token of
/// `unpark` may be anyone's: a stale waker's, another executor's on the same thread), and neither does
/// other code that eats a token.
pub(crate) struct Bell {
    thread: Thread,
    rung: AtomicBool,
}

impl Bell {
    /// Marks it as rung without waking anybody: for the loop's own thread, which is awake.
    pub(crate) fn ring_here(&self) {
        // Not a store: that would hide the ring of another thread, and what came before it, from `answer`.
        self.rung.swap(true, Ordering::Release);
    }

    /// Whether it was rung since the last `answer`.
    #[inline]
    pub(crate) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }

    /// Takes the ring. To be called *before* the poll that answers it, so that a wake during that poll
    /// is kept for the next. `Acquire`: what the waking side did before the wake is seen by that poll.
    #[inline]
    pub(crate) fn answer(&self) -> bool {
        // The load first spares a read-modify-write in each turn of a loop that nobody rang for.
        self.is_rung() && self.rung.swap(false, Ordering::Acquire)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // If it was rung already, whoever rang it unparks; and the thread looks at the flag before it
        // parks again: nothing is lost by keeping quiet.
        if !self.rung.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

/// A bell of the current thread with its waker, made once and used for fragment after fragment.
pub(crate) struct BellPull {
    pub(crate) bell: Arc<Bell>,
    pub(crate) waker: Waker,
}

impl BellPull {
    pub(crate) fn new() -> BellPull {
        let bell = Arc::new(Bell { thread: thread::current(), rung: AtomicBool::new(false) });
        let waker = Waker::from(Arc::clone(&bell));
        BellPull { bell, waker }
    }

    /// Whether somebody kept a waker. Such a bell is not used again: a waker that outlives its fragment
    /// must not ring for the next one.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.bell) > 2 // ours and our waker's
    }
}
