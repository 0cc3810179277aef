//! Spawning: on this thread's loop, on the shared one, with a name, with clean-up.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::far::Far;
use super::job::{Body, Job, Plain};
use super::policy::{Backend, LoopPolicy};
use super::roll::{self, Home};
use super::sleep::{Sleep, sleep};
use super::task::Task;
use super::{shared_loop, this_thread};

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
    local(None, Location::caller(), Plain { future })
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
    local(Some(name.into()), Location::caller(), Plain { future })
}

/// Runs `future` on the shared loop, the background threads that live as long as the process; where the policy's backend
/// is tokio, or the spawning task is there already, on the process's tokio runtime. From anywhere: a fragment of any scope, or plain blocking code
/// (`run_coroutine_threadsafe`). It outlives the fragment that spawned it, and the request's luggage goes along. One that
/// waits for what never comes stays, also without its handle ([`tasks`](super::tasks) shows it): asyncio would collect it
/// as garbage, or a task that is still wanted.
///
/// A panic in it is delivered to whoever awaits or joins the task; the threads of the loop catch it, and never die of one.
/// Where the system refuses the first thread, the task ends at once with [`TaskError::Refused`](super::TaskError::Refused).
/// A task that blocks keeps the others of its thread waiting (debug mode names it). While it is polled the bridge refuses
/// to [`block_on`](super::block_on): move blocking code into [`unblock`](super::unblock()).
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
    shared(None, Location::caller(), Plain { future })
}

/// Runs `future` as [`spawn`] does, so that it goes on when whoever waits for it gives up: a timeout around the handle, or
/// the end of the task that awaits it, ends the waiting only. `asyncio.shield`. It is no protection from the end of the
/// outermost fragment: what is to outlive that goes to [`spawn_shared`].
///
/// ```
/// use dewar::bridge;
/// use std::time::Duration;
///
/// let saved = bridge::block_on(async {
///     let mut saving = bridge::shield(async {
///         bridge::yield_now().await;
///         "saved"
///     });
///     // given up at once
///     assert!(bridge::timeout(Duration::ZERO, &mut saving).await.is_err());
///     saving.await
/// })??;
/// assert_eq!(saved, "saved");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// As [`spawn`].
#[track_caller]
pub fn shield<F>(future: F) -> Task<F::Output>
where
    F: Future<Output: 'static> + 'static,
{
    local(None, Location::caller(), Plain { future })
}

/// A task with more to say about it: a name, and what is to be done when it is cancelled.
///
/// ```
/// use dewar::bridge::{self, TaskBuilder};
/// use std::{cell::Cell, future, rc::Rc, time::Duration};
///
/// bridge::block_on(async {
///     let is_rolled_back = Rc::new(Cell::new(false));
///     let flag = Rc::clone(&is_rolled_back);
///     let task = TaskBuilder::new()
///         .name("transfer")
///         .on_cancel(Duration::from_secs(1), async move || {
///             bridge::yield_now().await; // rolls back, talks to the server
///             flag.set(true);
///         })
///         .spawn(future::pending::<()>());
///     bridge::yield_now().await;
///     task.cancel();
///     assert!(task.await.unwrap_err().is_cancelled());
///     assert!(is_rolled_back.get());
/// })?;
/// # Ok::<(), bridge::BridgeError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing runs before `spawn` or `spawn_shared`"]
pub struct TaskBuilder<C = NoCleanup> {
    name: Option<Arc<str>>,
    cleanup: C,
}

/// That a [`TaskBuilder`] has no [`on_cancel`](TaskBuilder::on_cancel) yet.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoCleanup;

/// What a [`TaskBuilder`] does on cancel, and how long that may take.
#[derive(Clone, Copy, Debug)]
pub struct Cleanup<M> {
    make: M,
    bound: Duration,
}

impl TaskBuilder {
    /// A task without a name.
    pub fn new() -> TaskBuilder {
        TaskBuilder::default()
    }

    /// Has `cleanup` run when the task is cancelled after it began, by hand or because its fragment ends: on its loop,
    /// when the future itself has been dropped, for as long as `bound`; then it is dropped where it is. Whoever awaits
    /// the task, and the end of the fragment, wait for it. asyncio's `except CancelledError` with an `await` in it.
    ///
    /// It does not run if the task ends by itself, panics, was never polled, or when its thread or the process ends.
    pub fn on_cancel<M, C>(self, bound: Duration, cleanup: M) -> TaskBuilder<Cleanup<M>>
    where
        M: FnOnce() -> C + 'static,
        C: Future<Output = ()> + 'static,
    {
        TaskBuilder { name: self.name, cleanup: Cleanup { make: cleanup, bound } }
    }

    /// As [`spawn`](super::spawn).
    ///
    /// # Panics
    ///
    /// Outside of a fragment.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> Task<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        local(self.name, Location::caller(), Plain { future })
    }

    /// As [`spawn_shared`](super::spawn_shared).
    #[track_caller]
    pub fn spawn_shared<F>(self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        shared(self.name, Location::caller(), Plain { future })
    }
}

impl<C> TaskBuilder<C> {
    /// With a name for messages and dumps.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> TaskBuilder<C> {
        self.name = Some(name.into());
        self
    }
}

