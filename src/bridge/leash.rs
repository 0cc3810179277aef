//! A leash on the fragments of some threads: how a server ends those that would never end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};

#[cfg(feature = "tokio")]
use futures_util::task::AtomicWaker;

use super::this_thread;

/// Ends the fragments of all threads that [`hold`](Leash::hold) it, when it is [`pull`](Leash::pull)ed.
///
/// ```
/// use dewar::bridge::{self, BridgeError, Leash};
///
/// let leash = Leash::new();
/// let _held = leash.hold();
/// leash.pull();
/// let never = bridge::block_on(std::future::pending::<()>());
/// assert!(matches!(never, Err(BridgeError::Cancelled { .. })));
/// # Ok::<(), BridgeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Leash(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_pulled: AtomicBool,
    threads: Mutex<Vec<Thread>>,
    /// Fragments in somebody else's loop, which an unpark does not reach.
    #[cfg(feature = "tokio")]
    wakers: Mutex<Vec<Arc<AtomicWaker>>>,
}

impl Leash {
    /// One that nobody holds.
    pub fn new() -> Leash {
        Leash::default()
    }

    /// Puts this thread's fragments on the leash until the guard is dropped. One at a time: the inner one counts.
    pub fn hold(&self) -> Held {
        self.lock().push(thread::current());
        let before = this_thread::with(|this| this.leash.replace(Some(self.clone())));
        Held { leash: self.clone(), before, _on_this_thread: std::marker::PhantomData }
    }

    /// Ends every fragment on it that waits, and every later one at its first wait: its future is dropped, its tasks are
    /// cancelled, and `block_on` gives [`BridgeError::Cancelled`](super::BridgeError::Cancelled). A fragment that does
    /// not wait, because it blocks or computes, cannot be ended.
    pub fn pull(&self) {
        self.0.is_pulled.store(true, Ordering::SeqCst);
        for thread in self.lock().iter() {
            thread.unpark();
        }
        #[cfg(feature = "tokio")]
        for waker in &*self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.wake();
        }
    }

    /// Wakes `waker`, too, until the guard is dropped.
    #[cfg(feature = "tokio")]
    pub(crate) fn also_wakes(&self, waker: &Arc<AtomicWaker>) -> AlsoWakes {
        self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(waker));
        AlsoWakes(self.clone(), Arc::clone(waker))
    }

    #[inline]
    pub(crate) fn is_pulled(&self) -> bool {
        self.0.is_pulled.load(Ordering::SeqCst)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Thread>> {
        self.0.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "tokio")]
pub(crate) struct AlsoWakes(Leash, Arc<AtomicWaker>);

#[cfg(feature = "tokio")]
impl Drop for AlsoWakes {
    fn drop(&mut self) {
        let mut wakers = self.0.0.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.retain(|waker| !Arc::ptr_eq(waker, &self.1));
    }
}

/// The guard of [`Leash::hold`]. Bound to its thread.
#[derive(Debug)]
#[must_use = "the thread's fragments are let off the leash when it is dropped"]
pub struct Held {
    leash: Leash,
    before: Option<Leash>,
    _on_this_thread: std::marker::PhantomData<*const ()>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let before = self.before.take();
        let own = this_thread::with(|this| this.leash.replace(before));
        drop(own);
        let me = thread::current().id();
        let mut threads = self.leash.lock();
        if let Some(i) = threads.iter().position(|thread| thread.id() == me) {
            threads.swap_remove(i);
        }
    }
}
