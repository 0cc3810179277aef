//! Jobs that run again and again.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, Location};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::task::AtomicWaker;

use super::interval::Interval;
use super::luggage;
use super::sleep::yield_now;
use super::spawn::spawn_shared;
use super::task::Task;
use crate::quiet::{discard_panic, quietly};

/// Runs `job` at each tick of an interval, on the shared loop, until the [`Periodic`] is stopped or dropped. In asyncio, a
/// task with a loop around `sleep`.
///
/// `interval` is a period, of which the first run comes at once, or an [`Interval`]: by
/// [`interval_at`](super::interval_at) with another beginning, by [`missed`](Interval::missed) with a policy for ticks that
/// come while a run is still going on. Runs never overlap. A run that panics or returns an error is logged, and the next
/// one comes. The runs belong to no request: they carry no luggage.
///
/// A job that blocks goes into [`unblock`](super::unblock()), since it would block the shared loop.
///
/// ```
/// use dewar::bridge;
/// use std::sync::mpsc;
/// use std::time::{Duration, Instant};
///
/// let (tell, told) = mpsc::channel();
/// let period = Duration::from_millis(1);
/// let start = Instant::now() + period; // the first run after a period, not at once
/// let job = bridge::every(bridge::interval_at(start, period), move || {
///     let tell = tell.clone();
///     async move { tell.send("tick").map_err(|_| "nobody listens") }
/// });
/// assert_eq!(told.recv()?, "tick");
/// assert_eq!(told.recv()?, "tick");
/// bridge::block_on(job.stop())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// At the caller's line, if it is given a period of zero.
#[track_caller]
pub fn every<F, Fut>(interval: impl Into<Interval>, job: F) -> Periodic
where
    F: FnMut() -> Fut + Send + 'static,
    Fut: Future<Output: RunOutcome> + Send + 'static,
{
    let interval = interval.into();
    let made_at = Location::caller();
    let signals =
        Arc::new(Signals { stopped: AtomicBool::new(false), waker: AtomicWaker::new(), runs: AtomicU64::new(0) });
    // The request that starts it must be able to end.
    let _without = luggage::pack(None);
    let task = spawn_shared(work(interval, job, Arc::clone(&signals), made_at));
    Periodic { signals, task: Some(task), made_at }
}

async fn work<F, Fut>(mut interval: Interval, mut job: F, signals: Arc<Signals>, made_at: &'static Location<'static>)
where
    F: FnMut() -> Fut,
    Fut: Future<Output: RunOutcome>,
{
    while signals.tick(&mut interval).await {
        // Inside of an async block, so that a panic of the closure itself is caught, too.
        let run = AssertUnwindSafe(async { job().await.failure() }).catch_unwind().await;
        let failure = match run {
            Ok(failure) => failure.map(|error| format!("failed: {error}")),
            Err(panic) => Some(format!("panicked: {}", text(panic))),
        };
        if let Some(failure) = failure {
            quietly(|| log::error!("a run of the periodic job made at {made_at} {failure}"));
        }
        signals.runs.fetch_add(1, Ordering::Release);
        // Runs that are made up for come without a rest; others on the loop have a turn in between.
        yield_now().await;
    }
}

/// What a panic said.
fn text(panic: Box<dyn Any + Send>) -> String {
    let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "(a payload that is no text)".to_owned(),
    };
    discard_panic(panic);
    text
}

struct Signals {
    stopped: AtomicBool,
    /// Of the task, while it waits for a tick.
    waker: AtomicWaker,
    runs: AtomicU64,
}

impl Signals {
    /// Waits for a tick; false if the job was stopped, also at the moment of a tick.
    async fn tick(&self, interval: &mut Interval) -> bool {
        poll_fn(|cx| {
            // Registered before the flag is read: a stop in between is seen here, or wakes.
            self.waker.register(cx.waker());
            if self.stopped.load(Ordering::Acquire) {
                return Poll::Ready(false);
            }
            interval.poll_tick(cx).map(|_| true)
        })
        .await
    }
}

/// A job that runs again and again: made by [`every`]. Dropping it stops it, as [`stop`](Periodic::stop) without
/// waiting.
#[must_use = "a periodic job stops when it is dropped: keep it for as long as it shall run"]
pub struct Periodic {
    signals: Arc<Signals>,
    /// `None` only while `stop` waits for it.
    task: Option<Task<()>>,
    made_at: &'static Location<'static>,
}

impl Periodic {
    /// Stops it: no further run begins. Awaiting this waits for the end of a run in progress, which is never cut short.
    ///
    /// Nothing happens before the future is polled or dropped; from either on the job is stopped, so it is cancel-safe.
    /// In blocking code: `bridge::block_on(job.stop())?`. In a run of the job itself it would wait for itself.
    ///
    /// ```
    /// use dewar::bridge;
    /// use std::time::Duration;
    ///
    /// let job = bridge::every(Duration::from_secs(3600), async || ()); // now, and each hour
    /// while job.runs() == 0 {
    ///     std::thread::yield_now();
    /// }
    /// assert!(job.is_running());
    /// bridge::block_on(job.stop())?;
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    pub async fn stop(mut self) {
        self.signal();
        if let Some(task) = self.task.take() {
            // However it ended, it has.
            let _ = task.await;
        }
    }

    /// The number of runs that have ended, in whichever way.
    pub fn runs(&self) -> u64 {
        self.signals.runs.load(Ordering::Acquire)
    }

    /// Whether further runs are to come. False also if the operating system refused the shared loop's thread.
    pub fn is_running(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }

    fn signal(&self) {
        self.signals.stopped.store(true, Ordering::Release);
        self.signals.waker.wake();
    }
}

impl Drop for Periodic {
    fn drop(&mut self) {
        self.signal();
    }
}

impl fmt::Debug for Periodic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Periodic")
            .field("made_at", &format_args!("{}", self.made_at))
            .field("runs", &self.runs())
            .field("running", &self.is_running())
            .finish()
    }
}

/// What a run of a periodic job may return: nothing, or a `Result` whose error can be shown.
pub trait RunOutcome {
    /// What went wrong, if something did.
    fn failure(self) -> Option<String>;
}

impl RunOutcome for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<T, E: fmt::Display> RunOutcome for Result<T, E> {
    fn failure(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}
