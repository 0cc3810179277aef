//! The course of a fragment, step by step, whoever sleeps in between: our parked thread, or somebody else's loop.

use std::any::Any;
use std::future::Future;
use std::mem::needs_drop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Instant;

use super::bell::BellPull;
use super::counters::{self, Count};
use super::debug;
use super::error::BridgeError;
use super::local_loop::{Ending, LocalLoop};
use super::this_thread::ThisThread;
use crate::quiet::{discard_panic, quietly};

/// What there is to do after a step.
pub(crate) enum Step {
    /// The fragment has ended, and what it left behind too.
    Done,
    /// The next step.
    Again,
    /// Sleep, until a bell rings or the time has come.
    Idle(Option<Instant>),
}

/// How a fragment ended.
pub(crate) enum End<T> {
    Value(T),
    Panic(Box<dyn Any + Send>),
    /// The leash was pulled.
    Cancelled,
}

/// What came of a poll of the root.
pub(crate) enum Polled<T> {
    Pending,
    Ended(End<T>),
}

impl<T> Polled<T> {
    pub(crate) fn into_end(self) -> Option<End<T>> {
        match self {
            Polled::Pending => None,
            Polled::Ended(end) => Some(end),
        }
    }
}

/// Polls the root (and does not count it: the first poll is counted with its fragment). One that has ended is dropped, under the same roof.
#[inline]
pub(crate) fn poll<F: Future>(
    this: &ThisThread,
    pull: &BellPull,
    here: &'static Location<'static>,
    mut root: Pin<&mut Option<F>>,
) -> Polled<F::Output> {
    let Some(future) = root.as_mut().as_pin_mut() else { return Polled::Pending };
    let polled = {
        let _watched = this.is_debug.get().then(|| debug::watch_fragment(here));
        let _drive = this.drive(&pull.waker);
        let mut cx = Context::from_waker(&pull.waker);
        catch_unwind(AssertUnwindSafe(|| future.poll(&mut cx)))
    };
    match polled {
        Ok(Poll::Pending) => Polled::Pending,
        Ok(Poll::Ready(value)) => Polled::Ended(end(root, End::Value(value))),
        Err(panic) => Polled::Ended(end(root, End::Panic(panic))),
    }
}

#[inline]
fn end<F: Future>(mut root: Pin<&mut Option<F>>, end: End<F::Output>) -> End<F::Output> {
    if !needs_drop::<F>() {
        return end;
    }
    match catch_unwind(AssertUnwindSafe(|| root.set(None))) {
        Ok(()) => end,
        // Of two panics the first one is told.
        Err(second) if matches!(end, End::Panic(_)) => {
            discard_panic(second);
            end
        }
        Err(panic) => End::Panic(panic),
    }
}

pub(crate) struct Course<'a, F: Future> {
    this: &'a ThisThread,
    pull: &'a BellPull,
    here: &'static Location<'static>,
    /// `None` once it has ended, and so before its tasks are ended.
    root: Pin<&'a mut Option<F>>,
    end: Option<End<F::Output>>,
    is_outermost: bool,
}

impl<'a, F: Future> Course<'a, F> {
    #[inline]
    pub(crate) fn new(
        this: &'a ThisThread,
        pull: &'a BellPull,
        here: &'static Location<'static>,
        root: Pin<&'a mut Option<F>>,
        end: Option<End<F::Output>>,
        is_outermost: bool,
    ) -> Course<'a, F> {
        Course { this, pull, here, root, end, is_outermost }
    }

    /// Polls the root: for the first time, too.
    pub(crate) fn begin(&mut self) {
        self.end = poll(self.this, self.pull, self.here, self.root.as_mut()).into_end();
    }

    /// Whether no task is left. (Looked up each time: any poll may have made the loop.)
    #[inline]
    fn is_at_rest(&self) -> bool {
        self.this.local.borrow().as_ref().is_none_or(|local| local.is_at_rest())
    }

    /// Has the loop take a turn, and polls the root if it was woken (not at the wakes of its tasks). The turn comes first
    /// also when the root is woken already: a root that wakes itself starves nobody.
    pub(crate) fn step(&mut self) -> Step {
        // Looked up each time: any poll may have made it.
        let local: Option<Rc<LocalLoop>> = self.this.local.borrow().clone();
        if self.end.is_some() {
            if !self.is_outermost || self.is_at_rest() {
                return Step::Done;
            }
            if let Some(local) = &local {
                // In each step: what is being cancelled can spawn. Tasks' panics are caught where they are dropped; this
                // is for a logger that panics: the thread must be usable afterwards.
                quietly(|| local.cancel_all(&Ending::Fragment(self.here)));
            }
        }
        if let Some(local) = &local {
            local.turn();
        }
        if self.end.is_none() {
            // Before the bell: a root that wakes itself at each poll is to end too.
            if self.is_leash_pulled() {
                self.end = Some(end(self.root.as_mut(), End::Cancelled));
                return Step::Again;
            }
            if self.pull.bell.answer() {
                counters::add(Count::Polls);
                self.begin();
                return Step::Again;
            }
        }
        match &local {
            Some(local) if local.has_ready() || (self.end.is_some() && local.is_at_rest()) => Step::Again,
            Some(local) => Step::Idle(local.first_deadline()),
            None => Step::Idle(None),
        }
    }

    fn is_leash_pulled(&self) -> bool {
        self.this.leash.borrow().as_ref().is_some_and(|leash| leash.is_pulled())
    }

    #[inline]
    pub(crate) fn finish(mut self) -> Result<F::Output, BridgeError> {
        match self.end.take() {
            Some(End::Value(value)) => Ok(value),
            Some(End::Panic(panic)) if thread::panicking() => {
                // In a destructor, during another panic: a second one would end the process.
                discard_panic(panic);
                Err(BridgeError::Cancelled { at: self.here })
            }
            Some(End::Panic(panic)) => resume_unwind(panic),
            Some(End::Cancelled) | None => Err(BridgeError::Cancelled { at: self.here }),
        }
    }
}
