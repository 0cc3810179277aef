//! What the two sides of a task share: its `Task` (the handle) and its job (what runs).

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;

use super::error::TaskError;
use super::timers;
use crate::quiet::quietly;

/// Where a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Local,
    Shared,
    Unblock,
    #[cfg(feature = "compute")]
    Compute,
}

/// How a task ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// Its value is in the core.
    Done,
    Cancelled,
    Panicked(String),
    Refused(String),
}

/// What is known of a task whatever its result's type.
pub(crate) struct Header {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) spawned_at: &'static Location<'static>,
    pub(crate) place: Place,
    /// Set once, by `cancel`; read by the job before each poll.
    cancel: AtomicBool,
    /// Wakes the job, so that it sees `cancel`.
    canceller: AtomicWaker,
    state: Mutex<State>,
    /// Notified at the end. Only `join` waits for it.
    ended: Condvar,
}

struct State {
    /// Set once.
    end: Option<End>,
    /// A closure that has begun cannot be cancelled any more.
    begun: bool,
    /// Whoever awaits the task.
    waker: Option<Waker>,
    /// The `Task` is dropped: nobody will ask for the result.
    abandoned: bool,
}

impl Header {
    pub(crate) fn new(place: Place, name: Option<Arc<str>>, spawned_at: &'static Location<'static>) -> Header {
        Header {
            name,
            spawned_at,
            place,
            cancel: AtomicBool::new(false),
            canceller: AtomicWaker::new(),
            state: Mutex::new(State { end: None, begun: false, waker: None, abandoned: false }),
            ended: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No foreign code runs under this lock (wakers are woken and dropped outside of it).
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lock().end.is_some()
    }

    /// The end if there is one; otherwise `waker` is woken when there is.
    pub(crate) fn end_or_wake(&self, waker: &Waker) -> Option<End> {
        // Cloned before the lock is taken; dropped, as is the one that it replaces, after.
        let mut new = Some(waker.clone());
        let mut state = self.lock();
        if let Some(end) = &state.end {
            return Some(end.clone());
        }
        std::mem::swap(&mut state.waker, &mut new);
        drop(state);
        None
    }

    /// Blocks until the end.
    pub(crate) fn wait(&self) -> End {
        let mut state = self.lock();
        loop {
            if let Some(end) = &state.end {
                return end.clone();
            }
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Asks the job to end. A future sees it before its next poll; a closure that has not begun never
    /// will; one that has begun goes on.
    pub(crate) fn cancel(&self) {
        match self.place {
            Place::Local | Place::Shared => {
                // Set before the wake: the poll that follows must see it.
                self.cancel.store(true, Ordering::Release);
                self.canceller.wake();
            }
            _ => {
                self.publish_if(|state| !state.begun, End::Cancelled);
            }
        }
    }

    /// Has the job woken by a `cancel` from now on.
    pub(crate) fn listen(&self, waker: &Waker) {
        self.canceller.register(waker);
    }

    pub(crate) fn is_cancel_requested(&self) -> bool {
        self.cancel.load(Ordering::Acquire)
    }

    /// Marks a closure as begun, after which it cannot be cancelled; false if it is already.
    pub(crate) fn begin(&self) -> bool {
        let mut state = self.lock();
        state.begun = true;
        state.end.is_none()
    }

    /// Makes the end known, unless there was one. True if nobody will ask for the result.
    pub(crate) fn publish(&self, end: End) -> bool {
        self.publish_if(|_| true, end)
    }

    fn publish_if(&self, condition: impl FnOnce(&State) -> bool, end: End) -> bool {
        let mut state = self.lock();
        if state.end.is_some() || !condition(&state) {
            return false;
        }
        state.end = Some(end.clone());
        let abandoned = state.abandoned;
        let waker = state.waker.take();
        drop(state);
        self.ended.notify_all();
        if let Some(waker) = waker {
            timers::wake(waker); // a loop thread must survive a waker that panics
        }
        if let (End::Panicked(message), true) = (end, abandoned) {
            quietly(|| log::error!("{self} panicked, and nobody holds the Task: {message}"));
        }
        abandoned
    }

    /// The `Task` is dropped, and with it the wish for the result; `asked` if it was given out.
    pub(crate) fn abandon(&self, asked: bool) {
        let mut state = self.lock();
        state.abandoned = true;
        let waker = state.waker.take();
        let end = if asked { None } else { state.end.clone() };
        drop(state);
        drop(waker);
        if let Some(End::Panicked(message)) = end {
            quietly(|| log::error!("{self} panicked, and its Task was dropped unasked: {message}"));
        }
    }

    pub(crate) fn error(&self, end: End) -> TaskError {
        let (name, spawned_at) = (self.name.clone(), self.spawned_at);
        match end {
            End::Panicked(message) => TaskError::Panicked { message, name, spawned_at },
            End::Refused(reason) => TaskError::Refused { reason, name, spawned_at },
            End::Done | End::Cancelled => TaskError::Cancelled { name, spawned_at },
        }
    }
}

/// For messages: "the task `name` spawned at file:line:column".
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task ")?;
        if let Some(name) = &self.name {
            write!(f, "`{name}` ")?;
        }
        write!(f, "spawned at {}", self.spawned_at)
    }
}

/// What a `Task` and its job share.
pub(crate) struct Core<T> {
    pub(crate) header: Header,
    /// Filled by the job before it publishes `Done`.
    value: Mutex<Option<T>>,
}

impl<T> Core<T> {
    pub(crate) fn new(header: Header) -> Arc<Core<T>> {
        let value = Mutex::new(None);
        Arc::new(Core { header, value })
    }

    pub(crate) fn put(&self, value: T) {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A core whose result's type is nobody's business.
pub(crate) trait AnyCore {
    fn header(&self) -> &Header;
    fn discard(&self);
}

impl<T> AnyCore for Core<T> {
    fn header(&self) -> &Header {
        &self.header
    }
    fn discard(&self) {
        drop(self.take());
    }
}
