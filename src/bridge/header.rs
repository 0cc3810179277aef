//! What is known of a task, whatever its result's type: name, place, state, and who is to hear of its end.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::error::TaskError;
use super::roll::Home;
use super::timers;
use super::unhandled;
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

impl Place {
    /// Whether a closure is run there, not a future polled.
    #[inline]
    pub(crate) fn is_pool(self) -> bool {
        !matches!(self, Place::Local | Place::Shared)
    }
}

/// The life of a task: `Pending`, then `Running` and `Waiting` in turns, then one of the last three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum TaskState {
    /// Spawned, and not begun yet.
    Pending,
    /// Being polled (or, on a pool, called) at this moment.
    Running,
    /// Begun, and waiting to be woken: for a timer, a socket, another task.
    Waiting,
    /// Ended with a result. An `Err` that the future returned is one.
    Done,
    /// Ended by being cancelled.
    Cancelled,
    /// Ended by a panic, or refused before it began.
    Failed,
}

impl TaskState {
    const ALL: [TaskState; 6] = [
        TaskState::Pending,
        TaskState::Running,
        TaskState::Waiting,
        TaskState::Done,
        TaskState::Cancelled,
        TaskState::Failed,
    ];

    /// Whether it is one of the last three, which stay.
    pub const fn is_finished(self) -> bool {
        matches!(self, TaskState::Done | TaskState::Cancelled | TaskState::Failed)
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TaskState::Pending => "pending",
            TaskState::Running => "running",
            TaskState::Waiting => "waiting",
            TaskState::Done => "done",
            TaskState::Cancelled => "cancelled",
            TaskState::Failed => "failed",
        })
    }
}

/// How a task ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Done,
    Cancelled,
    Panicked(Arc<str>),
    Refused(Arc<str>),
}

impl End {
    fn state(&self) -> TaskState {
        match self {
            End::Done => TaskState::Done,
            End::Cancelled => TaskState::Cancelled,
            End::Panicked(_) | End::Refused(_) => TaskState::Failed,
        }
    }
}

pub(crate) type Callback = Box<dyn FnOnce(Result<(), TaskError>) + Send>;

pub(crate) struct Header {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) spawned_at: &'static Location<'static>,
    /// The order of spawning, in the whole process: also what a task without a name is called by.
    pub(crate) number: u64,
    /// Whose roll it is on, and under which number there.
    pub(crate) home: Home,
    pub(crate) key: u32,
    pub(crate) place: Place,
    /// Whether its polls are timed and watched.
    pub(crate) is_debug: bool,
    /// A `TaskState`. `Release` at the end, so that who sees the end sees what came before it.
    state: AtomicU8,
    /// Set once, by `cancel`; read by the job before each poll.
    cancel: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Of a future: wakes it, so that it sees `cancel`; set when it first waits. Of a closure: wakes whoever awaits it,
    /// since a queued one is cancelled without its pool.
    waker: Option<Waker>,
    /// The `Task` is dropped: nobody will ask for the result.
    is_abandoned: bool,
    /// In a box, since most tasks have none of it.
    more: Option<Box<More>>,
}

#[derive(Default)]
struct More {
    /// Of a task that failed.
    end: Option<End>,
    callbacks: Vec<Callback>,
}

