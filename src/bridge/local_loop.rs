//! The loop of one thread: its tasks and its timers.
//!
//! Its queue is its own. No executor of another crate is underneath: futures-executor's `LocalPool` marks its thread as
//! "inside an executor" while it polls, and any library that calls `block_on` in a task would panic; it also keeps no
//! list of its tasks, which a dump, a cancel and a name need. A task is one allocation of `async-task`.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::bell::Sleeper;
use super::counters::{self, Count};
use super::far::{Far, Runnable};
use super::header::TaskState;
use super::timers::Timers;
use crate::quiet::quietly;

pub(crate) struct LocalLoop {
    /// Who wants to be polled, in the order of the wakes. Borrowed only while something goes in or out: no code of
    /// others runs meanwhile.
    ready: RefCell<VecDeque<Runnable>>,
    /// Made with the first task.
    far: OnceCell<Arc<Far>>,
    /// Made with the first timer. Shared with every `Sleep` in it, wherever they may be dropped.
    timers: OnceCell<Arc<Timers>>,
    /// Where a tokio runtime drives this loop: how its future is woken.
    sleeper: Option<Sleeper>,
    /// The queue of the last turn, to be filled anew.
    spare: Cell<VecDeque<Runnable>>,
}

impl LocalLoop {
    /// A loop of this thread, to be parked by itself unless `sleeper` says otherwise.
    #[inline]
    pub(crate) fn new(sleeper: Option<Sleeper>) -> LocalLoop {
        counters::add(Count::LoopsCreated);
        LocalLoop {
            ready: RefCell::new(VecDeque::new()),
            far: OnceCell::new(),
            timers: OnceCell::new(),
            sleeper,
            spare: Cell::default(),
        }
    }

    pub(crate) fn far(&self) -> &Arc<Far> {
        self.far.get_or_init(|| Far::new(self.sleeper.clone().unwrap_or_else(|| Sleeper::Thread(thread::current()))))
    }

    /// Whether `far` is what others know this loop by.
    #[inline]
    pub(crate) fn is_of(&self, far: &Far) -> bool {
        self.far.get().is_some_and(|own| std::ptr::eq(&**own, far))
    }

    pub(crate) fn timers(&self) -> Arc<Timers> {
        Arc::clone(self.timers.get_or_init(|| Arc::new(Timers::new())))
    }

    #[inline]
    pub(crate) fn enqueue(&self, runnable: Runnable) {
        self.ready.borrow_mut().push_back(runnable);
    }

    /// Puts what others have left at the end of the queue.
    pub(crate) fn take_left(&self) {
        if let Some(far) = self.far.get() {
            far.take_left(&mut self.ready.borrow_mut());
        }
    }

    /// Fires the timers that are due and polls the tasks that were woken before, each once.
    pub(crate) fn turn(&self) {
        if let Some(timers) = self.timers.get() {
            timers.fire();
        }
        if let Some(far) = self.far.get()
            && far.bell.answer()
        {
            self.take_left();
        }
        let mut batch = self.spare.take();
        std::mem::swap(&mut batch, &mut self.ready.borrow_mut());
        for runnable in batch.drain(..) {
            runnable.run();
        }
        // A queue that grew once for very many is not kept for ever.
        if batch.capacity() <= 4096 {
            self.spare.set(batch);
        }
    }

    /// Whether a task waits to be polled.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.borrow().is_empty() || self.far.get().is_some_and(|far| far.bell.is_rung())
    }

    /// When the next timer is due.
    pub(crate) fn first_deadline(&self) -> Option<Instant> {
        self.timers.get()?.first_deadline()
    }

    /// Whether nothing of it needs to be ended.
    #[inline]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.far.get().is_none_or(|far| far.roll.is_empty() && !far.bell.is_rung())
    }

    /// Asks all tasks to end, because what is at `by` has ended. They do so in the next turns; those with an `on_cancel`
    /// when that is done, or out of time.
    pub(crate) fn cancel_all(&self, by: &Ending) {
        let Some(far) = self.far.get() else { return };
        self.take_left();
        for header in far.roll.all() {
            if header.is_cancel_requested() {
                continue;
            }
            if let Ending::Fragment(at) = by {
                let state =
                    if header.state() == TaskState::Pending { "had not even begun" } else { "was still running" };
                quietly(|| {
                    log::warn!(
                        "{header} {state} when the fragment at {at} ended: cancelled. Await it, or hand to \
                         `bridge::spawn_shared` what is to outlive its fragment"
                    );
                });
            }
            header.cancel();
        }
        // They end in the order of their spawning, not in that of their last wakes.
        let mut ready = self.ready.take();
        ready.make_contiguous().sort_by_key(|runnable| *runnable.metadata());
        ready.append(&mut self.ready.borrow_mut());
        self.ready.replace(ready);
    }

    /// Ends it: all its tasks are cancelled, in here, without time for `on_cancel`s. Again: nothing.
    pub(crate) fn close(&self) {
        let Some(far) = self.far.get() else { return };
        // Those that wait for nothing end in one turn.
        while !far.roll.is_empty() {
            self.cancel_all(&Ending::Loop);
            let before = far.roll.all().len();
            self.turn();
            if far.roll.all().len() >= before {
                break;
            }
        }
        // Those that clean up wait for something, and are in no queue: woken they are, and it is dropped with them. Else
        // they would stay with whoever has their wakers, and be dropped by any thread, or never.
        for header in far.roll.all() {
            header.wake();
        }
        drop(far.close());
        drop(self.ready.take());
    }
}

impl Drop for LocalLoop {
    fn drop(&mut self) {
        // Of a fragment's own loop this is the end: what others hand to it from now on is to be refused, and what they
        // did at the last moment is to end, not to be waited for in vain.
        self.close();
    }
}

/// Why all tasks of a loop end.
pub(crate) enum Ending {
    /// The outermost fragment, at this place, has.
    Fragment(&'static Location<'static>),
    /// The loop itself does.
    Loop,
}
