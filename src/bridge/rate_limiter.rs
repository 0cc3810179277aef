//! At most so many calls in any window of time.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::error::BridgeError;
use super::fragment::block_on;
use super::sleep::{Sleep, sleep};
use super::sliding_window::{Window, later};
use crate::quiet::quietly;

/// Lets at most `n` calls through in *any* window of the given length: a sliding window, not a counter that starts anew
/// each minute. A clone is the same limiter.
///
/// Works in fragments of every scope, in their tasks, and from blocking threads, all at the same time. It is fair: who
/// came first is let through first, and nobody waits longer than the window asks for. It remembers the instants of the
/// last `n` calls, 16 bytes each. In Python, the recipe of a semaphore with a deque of times.
///
/// ```
/// use dewar::bridge::RateLimiter;
/// use std::time::Duration;
///
/// let limiter = RateLimiter::new(2, Duration::from_secs(60));
/// assert!(limiter.try_acquire().is_ok());
/// assert!(limiter.try_acquire().is_ok());
/// let refused = limiter.try_acquire().unwrap_err();
/// assert!(refused.wait() <= Duration::from_secs(60));
/// ```
///
/// A hook that answers 429 to what is too much for the whole app; [`KeyedRateLimiter`](super::KeyedRateLimiter) does so
/// for each client:
///
/// ```
/// use dewar::bridge::RateLimiter;
/// use dewar::App;
/// use std::time::Duration;
///
/// let limiter = RateLimiter::new(1, Duration::from_secs(60));
/// let mut app = App::new("demo");
/// app.get("/", || "welcome");
/// app.before_request(move || {
///     let refused = limiter.try_acquire().err()?;
///     Some(("Too many requests.", 429, [("retry-after", refused.seconds().to_string())]))
/// });
///
/// let client = app.test_client();
/// assert_eq!(client.get("/").status(), 200);
/// let second = client.get("/");
/// assert_eq!(second.status(), 429);
/// assert!(second.header("retry-after").is_some());
/// ```
#[derive(Clone)]
pub struct RateLimiter {
    shared: Arc<Mutex<State>>,
}

struct State {
    window: Window,
    /// Who waits, in the order of their coming. Only the first has a timer; it wakes the next one when it leaves.
    queue: BTreeMap<u64, Option<Waker>>,
    next_ticket: u64,
}

impl RateLimiter {
    /// At most `n` calls in any window of this length.
    ///
    /// # Panics
    ///
    /// At the caller's line, if `n` or `window` is zero.
    #[track_caller]
    pub fn new(n: usize, window: Duration) -> RateLimiter {
        assert!(n > 0, "a rate limiter of no calls would let nobody through, ever: allow at least one in a window");
        assert!(!window.is_zero(), "a window of no length limits nothing: say how long the calls are to be counted");
        RateLimiter::with(Window::new(n, window))
    }

    pub(crate) fn with(window: Window) -> RateLimiter {
        RateLimiter { shared: Arc::new(Mutex::new(State { window, queue: BTreeMap::new(), next_ticket: 0 })) }
    }

    /// Waits until the call is allowed, and counts it.
    ///
    /// Cancel-safe: a future that is dropped before it is ready has not counted, and whoever is next in the queue moves
    /// up.
    ///
    /// ```
    /// use dewar::bridge::{self, RateLimiter};
    /// use std::time::{Duration, Instant};
    ///
    /// let limiter = RateLimiter::new(2, Duration::from_millis(5));
    /// let start = Instant::now();
    /// bridge::block_on(async {
    ///     for _ in 0..5 {
    ///         limiter.acquire().await; // two, five milliseconds, two, five milliseconds, one
    ///     }
    /// })?;
    /// assert!(start.elapsed() >= Duration::from_millis(10));
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    pub fn acquire(&self) -> Acquire<'_> {
        Acquire { limiter: self, ticket: None, sleep: None }
    }

    /// Counts a call if it is allowed now, without pushing ahead of anybody who waits.
    ///
    /// # Errors
    ///
    /// [`RetryAfter`], if it is not: with the time after which it would be, were all who wait let through before and
    /// none came in between.
    pub fn try_acquire(&self) -> Result<(), RetryAfter> {
        let mut state = self.lock();
        let now = Instant::now(); // under the lock, so that instants come in order
        let ahead = state.queue.len();
        state.window.take_behind(ahead, now).map_err(|wait| RetryAfter { wait })
    }

    /// As [`acquire`](RateLimiter::acquire), from blocking code: this thread sleeps until the call is allowed.
    ///
    /// ```
    /// use dewar::bridge::RateLimiter;
    /// use std::time::Duration;
    ///
    /// let limiter = RateLimiter::new(1, Duration::from_millis(1));
    /// limiter.blocking_acquire()?;
    /// limiter.blocking_acquire()?;
    /// # Ok::<(), dewar::bridge::BridgeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BridgeError::Nested`] in a fragment, which it would block: await [`acquire`](RateLimiter::acquire) there.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<(), BridgeError> {
        block_on(self.acquire())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing of anybody else's runs under the lock (wakers are cloned, woken and dropped outside of it).
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When to look again whether the limiter is idle: nobody waits and no call counts any more. `None` if it is.
    pub(crate) fn busy_until(&self, now: Instant) -> Option<Instant> {
        let state = self.lock();
        let counts_until = state.window.counts_until().filter(|until| *until > now);
        if state.queue.is_empty() {
            counts_until
        } else {
            Some(counts_until.unwrap_or_else(|| later(now, state.window.length())))
        }
    }

    /// Whether this handle is the only one.
    pub(crate) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.shared) == 1
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("RateLimiter")
            .field("limit", &state.window.limit())
            .field("window", &state.window.length())
            .field("waiting", &state.queue.len())
            .finish()
    }
}