impl Header {
    pub(crate) fn new(
        place: Place,
        name: Option<Arc<str>>,
        spawned_at: &'static Location<'static>,
        (home, key): (Home, u32),
        (number, is_debug): (u64, bool),
    ) -> Header {
        Header {
            name,
            spawned_at,
            number,
            home,
            key,
            place,
            is_debug,
            state: AtomicU8::new(TaskState::Pending as u8),
            cancel: AtomicBool::new(false),
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No foreign code runs under this lock (wakers are woken and dropped outside of it).
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> TaskState {
        TaskState::ALL[usize::from(self.state.load(Ordering::Acquire))]
    }

    /// Between its begin and its end only: that is its job's business alone.
    #[inline]
    pub(crate) fn set_state(&self, state: TaskState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state().is_finished()
    }

    /// Asks the job to end. A future sees it before its next poll; a closure that has not begun never will; one that has
    /// begun goes on.
    pub(crate) fn cancel(&self) {
        if self.place.is_pool() {
            let mut inner = self.lock();
            // Under the lock, as is `begin`: one of the two comes first.
            if self.state() != TaskState::Pending {
                return;
            }
            self.state.store(TaskState::Cancelled as u8, Ordering::Release);
            let waker = inner.waker.take();
            let callbacks = inner.more.as_mut().map(|more| std::mem::take(&mut more.callbacks));
            drop(inner);
            if let Some(waker) = waker {
                timers::wake(waker);
            }
            self.call(callbacks.unwrap_or_default(), &End::Cancelled);
            return;
        }
        // Before the look for the waker, which `listen` does the other way round: one of the two sees the other.
        self.cancel.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Has a future that waits scheduled by its loop.
    pub(crate) fn wake(&self) {
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    #[inline]
    pub(crate) fn is_cancel_requested(&self) -> bool {
        self.cancel.load(Ordering::Acquire)
    }

    /// Has the job woken by a `cancel` from now on; false if one came already.
    pub(crate) fn listen(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        self.lock().waker = Some(waker);
        !self.cancel.load(Ordering::SeqCst)
    }

    /// Of a closure: has `waker` woken if it is cancelled in its queue; false if it is.
    pub(crate) fn listen_for_cancel(&self, waker: &Waker) -> bool {
        let mut new = Some(waker.clone());
        let mut inner = self.lock();
        if self.state() == TaskState::Cancelled {
            return false;
        }
        std::mem::swap(&mut inner.waker, &mut new);
        drop(inner);
        true
    }

    /// Marks a closure as begun, after which it cannot be cancelled; false if it is already.
    pub(crate) fn begin(&self) -> bool {
        let _inner = self.lock();
        let begun = self.state() == TaskState::Pending;
        if begun {
            self.set_state(TaskState::Running);
        }
        begun
    }

    /// Makes the end known: once, and by the job. A cancelled closure's is known already.
    pub(crate) fn publish(&self, end: End) {
        let mut inner = self.lock();
        if self.has_ended() {
            return;
        }
        let waker = inner.waker.take();
        let callbacks = inner.more.as_mut().map(|more| std::mem::take(&mut more.callbacks)).unwrap_or_default();
        let is_abandoned = inner.is_abandoned;
        if end.state() == TaskState::Failed {
            inner.more.get_or_insert_default().end = Some(end.clone());
        }
        self.state.store(end.state() as u8, Ordering::Release);
        drop(inner);
        drop(waker);
        self.home.leave(self.key);
        if !callbacks.is_empty() {
            self.call(callbacks, &end);
        }
        if is_abandoned && matches!(end, End::Panicked(_)) {
            unhandled::report(self.error());
        }
    }

    /// The `Task` is dropped, and nobody asked for the result.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        inner.is_abandoned = true;
        let is_panic = matches!(inner.more.as_ref().and_then(|more| more.end.as_ref()), Some(End::Panicked(_)));
        let waker = if self.place.is_pool() { inner.waker.take() } else { None };
        drop(inner);
        drop(waker);
        if is_panic {
            unhandled::report(self.error());
        }
    }

    /// Has `callback` called at the end; at once if that is past.
    pub(crate) fn when_done(&self, callback: Callback) {
        let mut inner = self.lock();
        if !self.has_ended() {
            inner.more.get_or_insert_default().callbacks.push(callback);
            return;
        }
        drop(inner);
        let end = self.end();
        self.call(vec![callback], &end);
    }

    fn call(&self, callbacks: Vec<Callback>, end: &End) {
        for callback in callbacks {
            let result = if matches!(end, End::Done) { Ok(()) } else { Err(self.error()) };
            // The panic hook has told of a panic; the loop goes on.
            quietly(|| callback(result));
        }
    }

    /// How it ended, for one that has.
    fn end(&self) -> End {
        if self.state() == TaskState::Done {
            return End::Done;
        }
        self.lock().more.as_ref().and_then(|more| more.end.clone()).unwrap_or(End::Cancelled)
    }

    /// Why there is no result. One that never told of an end was dropped by its loop, as by a cancel.
    pub(crate) fn error(&self) -> TaskError {
        let (name, spawned_at) = (self.name.clone(), self.spawned_at);
        match self.end() {
            End::Panicked(message) => TaskError::Panicked { message: message.as_ref().into(), name, spawned_at },
            End::Refused(reason) => TaskError::Refused { reason: reason.as_ref().into(), name, spawned_at },
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
