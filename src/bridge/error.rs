//! Why the bridge refuses.

use std::error::Error;
use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::Arc;

/// The bridge could not do, or would not do, what it was asked to. The message says what to do instead.
#[derive(Debug)]
#[non_exhaustive]
pub enum BridgeError {
    /// A fragment was to be started on a thread whose loop is running: it would block that loop, and
    /// with it all that the new fragment may be waiting for.
    Nested {
        /// Where the running fragment was started; on a thread of the shared loop, where the task that
        /// is running was spawned.
        outer: &'static Location<'static>,
        /// Where the second one was to be started.
        inner: &'static Location<'static>,
    },
    /// A thread was to wait for a task that needs that thread to get on.
    WouldDeadlock {
        /// Where the task was spawned.
        spawned_at: &'static Location<'static>,
        /// Where it was to be waited for.
        joined_at: &'static Location<'static>,
        /// Why that would never end, and what to do.
        why: &'static str,
    },
    /// A task that was waited for gave no result.
    Task(TaskError),
    /// The operating system refused a thread.
    Thread(io::Error),
    /// The fragment was ended from outside: its thread was on a [`Leash`](super::Leash) that was pulled, as a server
    /// does with what is left when its shutdown's patience is at an end.
    Cancelled {
        /// Where the fragment was started.
        at: &'static Location<'static>,
    },
    /// The loop was closed before.
    Closed {
        /// Where it was to be used.
        at: &'static Location<'static>,
    },
    /// A local tokio loop was to be started on a thread that drives a tokio runtime already.
    #[cfg(feature = "tokio")]
    InsideTokio {
        /// Where it was to be started.
        at: &'static Location<'static>,
    },
    /// tokio's runtime could not be made.
    #[cfg(feature = "tokio")]
    Runtime(io::Error),
}

impl fmt::Display for BridgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BridgeError::Nested { outer, inner } => write!(
                f,
                "the fragment at {inner} cannot start: the event loop of the one at {outer} is running on \
                 this thread. In async code `.await` the future instead of blocking on it; from blocking \
                 code called by async code, use `bridge::own_thread`, or move that blocking code into \
                 `bridge::unblock`"
            ),
            BridgeError::WouldDeadlock { spawned_at, joined_at, why } => {
                write!(f, "the task spawned at {spawned_at} cannot be joined at {joined_at}: {why}")
            }
            BridgeError::Task(error) => error.fmt(f),
            BridgeError::Thread(error) => write!(f, "no thread to run it on: {error}"),
            BridgeError::Cancelled { at } => {
                write!(
                    f,
                    "the fragment at {at} was ended from outside before it was done: its `Leash` was pulled, as a \
                     server does whose shutdown has no time left"
                )
            }
            BridgeError::Closed { at } => write!(
                f,
                "the event loop used at {at} is closed: nothing runs on it any more. Make a new one by `EventLoop::new`"
            ),
            #[cfg(feature = "tokio")]
            BridgeError::InsideTokio { at } => write!(
                f,
                "the fragment at {at} cannot have a tokio runtime of its own: this thread belongs to a tokio runtime \
                 already. Use `LoopPolicy::tokio()` (scope `Shared`), which works in here, or `bridge::own_thread`"
            ),
            #[cfg(feature = "tokio")]
            BridgeError::Runtime(error) => write!(f, "no tokio runtime to run it on: {error}"),
        }
    }
}

impl Error for BridgeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            BridgeError::Task(error) => Some(error),
            BridgeError::Thread(error) => Some(error),
            #[cfg(feature = "tokio")]
            BridgeError::Runtime(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TaskError> for BridgeError {
    fn from(error: TaskError) -> BridgeError {
        BridgeError::Task(error)
    }
}

/// A task ended without a result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TaskError {
    /// It was cancelled: by [`Task::cancel`](super::Task::cancel), or because the outermost fragment
    /// on its thread ended first.
    Cancelled {
        /// Its name, if it was given one.
        name: Option<Arc<str>>,
        /// Where it was spawned.
        spawned_at: &'static Location<'static>,
    },
    /// It panicked.
    Panicked {
        /// What the panic said.
        message: String,
        /// Its name, if it was given one.
        name: Option<Arc<str>>,
        /// Where it was spawned.
        spawned_at: &'static Location<'static>,
    },
    /// It never began: there is no thread to run it on.
    Refused {
        /// What the operating system said.
        reason: String,
        /// Its name, if it was given one.
        name: Option<Arc<str>>,
        /// Where it was spawned.
        spawned_at: &'static Location<'static>,
    },
}

impl TaskError {
    /// Whether the task was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, TaskError::Cancelled { .. })
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self, TaskError::Panicked { .. })
    }

    /// The task's name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        let (TaskError::Cancelled { name, .. } | TaskError::Panicked { name, .. } | TaskError::Refused { name, .. }) =
            self;
        name.as_deref()
    }

    /// Where the task was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        let (TaskError::Cancelled { spawned_at, .. }
        | TaskError::Panicked { spawned_at, .. }
        | TaskError::Refused { spawned_at, .. }) = self;
        spawned_at
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task ")?;
        if let Some(name) = self.name() {
            write!(f, "`{name}` ")?;
        }
        write!(f, "spawned at {} ", self.spawned_at())?;
        match self {
            TaskError::Cancelled { .. } => f.write_str("was cancelled"),
            TaskError::Panicked { message, .. } => write!(f, "panicked: {message}"),
            TaskError::Refused { reason, .. } => write!(f, "never began: {reason}"),
        }
    }
}

impl Error for TaskError {}
