//! Tasks: futures that run by themselves, and the handles to them.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::error::{BridgeError, TaskError};
use super::job::LocalJob;
use super::task_core::{Core, End, Header, Place};
use super::{shared_loop, this_thread};

/// A handle to something that runs by itself: a task of the thread's loop ([`spawn`]) or of the shared
/// one ([`spawn_shared`](super::spawn_shared)), or a closure on another thread
/// ([`unblock`](super::unblock()), [`compute`](super::compute())).
///
/// Await it in a fragment, or [`join`](Task::join) it from blocking code. Dropping it stops nothing: as in
/// asyncio the task goes on, and one that was spawned on the thread's loop goes on until its outermost
/// fragment ends.
#[must_use = "a Task goes on when it is dropped: await it, `join` it, or say `.detach()`"]
pub struct Task<T> {
    core: Arc<Core<T>>,
    /// The result was given out.
    asked: bool,
}

impl<T> Task<T> {
    pub(crate) fn of(core: Arc<Core<T>>) -> Task<T> {
        Task { core, asked: false }
    }

    fn header(&self) -> &Header {
        &self.core.header
    }

    /// Asks the task to end. Its future is dropped when its loop gets to it, never in here, and awaiting
    /// the task then gives [`TaskError::Cancelled`]; if it ends by itself before that, this does nothing.
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
        self.header().cancel();
    }

    /// Lets go of the handle; the task goes on, as it does when the handle is dropped. Says that it is
    /// meant.
    pub fn detach(self) {}

    /// The name given by [`spawn_named`].
    pub fn name(&self) -> Option<&str> {
        self.header().name.as_deref()
    }

    /// Where it was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.header().spawned_at
    }

    /// Whether it has ended, in whichever way: awaiting it gives the result at once.
    pub fn is_finished(&self) -> bool {
        self.header().has_ended()
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
    /// of a thread's own loop, one of the shared loop on a thread of that loop, a compute job on a compute
    /// thread. The task goes on. [`BridgeError::Task`] if it was cancelled or panicked.
    #[track_caller]
    pub fn join(self) -> Result<T, BridgeError> {
        let joined_at = Location::caller();
        if !self.is_finished()
            && let Some(why) = self.why_not_join()
        {
            return Err(BridgeError::WouldDeadlock { spawned_at: self.spawned_at(), joined_at, why });
        }
        let end = self.header().wait();
        self.result(end).map_err(BridgeError::Task)
    }

    fn why_not_join(&self) -> Option<&'static str> {
        match self.header().place {
            Place::Local => Some(
                "it gets on only while its thread polls it. `.await` it in the fragment that spawned it, or \
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

    fn result(mut self, end: End) -> Result<T, TaskError> {
        self.take_result(end)
    }

    fn take_result(&mut self, end: End) -> Result<T, TaskError> {
        assert!(!self.asked, "{} was polled after its end", self.header());
        self.asked = true;
        match (end, self.core.take()) {
            (End::Done, Some(value)) => Ok(value),
            (end, _) => Err(self.header().error(end)),
        }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.header().end_or_wake(cx.waker()) {
            None => Poll::Pending,
            Some(end) => Poll::Ready(self.take_result(end)),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        // First the word that nobody will ask, then the look for a value: one that comes in between is
        // dropped by the job, so that none stays behind.
        self.header().abandon(self.asked);
        if self.is_finished() {
            drop(self.core.take());
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("name", &self.name())
            .field("spawned_at", &format_args!("{}", self.spawned_at()))
            .field("place", &self.header().place)
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// Runs `future` concurrently with the fragment, on this thread's loop. `asyncio.create_task`.
///
/// It is first polled when the fragment waits for something. It need not be `Send`. If it is still
/// running when the outermost fragment ends, it is cancelled with a warning; what must outlive that
/// belongs on the shared loop ([`spawn_shared`](super::spawn_shared)). The request's luggage goes along.
/// A panic in it is delivered to whoever awaits the task, and harms nothing else.
///
/// ```
/// use dewar::bridge;
///
/// let sum = bridge::block_on(async {
///     let task = bridge::spawn(async { 40 });
///     bridge::yield_now().await; // it runs here
///     task.await.map(|n| n + 2)
/// })??;
/// assert_eq!(sum, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// Outside of a fragment: there is no loop that would run it.
#[track_caller]
pub fn spawn<F>(future: F) -> Task<F::Output>
where
    F: Future<Output: 'static> + 'static,
{
    spawn_local(None, future)
}

/// As [`spawn`], with a name for messages.
///
/// ```
/// use dewar::bridge;
///
/// bridge::block_on(async {
///     let task = bridge::spawn_named("fetch prices", async {});
///     assert_eq!(task.name(), Some("fetch prices"));
///     task.await
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// As [`spawn`].
#[track_caller]
pub fn spawn_named<F>(name: impl Into<Arc<str>>, future: F) -> Task<F::Output>
where
    F: Future<Output: 'static> + 'static,
{
    spawn_local(Some(name.into()), future)
}

#[track_caller]
fn spawn_local<F>(name: Option<Arc<str>>, future: F) -> Task<F::Output>
where
    F: Future<Output: 'static> + 'static,
{
    let Some(local) = this_thread::local_loop() else {
        panic!(
            "`bridge::spawn` needs a running fragment on this thread: call it inside of `bridge::block_on`. \
             From blocking code, and from tasks of the shared loop, use `bridge::spawn_shared`"
        );
    };
    let core = Core::new(Header::new(Place::Local, name, Location::caller()));
    local.spawn(LocalJob::local(&core, future));
    Task::of(core)
}

/// Runs `future` on the shared loop, the background threads that live as long as the process. From
/// anywhere: a fragment of any scope, or plain blocking code (`run_coroutine_threadsafe`). It outlives the
/// fragment that spawned it, and the request's luggage goes along.
///
/// A panic in it is delivered to whoever awaits or joins the task. While it is polled the bridge refuses
/// to [`block_on`](super::block_on) (as does futures' own, by panicking): move blocking code into
/// [`unblock`](super::unblock()).
///
/// ```
/// use dewar::bridge;
///
/// // from blocking code
/// assert_eq!(bridge::spawn_shared(async { 1 }).join()?, 1);
/// // from a fragment
/// let one = bridge::block_on(async { bridge::spawn_shared(async { 1 }).await })??;
/// assert_eq!(one, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn spawn_shared<F>(future: F) -> Task<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let core = Core::new(Header::new(Place::Shared, None, Location::caller()));
    shared_loop::spawn(&core, future);
    Task::of(core)
}
