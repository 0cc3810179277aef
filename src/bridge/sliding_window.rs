//! The reckoning of a rate limiter, without clock and lock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// `length` after `now`, or a year where the clock cannot tell that.
pub(crate) fn later(now: Instant, length: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    now.checked_add(length).unwrap_or(now + YEAR)
}

/// The calls of the last window. Instants are to be given in order.
pub(crate) struct Window {
    limit: usize,
    length: Duration,
    /// The last calls, the oldest first; at most `limit`.
    calls: VecDeque<Instant>,
}

impl Window {
    pub(crate) fn new(limit: usize, length: Duration) -> Window {
        Window { limit, length, calls: VecDeque::new() }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn length(&self) -> Duration {
        self.length
    }

    /// Counts a call at `now` if it may be made, and leaves room for `ahead` others; otherwise says how long until then.
    /// A call counts for exactly `length`: two that are so far apart are in no window together.
    pub(crate) fn take_behind(&mut self, ahead: usize, now: Instant) -> Result<(), Duration> {
        while self.calls.front().is_some_and(|oldest| self.is_over(*oldest, now)) {
            self.calls.pop_front();
        }
        let free = self.limit - self.calls.len();
        if free > ahead {
            self.calls.push_back(now);
            return Ok(());
        }
        // The room that the calls leave when they are over is given out in their order, round by round.
        let (round, place) = ((ahead - free) / self.limit, (ahead - free) % self.limit);
        let rounds = |n: usize| self.length.saturating_mul(u32::try_from(n).unwrap_or(u32::MAX));
        let wait = match self.calls.get(place) {
            Some(call) => (self.length - now.saturating_duration_since(*call)).saturating_add(rounds(round)),
            // Behind all calls that count: that room is free now, and goes to somebody ahead first.
            None => rounds(round + 1),
        };
        Err(wait)
    }

    fn is_over(&self, call: Instant, now: Instant) -> bool {
        now.saturating_duration_since(call) >= self.length
    }

    /// When the last call is over; `None` if there is none.
    pub(crate) fn counts_until(&self) -> Option<Instant> {
        Some(later(*self.calls.back()?, self.length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64.
    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The wait that a plain list of all calls gives, for one that stands behind `ahead` others: step by step.
    fn simulated(calls: &[Duration], limit: usize, length: Duration, ahead: usize, now: Duration) -> Duration {
        let mut calls = calls.to_vec();
        let mut at = now;
        for _ in 0..=ahead {
            if calls.len() >= limit {
                at = at.max(calls[calls.len() - limit] + length);
            }
            calls.push(at);
        }
        at - now
    }

    #[test]
    fn never_too_many_in_any_window_and_nobody_waits_longer_than_needed() {
        let begin = Instant::now();
        let mut state = 7;
        for _ in 0..300 {
            let limit = 1 + (random(&mut state) % 5) as usize;
            let length = Duration::from_nanos(1 + random(&mut state) % 50);
            let mut window = Window::new(limit, length);
            let mut calls: Vec<Duration> = Vec::new();
            let mut now = Duration::ZERO;
            for _ in 0..200 {
                now += Duration::from_nanos(random(&mut state) % (length.as_nanos() as u64 / limit as u64 + 2));
                let ahead = if random(&mut state).is_multiple_of(3) { (random(&mut state) % 12) as usize } else { 0 };
                let expected = simulated(&calls, limit, length, ahead, now);
                match window.take_behind(ahead, begin + now) {
                    Ok(()) => {
                        assert_eq!(expected, Duration::ZERO);
                        calls.push(now);
                    }
                    Err(wait) => {
                        assert_eq!(wait, expected, "{ahead} ahead of {limit} in {length:?}: {calls:?} at {now:?}");
                        assert!(!wait.is_zero());
                        if ahead == 0 && random(&mut state).is_multiple_of(2) {
                            now += wait; // exactly then it is let through
                            assert_eq!(window.take_behind(0, begin + now), Ok(()));
                            calls.push(now);
                        }
                    }
                }
            }
            assert!(calls.len() > limit);
            for pair in calls.windows(limit + 1) {
                assert!(pair[limit] - pair[0] >= length, "{pair:?}: more than {limit} in {length:?}");
            }
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let begin = Instant::now();
        let mut window = Window::new(3, Duration::from_nanos(10));
        for n in 0..1000 {
            let _ = window.take_behind(0, begin + Duration::from_nanos(n));
            assert!(window.calls.len() <= 3);
        }
        assert!(window.calls.capacity() < 16);
    }
}
