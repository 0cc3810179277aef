//! Waiting for a time, giving up after a time, and letting others have a turn.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::this_thread;
use super::timers::{Key, Timers};

/// Waits for `duration`, counted from the call. `asyncio.sleep`.
///
/// ```
/// use dewar::bridge;
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// bridge::block_on(bridge::sleep(Duration::from_millis(2)))?;
/// assert!(start.elapsed() >= Duration::from_millis(2));
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    Sleep { deadline: Instant::now().checked_add(duration), entry: None }
}

/// Waits until `deadline`; not at all if that has passed.
///
/// ```
/// use dewar::bridge;
/// use std::time::Instant;
///
/// bridge::block_on(bridge::sleep_until(Instant::now()))?;
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline: Some(deadline), entry: None }
}

/// The future of [`sleep`] and [`sleep_until`].
///
/// Works wherever it is polled. Directly in a fragment, in a task that it spawned and in a [`gather`],
/// the timer is in the loop's own heap, and costs neither a thread nor a hand-over; on the shared loop, in
/// a third-party executor and behind combinators with wakers of their own it goes to one background
/// thread. It may move to another thread or executor at any time, and is taken out when it is dropped.
///
/// [`gather`]: super::gather
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    /// `None`: later than the clock can tell, so never.
    deadline: Option<Instant>,
    /// Where a timer is registered, as of the last poll.
    entry: Option<(Arc<Timers>, Key)>,
}

impl Sleep {
    fn unregister(&mut self) {
        if let Some((timers, key)) = self.entry.take() {
            timers.remove(&key);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        if Instant::now() >= deadline {
            self.unregister();
            return Poll::Ready(());
        }
        let Some(timers) = this_thread::timers_for(cx) else {
            // No timer thread to be had: being polled again and again is hot, but right.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        };
        if let Some((old, key)) = &self.entry
            && Arc::ptr_eq(old, &timers)
            && old.renew(key, cx.waker())
        {
            return Poll::Pending;
        }
        // First poll; or polled elsewhere than before, or in another fragment's loop.
        self.unregister();
        let key = timers.insert(deadline, cx.waker());
        self.entry = Some((timers, key));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.unregister();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline).field("registered", &self.entry.is_some()).finish()
    }
}

/// Waits for `future`, but no longer than `duration` from the call; then the future is dropped.
/// `asyncio.wait_for`. A future that is ready in the same moment wins.
///
/// ```
/// use dewar::bridge;
/// use std::{future, time::Duration};
///
/// let fast = bridge::timeout(Duration::from_secs(60), async { "made it" });
/// assert_eq!(bridge::block_on(fast)?, Ok("made it"));
///
/// let never = bridge::timeout(Duration::from_millis(1), future::pending::<()>());
/// assert_eq!(bridge::block_on(never)?.unwrap_err().to_string(), "not done within 1ms");
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn timeout<F: Future>(duration: Duration, future: F) -> impl Future<Output = Result<F::Output, Elapsed>> {
    bounded(sleep(duration), duration, future)
}

/// As [`timeout`], until a point in time: one deadline for several steps. `asyncio.timeout_at`.
///
/// ```
/// use dewar::bridge;
/// use std::time::{Duration, Instant};
///
/// let deadline = Instant::now() + Duration::from_secs(60);
/// let both = bridge::block_on(async {
///     let first = bridge::timeout_at(deadline, async { 1 }).await?;
///     let second = bridge::timeout_at(deadline, async { 2 }).await?;
///     Ok::<_, bridge::Elapsed>(first + second)
/// })?;
/// assert_eq!(both, Ok(3));
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> impl Future<Output = Result<F::Output, Elapsed>> {
    let duration = deadline.saturating_duration_since(Instant::now());
    bounded(sleep_until(deadline), duration, future)
}

async fn bounded<F: Future>(mut sleep: Sleep, duration: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        Pin::new(&mut sleep).poll(cx).map(|()| Err(Elapsed { after: duration }))
    })
    .await
}

/// The time given to [`timeout`] ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elapsed {
    /// How long it was.
    pub after: Duration,
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not done within {:?}", self.after)
    }
}

impl Error for Elapsed {}

/// Lets the loop's other tasks, and its timers, have a turn. `asyncio.sleep(0)`.
///
/// ```
/// use dewar::bridge;
///
/// bridge::block_on(async {
///     for _ in 0..1000 {
///         // a piece of work
///         bridge::yield_now().await;
///     }
/// })?;
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn yield_now() -> impl Future<Output = ()> {
    let mut yielded = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}
