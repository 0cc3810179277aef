//! A thread's loop as others see it: where they leave what is to run there, and how they wake it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, ThreadId};

use futures_util::task::AtomicWaker;

use super::bell::{Bell, Sleeper};
use super::roll::Roll;
use super::this_thread;

/// What is to be polled, with its number in the order of spawning.
pub(crate) type Runnable = async_task::Runnable<u64>;

pub(crate) struct Far {
    /// Rung when something was left.
    pub(crate) bell: Bell,
    pub(crate) roll: Roll,
    left: Mutex<Left>,
    /// Nothing will run here any more.
    is_closed: AtomicBool,
    /// Set by `LoopHandle::stop`, for `run_forever`.
    pub(crate) stop: AtomicBool,
    /// Wakes `run_forever`, so that it sees that.
    pub(crate) on_stop: AtomicWaker,
    /// The name of the loop's thread.
    pub(crate) thread: Arc<str>,
    pub(crate) thread_id: ThreadId,
}

#[derive(Default)]
struct Left {
    runnables: VecDeque<Runnable>,
    is_closed: bool,
}

/// All living loops of threads that ever had a task, for a dump.
static LOOPS: Mutex<Vec<Weak<Far>>> = Mutex::new(Vec::new());

fn loops() -> MutexGuard<'static, Vec<Weak<Far>>> {
    LOOPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All loops of threads that have had a task.
pub(crate) fn all() -> Vec<Arc<Far>> {
    loops().iter().filter_map(Weak::upgrade).collect()
}

impl Far {
    /// Of a loop on this thread.
    pub(crate) fn new(sleeper: Sleeper) -> Arc<Far> {
        let thread = thread::current();
        let name = thread.name().map_or_else(|| format!("{:?}", thread.id()).into(), Arc::from);
        let far = Arc::new(Far {
            bell: Bell::new(sleeper),
            roll: Roll::new(),
            left: Mutex::default(),
            is_closed: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            on_stop: AtomicWaker::new(),
            thread: name,
            thread_id: thread.id(),
        });
        loops().push(Arc::downgrade(&far));
        far
    }

    fn lock(&self) -> MutexGuard<'_, Left> {
        // Nobody else's code runs under the lock.
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `runnable` polled by the loop: at once into its queue where it is this thread's and in use, or left for it.
    pub(crate) fn schedule(self: &Arc<Far>, runnable: Runnable) {
        let Some(runnable) = this_thread::with(|this| this.enqueue(self, runnable)) else { return };
        let mut left = self.lock();
        if left.is_closed {
            drop(left);
            // Only a task that came from another thread can be on a closed loop (its own are ended before): any thread
            // may drop it.
            drop(runnable);
            return;
        }
        left.runnables.push_back(runnable);
        drop(left);
        self.bell.ring();
    }

    /// What was left since the last call.
    pub(crate) fn take_left(&self, into: &mut VecDeque<Runnable>) {
        into.append(&mut self.lock().runnables);
    }

    /// Whether it is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Nothing comes in any more. What came in at the last moment is handed out, to be dropped by the loop's thread.
    pub(crate) fn close(&self) -> VecDeque<Runnable> {
        self.is_closed.store(true, Ordering::Release);
        let mut left = self.lock();
        left.is_closed = true;
        std::mem::take(&mut left.runnables)
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // All that cannot be upgraded, so also ourselves.
        loops().retain(|far| far.strong_count() > 0);
    }
}
