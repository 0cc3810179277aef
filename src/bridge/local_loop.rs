//! The loop of one thread: its tasks and its timers.
//!
//! Tasks are in a `FuturesUnordered`, which is also what `futures_executor::LocalPool` is made of. It is
//! used without the `LocalPool` around it because that one marks its thread as "inside an executor"
//! while it polls: any third-party library that calls `futures_executor::block_on` in a spawned task
//! would panic. In here it works, in tasks as in the root.

use std::cell::{OnceCell, RefCell};
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::bell::BellPull;
use super::counters::{self, Count};
use super::job::LocalJob;
use super::timers::Timers;
use crate::quiet::quietly;

pub(crate) struct LocalLoop {
    /// Borrowed while tasks are polled; never needed by what they do meanwhile.
    tasks: RefCell<FuturesUnordered<LocalJob>>,
    /// Spawned since the last turn. Apart from `tasks` since most are spawned while those are polled.
    incoming: RefCell<Vec<LocalJob>>,
    /// Rung when a task wants to be polled; apart from the root's bell, so that a task's wake does not
    /// poll the root. Made with the first task.
    pull: OnceCell<BellPull>,
    /// Made with the first timer. Shared with every `Sleep` in it, wherever they may be dropped.
    timers: OnceCell<Arc<Timers>>,
}

impl LocalLoop {
    pub(crate) fn new() -> LocalLoop {
        counters::add(Count::LoopsCreated);
        LocalLoop {
            tasks: RefCell::new(FuturesUnordered::new()),
            incoming: RefCell::new(Vec::new()),
            pull: OnceCell::new(),
            timers: OnceCell::new(),
        }
    }

    pub(crate) fn timers(&self) -> Arc<Timers> {
        Arc::clone(self.timers.get_or_init(|| Arc::new(Timers::new())))
    }

    /// Takes a task in; it is polled in the next turn.
    pub(crate) fn spawn(&self, job: LocalJob) {
        self.incoming.borrow_mut().push(job);
        // We are on the loop's thread, which looks at the bell before it sleeps.
        self.pull.get_or_init(BellPull::new).bell.ring_here();
    }

    /// Fires the timers that are due and polls the tasks that were woken, each at least once; one that
    /// wakes itself has to wait for the next turn after at most as many polls as there are tasks.
    pub(crate) fn turn(&self) {
        if let Some(timers) = self.timers.get() {
            timers.fire();
        }
        let Some(pull) = self.pull.get() else { return };
        if !pull.bell.answer() {
            return;
        }
        let mut tasks = self.tasks.borrow_mut();
        tasks.extend(self.incoming.take());
        let mut cx = Context::from_waker(&pull.waker);
        // Each round either ends a task or ends the turn, and none comes in meanwhile: so this ends; and
        // when it is not by `Pending`, which rings for what is left, then because nothing is left.
        while let Poll::Ready(Some(())) = tasks.poll_next_unpin(&mut cx) {}
    }

    /// Whether a task waits to be polled.
    pub(crate) fn is_rung(&self) -> bool {
        self.pull.get().is_some_and(|pull| pull.bell.is_rung())
    }

    /// When the next timer is due.
    pub(crate) fn first_deadline(&self) -> Option<Instant> {
        self.timers.get()?.first_deadline()
    }

    /// Cancels what is left when the fragment that was started at `fragment` has ended.
    pub(crate) fn sweep(&self, fragment: &Location<'_>) {
        // A loop, because the destructors of what is dropped in here can spawn.
        loop {
            let mut left = Vec::new();
            if !self.tasks.borrow().is_empty() {
                left.extend(self.tasks.take());
                left.reverse(); // it goes through its tasks from the newest to the oldest
            }
            left.append(&mut self.incoming.borrow_mut());
            if left.is_empty() {
                return;
            }
            for job in left {
                if !job.is_cancel_requested() {
                    quietly(|| {
                        log::warn!(
                            "{job} was still running when the fragment at {fragment} ended: cancelled. Await it, \
                             or hand to `bridge::spawn_shared` what is to outlive its fragment"
                        );
                    });
                }
                drop(job);
            }
        }
    }
}
