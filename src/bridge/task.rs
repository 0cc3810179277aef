//! Tasks: futures that run by themselves, and the handles to them.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use async_task::FallibleTask;

use super::error::{BridgeError, TaskError};
use super::header::{Header, Place, TaskState};
use super::job::Output;
use super::this_thread;
use super::timers;

/// A handle to something that runs by itself: a task of the thread's loop ([`spawn`](super::spawn)) or of the
/// shared one ([`spawn_shared`](super::spawn_shared)), or a closure on another thread
/// ([`unblock`](super::unblock()), [`compute`](super::compute())).
///
/// Await it in a fragment, or [`join`](Task::join) it from blocking code. Dropping it stops nothing: as in
/// asyncio the task goes on, and one that was spawned on the thread's loop goes on until its outermost
/// fragment ends.
#[must_use = "a Task goes on when it is dropped: await it, `join` it, or say `.detach()`"]
pub struct Task<T> {
    header: Arc<Header>,
    /// `None` once the result was given out, or while dropped.
    inner: Option<FallibleTask<Output<T>, u64>>,
}

impl<T> Task<T> {
    pub(crate) fn new(header: Arc<Header>, inner: FallibleTask<Output<T>, u64>) -> Task<T> {
        Task { header, inner: Some(inner) }
    }

    /// Asks the task to end. Its future is dropped when its loop gets to it, never in here, and awaiting
    /// the task then gives [`TaskError::Cancelled`]; if it ends by itself before that, this does nothing. Clean-up is
    /// what destructors do, and what [`TaskBuilder::on_cancel`](super::TaskBuilder::on_cancel) was given.
    ///
    /// A closure on a pool can be cancelled only while it is queued; once begun it runs to its end.
    ///
    /// ```
    /// use dewar::bridge;
    /// use std::future;
    ///
    /// bridge::block_on(async {
    ///     let task = bridge::spawn(future::pending::<()>());
    ///     task.cancel();
    ///     assert!(task.await.unwrap_err().is_cancelled());
    /// })?;
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    pub fn cancel(&self) {
        self.header.cancel();
    }

    /// Lets go of the handle; the task goes on, as it does when the handle is dropped. Says that it is
    /// meant.
    pub fn detach(self) {}

    /// The name given by [`spawn_named`](super::spawn_named) or a [`TaskBuilder`](super::TaskBuilder).
    pub fn name(&self) -> Option<&str> {
        self.header.name.as_deref()
    }

