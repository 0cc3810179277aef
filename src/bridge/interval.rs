//! Ticks at a fixed rate, and what becomes of those that were missed.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_core::Stream;

use super::sleep::{Sleep, sleep, sleep_until};

/// What an [`Interval`] does with ticks whose time went by while nobody asked for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MissedTicks {
    /// All of them come, one straight after the other, until the schedule is caught up. No tick is lost, so
    /// their number is right. The default.
    #[default]
    Burst,
    /// The next tick comes a period after the late one was handed out, and the schedule goes on from there.
    /// No two ticks are closer than a period; what each is late adds up. As a loop around `asyncio.sleep`.
    Delay,
    /// They are left out; the next tick comes at the next multiple of the period, as counted from the start.
    Skip,
}

impl MissedTicks {
    /// When the tick after that of `scheduled` is due, which was handed out at `now`; `None` where the clock
    /// cannot tell such a time.
    fn next(self, scheduled: Instant, now: Instant, period: Duration) -> Option<Instant> {
        match self {
            MissedTicks::Burst => scheduled.checked_add(period),
            MissedTicks::Delay => now.max(scheduled).checked_add(period),
            MissedTicks::Skip => {
                let late = now.saturating_duration_since(scheduled);
                // Strictly after `now`: a multiple that is due this very moment is missed already.
                now.max(scheduled).checked_add(period - remainder(late, period))
            }
        }
    }
}

/// `a % b`.
fn remainder(a: Duration, b: Duration) -> Duration {
    const NANOS: u128 = 1_000_000_000;
    let rest = a.as_nanos() % b.as_nanos();
    // Less than `b`, and so within a Duration.
    Duration::new((rest / NANOS) as u64, (rest % NANOS) as u32)
}

/// Ticks every `period`, the first time at once.
///
/// Against a loop around [`sleep`](super::sleep()), the work between two ticks does not shift the following
/// ones. asyncio has no such thing; there one reckons with `loop.time()` and `call_at`.
///
/// ```
/// use dewar::bridge;
/// use std::time::Duration;
///
/// bridge::block_on(async {
///     let mut interval = bridge::interval(Duration::from_millis(2));
///     let first = interval.tick().await;
///     let second = interval.tick().await;
///     assert_eq!(second - first, Duration::from_millis(2)); // as scheduled, to the nanosecond
/// })?;
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Panics
///
/// At the caller's line, if `period` is zero.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// As [`interval`], with the first tick at `start`. If that has passed, the first tick comes at once, and the
/// [policy](Interval::missed) decides about the rest.
///
/// ```
/// use dewar::bridge::{self, MissedTicks};
/// use std::time::{Duration, Instant};
///
/// let period = Duration::from_millis(1);
/// let start = Instant::now() + period; // not at once
/// bridge::block_on(async {
///     let mut interval = bridge::interval_at(start, period).missed(MissedTicks::Skip);
///     assert_eq!(interval.tick().await, start);
///     assert!(interval.tick().await > start);
/// })?;
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Panics
///
/// As [`interval`].
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "an interval needs a period above zero: this one would tick without a rest. To let other tasks have a turn, \
         await `bridge::yield_now()`"
    );
    Interval { next: Some(start), period, missed: MissedTicks::Burst, sleep: sleep_until(start) }
}

/// Ticks at a fixed rate: made by [`interval`] and [`interval_at`].
///
/// It is a [`Stream`] too, which never ends, of the same instants as [`tick`](Interval::tick) returns. It may move
/// between threads and executors, as its [`Sleep`].
#[must_use = "an interval does nothing unless its ticks are awaited"]
pub struct Interval {
    /// When the next tick is due; `None` if that is later than the clock can tell, so never.
    next: Option<Instant>,
    period: Duration,
    missed: MissedTicks,
    /// Until `next`.
    sleep: Sleep,
}

impl Interval {
    /// The same with another policy for missed ticks.
    ///
    /// ```
    /// use dewar::bridge::{self, MissedTicks};
    /// use std::time::Duration;
    ///
    /// let _hourly = bridge::interval(Duration::from_secs(3600)).missed(MissedTicks::Delay);
    /// ```
    pub fn missed(mut self, policy: MissedTicks) -> Interval {
        self.missed = policy;
        self
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Waits for the next tick, and returns when it was due: never later than now. At once if that has passed.
    ///
    /// Cancel-safe: if the future is dropped before it is ready, as by a [`timeout`](super::timeout), no tick is
    /// lost.
    ///
    /// ```
    /// use dewar::bridge;
    /// use std::time::Duration;
    ///
    /// let mut interval = bridge::interval(Duration::from_millis(1));
    /// for _ in 0..3 {
    ///     bridge::block_on(interval.tick())?; // from one fragment to the next
    /// }
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// [`tick`](Interval::tick), for futures that are written by hand.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(Pin::new(&mut self.sleep).poll(cx));
        let Some(scheduled) = self.next else {
            return Poll::Pending; // never: such a sleep is never ready
        };
        self.next = self.missed.next(scheduled, Instant::now(), self.period);
        self.sleep = match self.next {
            Some(next) => sleep_until(next),
            None => sleep(Duration::MAX),
        };
        Poll::Ready(scheduled)
    }
}

impl Stream for Interval {
    type Item = Instant;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.poll_tick(cx).map(Some)
    }
}

/// [`interval`] of this period, for functions that take either.
///
/// # Panics
///
/// As [`interval`].
impl From<Duration> for Interval {
    #[track_caller]
    fn from(period: Duration) -> Interval {
        interval(period)
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval")
            .field("period", &self.period)
            .field("next", &self.next)
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds after the start: the tick that was due, when it was handed out, and the next one by `Burst`,
    /// `Delay` and `Skip`, with a period of ten.
    const TABLE: [(u64, u64, u64, u64, u64); 8] = [
        (0, 0, 10, 10, 10),         // on time
        (0, 3, 10, 13, 10),         // late, none missed
        (10, 15, 20, 25, 20),       // not from the start on
        (0, 9, 10, 19, 10),         // just before the next
        (0, 10, 10, 20, 20),        // in the moment of the next: it is missed
        (0, 37, 10, 47, 40),        // three missed
        (20, 1000, 30, 1010, 1010), // on a multiple, long after
        (50, 40, 60, 60, 60),       // handed out early, which does not happen: as if on time
    ];

    #[test]
    fn the_policies_reckon() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let period = Duration::from_millis(10);
        for (scheduled, now, burst, delay, skip) in TABLE {
            for (policy, next) in [(MissedTicks::Burst, burst), (MissedTicks::Delay, delay), (MissedTicks::Skip, skip)]
            {
                assert_eq!(policy.next(at(scheduled), at(now), period), Some(at(next)), "{scheduled} {now} {policy:?}");
            }
        }
    }

    #[test]
    fn what_the_clock_cannot_tell_never_comes() {
        let now = Instant::now();
        for policy in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
            assert_eq!(policy.next(now, now, Duration::MAX), None);
        }
    }

    #[test]
    fn remainders_of_all_sizes() {
        let ns = Duration::from_nanos;
        assert_eq!(remainder(ns(7), ns(3)), ns(1));
        assert_eq!(remainder(Duration::MAX, Duration::MAX), Duration::ZERO);
        assert_eq!(remainder(Duration::MAX, Duration::from_secs(1)), ns(999_999_999));
        assert_eq!(remainder(Duration::from_secs(5), Duration::MAX), Duration::from_secs(5));
    }
}