impl<M, C> TaskBuilder<Cleanup<M>>
where
    M: FnOnce() -> C + 'static,
    C: Future<Output = ()> + 'static,
{
    /// As [`spawn`](super::spawn).
    ///
    /// # Panics
    ///
    /// Outside of a fragment.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> Task<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        local(self.name, Location::caller(), WithCleanup::new(future, self.cleanup))
    }

    /// As [`spawn_shared`](super::spawn_shared).
    #[track_caller]
    pub fn spawn_shared<F>(self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
        M: Send,
        C: Send,
    {
        shared(self.name, Location::caller(), WithCleanup::new(future, self.cleanup))
    }
}

pin_project! {
    #[project = Stage]
    enum WithCleanup<F, M, C> {
        Running { #[pin] future: F, cleanup: Option<Cleanup<M>> },
        Cleaning { #[pin] cleanup: Option<C>, #[pin] bound: Sleep },
    }
}

impl<F, M, C> WithCleanup<F, M, C> {
    fn new(future: F, cleanup: Cleanup<M>) -> WithCleanup<F, M, C> {
        WithCleanup::Running { future, cleanup: Some(cleanup) }
    }
}

impl<F: Future, M, C> Future for WithCleanup<F, M, C> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            Stage::Running { future, .. } => future.poll(cx),
            Stage::Cleaning { .. } => Poll::Pending, // a cancel is not taken back
        }
    }
}

impl<F, M, C> Body for WithCleanup<F, M, C>
where
    F: Future,
    M: FnOnce() -> C,
    C: Future<Output = ()>,
{
    fn poll_cancel(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Stage::Running { cleanup, .. } = self.as_mut().project() {
            let Some(Cleanup { make, bound }) = cleanup.take() else { return Poll::Ready(()) };
            // This drops the future, before its clean-up begins.
            self.set(WithCleanup::Cleaning { cleanup: None, bound: sleep(bound) });
            if let Stage::Cleaning { mut cleanup, .. } = self.as_mut().project() {
                cleanup.set(Some(make()));
            }
        }
        match self.project() {
            Stage::Running { .. } => Poll::Ready(()),
            Stage::Cleaning { cleanup, bound } => {
                if cleanup.as_pin_mut().is_none_or(|cleanup| cleanup.poll(cx).is_ready()) {
                    return Poll::Ready(());
                }
                ready!(bound.poll(cx));
                log::warn!("an `on_cancel` took longer than its bound, and was dropped");
                Poll::Ready(())
            }
        }
    }
}

/// Onto this thread's loop.
#[track_caller]
pub(crate) fn local<B>(name: Option<Arc<str>>, at: &'static Location<'static>, body: B) -> Task<B::Output>
where
    B: Body<Output: 'static> + 'static,
{
    let Some(local) = this_thread::local_loop() else {
        panic!(
            "`bridge::spawn` needs a running fragment on this thread: call it inside of `bridge::block_on`. \
             From blocking code, and from tasks of the shared loop, use `bridge::spawn_shared`"
        );
    };
    let far = Arc::clone(local.far());
    let is_debug = this_thread::with(|this| this.is_debug.get());
    let header = roll::enter_local(&far, name, at, is_debug);
    let job = Job::new(Arc::clone(&header), body);
    let (runnable, task) =
        async_task::Builder::new().metadata(header.number).spawn_local(|_| job, move |runnable| far.schedule(runnable));
    local.enqueue(runnable);
    Task::new(header, task.fallible())
}

/// Onto the loop behind `far`, from any thread.
pub(crate) fn far_away<B>(
    far: &Arc<Far>,
    name: Option<Arc<str>>,
    at: &'static Location<'static>,
    body: B,
) -> Task<B::Output>
where
    B: Body<Output: Send + 'static> + Send + 'static,
{
    let header = roll::enter_local(far, name, at, LoopPolicy::current().debug);
    let job = Job::new(Arc::clone(&header), body);
    if far.is_closed() {
        std::pin::pin!(job).refuse("its loop is closed");
        return Task::new(Arc::clone(&header), shared_loop::nothing(header.number));
    }
    // From the loop's own thread it goes past what others have left, which came first.
    this_thread::with(|this| this.take_left(far));
    let far = Arc::clone(far);
    let (runnable, task) =
        async_task::Builder::new().metadata(header.number).spawn(|_| job, move |runnable| far.schedule(runnable));
    runnable.schedule();
    Task::new(header, task.fallible())
}

/// Onto the shared loop of the policy's backend.
pub(crate) fn shared<B>(name: Option<Arc<str>>, at: &'static Location<'static>, body: B) -> Task<B::Output>
where
    B: Body<Output: Send + 'static> + Send + 'static,
{
    let policy = LoopPolicy::current();
    let is_debug = policy.debug || this_thread::with(|this| this.is_debug.get());
    #[cfg(feature = "tokio")]
    if this_thread::is_tokio_task() {
        // What needs tokio goes on needing it.
        return super::tokio_loop::spawn(name, at, is_debug, body);
    }
    match policy.backend {
        Backend::Futures => {
            let home = Home::Shared(&shared_loop::ROLL);
            let header = roll::enter_shared(&shared_loop::ROLL, home, name, at, is_debug);
            let task = shared_loop::spawn(Arc::clone(&header), body);
            Task::new(header, task)
        }
        #[cfg(feature = "tokio")]
        Backend::Tokio => super::tokio_loop::spawn(name, at, is_debug, body),
    }
}