/// The future of [`RateLimiter::acquire`].
#[must_use = "futures do nothing unless awaited"]
pub struct Acquire<'a> {
    limiter: &'a RateLimiter,
    /// The place in the queue.
    ticket: Option<u64>,
    /// At the head of the queue: until the window allows the next call.
    sleep: Option<Sleep>,
}

impl Future for Acquire<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.limiter.step(&mut self.ticket, cx.waker()) {
                Step::Through(next) => {
                    self.sleep = None;
                    if let Some(next) = next {
                        next.wake();
                    }
                    return Poll::Ready(());
                }
                Step::NotFirst => return Poll::Pending, // woken by the one before it
                Step::Wait(wait) => {
                    let mut timer = sleep(wait);
                    let fired = Pin::new(&mut timer).poll(cx).is_ready();
                    self.sleep = Some(timer);
                    if !fired {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

enum Step {
    /// Counted, and this one is first now.
    Through(Option<Waker>),
    /// First, but the window is full for so long.
    Wait(Duration),
    NotFirst,
}

impl RateLimiter {
    fn step(&self, ticket: &mut Option<u64>, waker: &Waker) -> Step {
        let waker = waker.clone();
        let mut state = self.lock();
        let now = Instant::now();
        let is_first = match *ticket {
            None => state.queue.is_empty(),
            Some(ticket) => state.first() == Some(ticket),
        };
        let taken = if is_first { state.window.take_behind(0, now) } else { Err(Duration::ZERO) };
        let (step, old) = match taken {
            Ok(()) => {
                let own = ticket.take().and_then(|ticket| state.queue.remove(&ticket));
                (Step::Through(state.next_waker()), own)
            }
            Err(wait) => {
                let number = *ticket.get_or_insert_with(|| {
                    state.next_ticket += 1;
                    state.next_ticket
                });
                let old = state.queue.insert(number, Some(waker));
                (if is_first { Step::Wait(wait) } else { Step::NotFirst }, old)
            }
        };
        drop(state);
        drop(old); // a waker
        step
    }
}

impl State {
    fn first(&self) -> Option<u64> {
        self.queue.first_key_value().map(|(first, _)| *first)
    }

    /// The waker of whoever is first now; it leaves another one when it is polled.
    fn next_waker(&mut self) -> Option<Waker> {
        self.queue.first_entry()?.get_mut().take()
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.limiter.lock();
        let was_first = state.first() == Some(ticket);
        let own = state.queue.remove(&ticket);
        let next = if was_first { state.next_waker() } else { None };
        drop(state);
        quietly(|| drop(own));
        if let Some(next) = next {
            quietly(|| next.wake());
        }
    }
}

impl fmt::Debug for Acquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("limiter", &self.limiter).field("queued", &self.ticket.is_some()).finish()
    }
}

/// Why [`try_acquire`](RateLimiter::try_acquire) refused: too many calls already. It would have let this one through
/// after [`wait`](RetryAfter::wait).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    wait: Duration,
}

impl RetryAfter {
    pub(crate) fn new(wait: Duration) -> RetryAfter {
        RetryAfter { wait }
    }

    /// How long to wait. Never zero.
    pub fn wait(self) -> Duration {
        self.wait
    }

    /// The same in whole seconds, rounded up: at least one, as for the header `Retry-After`.
    ///
    /// ```
    /// use dewar::bridge::RateLimiter;
    /// use std::time::Duration;
    ///
    /// let limiter = RateLimiter::new(1, Duration::from_millis(1_500));
    /// limiter.try_acquire()?;
    /// assert!(limiter.try_acquire().unwrap_err().seconds() <= 2);
    /// # Ok::<(), dewar::bridge::RetryAfter>(())
    /// ```
    pub fn seconds(self) -> u64 {
        let whole = self.wait.as_secs();
        if self.wait.subsec_nanos() > 0 { whole.saturating_add(1) } else { whole }
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too many calls: try again after {:?}", self.wait)
    }
}

impl Error for RetryAfter {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_are_rounded_up() {
        for (ms, seconds) in [(1, 1), (999, 1), (1000, 1), (1001, 2)] {
            assert_eq!(RetryAfter::new(Duration::from_millis(ms)).seconds(), seconds);
        }
    }
}
