//! How a sleeping loop is woken: a flag, and an unpark (or a waker, where somebody else's loop drives ours).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};

use futures_util::task::AtomicWaker;

/// What sleeps.
#[derive(Clone)]
pub(crate) enum Sleeper {
    /// A thread in `park`.
    Thread(Thread),
    /// A future of somebody else's loop, registered at each of its polls.
    #[cfg_attr(not(feature = "tokio"), expect(dead_code, reason = "our own loops park"))]
    Outer(Arc<AtomicWaker>),
}

/// The far end of a waker: remembers that it was rung and wakes its thread.
///
/// The flag carries the meaning, the unpark only ends the sleep. A thread looks at the flag after every
/// `park` and before the next one; so a park that ends for no reason does no harm (the token of
/// `unpark` may be anyone's: a stale waker's, another executor's on the same thread), and neither does
/// other code that eats a token.
pub(crate) struct Bell {
    sleeper: Sleeper,
    rung: AtomicBool,
}

impl Bell {
    pub(crate) fn new(sleeper: Sleeper) -> Bell {
        Bell { sleeper, rung: AtomicBool::new(false) }
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

    pub(crate) fn ring(&self) {
        // If it was rung already, whoever rang it unparks; and the thread looks at the flag before it
        // parks again: nothing is lost by keeping quiet.
        if !self.rung.swap(true, Ordering::Release) {
            match &self.sleeper {
                Sleeper::Thread(thread) => thread.unpark(),
                Sleeper::Outer(waker) => waker.wake(),
            }
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

/// A bell of the current thread with its waker, made once and used for fragment after fragment.
pub(crate) struct BellPull {
    pub(crate) bell: Arc<Bell>,
    pub(crate) waker: Waker,
}

impl BellPull {
    pub(crate) fn new() -> BellPull {
        BellPull::of(Sleeper::Thread(thread::current()))
    }

    pub(crate) fn of(sleeper: Sleeper) -> BellPull {
        let bell = Arc::new(Bell::new(sleeper));
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