    /// Where in its life it is, at this moment.
    ///
    /// ```
    /// use dewar::bridge::{self, TaskState};
    ///
    /// bridge::block_on(async {
    ///     let task = bridge::spawn(async { bridge::yield_now().await });
    ///     assert_eq!(task.state(), TaskState::Pending);
    ///     bridge::yield_now().await;
    ///     assert_eq!(task.state(), TaskState::Waiting);
    ///     task.await
    /// })??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn state(&self) -> TaskState {
        self.header.state()
    }

    /// Where it was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.header.spawned_at
    }

    /// Whether it has ended, in whichever way: awaiting it gives the result at once. `Task.done`.
    ///
    /// ```
    /// use dewar::bridge;
    ///
    /// bridge::block_on(async {
    ///     let task = bridge::spawn(async {});
    ///     assert!(!task.is_finished()); // it had no turn yet
    ///     bridge::yield_now().await;
    ///     assert!(task.is_finished());
    /// })?;
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    pub fn is_finished(&self) -> bool {
        self.inner.as_ref().is_none_or(FallibleTask::is_finished) || self.is_cancelled_in_its_queue()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.header.state() == TaskState::Cancelled
    }

    /// A closure is cancelled without its pool.
    fn is_cancelled_in_its_queue(&self) -> bool {
        self.header.place.is_pool() && self.is_cancelled()
    }

    /// Has `callback` called when the task ends, with `Ok` or with why there is no result: on the thread where it ends,
    /// before whoever awaits it goes on; at once, and here, if it has ended already. Callbacks are called in the order
    /// in which they were added; a panic in one is swallowed (the panic hook tells of it). The value itself is for whoever
    /// awaits the task. `Task.add_done_callback`.
    ///
    /// ```
    /// use dewar::bridge;
    /// use std::sync::mpsc;
    ///
    /// let (send, ended) = mpsc::channel();
    /// let task = bridge::spawn_shared(async { 7 });
    /// task.add_done_callback(move |result| send.send(result.is_ok()).unwrap());
    /// assert!(ended.recv()?);
    /// assert_eq!(task.join()?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_done_callback(&self, callback: impl FnOnce(Result<(), TaskError>) + Send + 'static) {
        self.header.when_done(Box::new(callback));
    }

    /// Blocks this thread until the task ends, and returns its result.
    ///
    /// ```
    /// use dewar::bridge;
    ///
    /// let task = bridge::spawn_shared(async { 6 * 7 });
    /// assert_eq!(task.join()?, 42);
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BridgeError::WouldDeadlock`] where the task would need the thread that waits: an unfinished task
    /// of this thread's own loop, one of the shared loop on a thread of that loop, a compute job on a compute
    /// thread. The task goes on. [`BridgeError::Task`] if it was cancelled or panicked.
    #[track_caller]
    pub fn join(mut self) -> Result<T, BridgeError> {
        let joined_at = Location::caller();
        if !self.is_finished()
            && let Some(why) = self.why_not_join()
        {
            return Err(BridgeError::WouldDeadlock { spawned_at: self.spawned_at(), joined_at, why });
        }
        // A bell of its own: this may be inside of somebody else's loop, or of ours.
        let pull = this_thread::with(|this| this.pull.take().unwrap_or_else(|| this.new_pull()));
        let mut cx = Context::from_waker(&pull.waker);
        let result = loop {
            // Before the poll: a wake that comes during it is kept.
            pull.bell.answer();
            if let Poll::Ready(result) = Pin::new(&mut self).poll_with(&mut cx) {
                break result;
            }
            while !pull.bell.is_rung() {
                thread::park();
            }
        };
        if !pull.is_shared() {
            this_thread::with(|this| {
                this.pull.set(Some(pull));
                this.keep_until_thread_ends();
            });
        }
        result.map_err(BridgeError::Task)
    }

    fn why_not_join(&self) -> Option<&'static str> {
        match self.header.place {
            Place::Local => self.header.home.is_of_this_thread().then_some(
                "it gets on only while this thread polls it. `.await` it in the fragment that spawned it, or \
                 spawn it with `bridge::spawn_shared`",
            ),
            Place::Shared if this_thread::is_shared_loop() => Some(
                "this thread is one of those that drive it. `.await` it, or move the blocking code into \
                 `bridge::unblock`",
            ),
            Place::Shared | Place::Unblock => None,
            #[cfg(feature = "compute")]
            Place::Compute => super::compute::is_compute_thread().then_some(
                "this thread is one of those that compute it. Call its closure directly, or use `rayon::join` \
                 inside of the job",
            ),
        }
    }

    /// Polls with a waker that cannot panic.
    fn poll_with(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, TaskError>> {
        let Some(inner) = &mut self.inner else { panic!("{} was polled after its end", self.header) };
        match Pin::new(inner).poll(cx) {
            Poll::Ready(output) => {
                if let Some(inner) = self.inner.take() {
                    inner.detach(); // cheaper than its drop, which cancels
                }
                Poll::Ready(output.and_then(Output::take).ok_or_else(|| self.header.error()))
            }
            Poll::Pending if self.header.place.is_pool() && !self.header.listen_for_cancel(cx.waker()) => {
                if let Some(inner) = self.inner.take() {
                    inner.detach();
                }
                Poll::Ready(Err(self.header.error()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// A waker of somebody else's. `async-task` ends the process if one panics; a loop is to go on.
struct Tame(Option<Waker>);

impl Wake for Tame {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(waker) = self.0.clone() {
            timers::wake(waker);
        }
    }
}

impl Drop for Tame {
    fn drop(&mut self) {
        let waker = self.0.take();
        crate::quiet::quietly(|| drop(waker));
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if this_thread::with(|this| this.is_driven(cx)) {
            return self.poll_with(cx); // our own waker
        }
        let waker = Waker::from(Arc::new(Tame(Some(cx.waker().clone()))));
        self.poll_with(&mut Context::from_waker(&waker))
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            // First the word that nobody will ask, then the letting go: a panic is told of by one of the two sides.
            self.header.abandon();
            inner.detach();
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("name", &self.name())
            .field("state", &self.state())
            .field("spawned_at", &format_args!("{}", self.spawned_at()))
            .field("place", &self.header.place)
            .finish()
    }
}
