//! Trying again, with growing pauses.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::sleep::sleep;

/// How often to try, how long to wait in between, and for which errors: for [`retry`] and [`retry_blocking`].
///
/// Unless said: three attempts; a first delay of 100 ms that doubles each time, up to 30 s; full jitter; every error is
/// tried again. In Python, the recipe of exponential back-off, or the package tenacity.
///
/// ```
/// use dewar::bridge::Retry;
/// use std::io;
/// use std::time::Duration;
///
/// let policy = Retry::new()
///     .attempts(5)
///     .first_delay(Duration::from_millis(50))
///     .total_time(Duration::from_secs(10))
///     .retry_if(|error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused);
/// # let _ = policy;
/// ```
#[must_use = "a policy does nothing until it is given to `retry`"]
pub struct Retry<'a, E> {
    attempts: u32,
    first_delay: Duration,
    max_delay: Duration,
    factor: f64,
    jitter: bool,
    total_time: Option<Duration>,
    retry_if: Option<Arc<RetryIf<'a, E>>>,
    on_retry: Option<Arc<OnRetry<'a, E>>>,
}

type RetryIf<'a, E> = dyn Fn(&E) -> bool + Send + Sync + 'a;
type OnRetry<'a, E> = dyn Fn(u32, &E, Duration) + Send + Sync + 'a;

impl<'a, E> Retry<'a, E> {
    /// The policy with the defaults above.
    pub fn new() -> Retry<'a, E> {
        Retry {
            attempts: 3,
            first_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(30),
            factor: 2.0,
            jitter: true,
            total_time: None,
            retry_if: None,
            on_retry: None,
        }
    }

    /// At most `attempts`, the first one included. `u32::MAX` is for ever, as good as.
    ///
    /// # Panics
    ///
    /// At the caller's line, if it is zero: there would be neither a result nor an error.
    #[track_caller]
    pub fn attempts(mut self, attempts: u32) -> Self {
        assert!(attempts > 0, "zero attempts have neither a result nor an error: 1 is once, without a retry");
        self.attempts = attempts;
        self
    }

    /// The delay after the first failed attempt.
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay;
        self
    }

    /// No delay is longer.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Each delay is so many times the one before. 1 is a constant delay.
    ///
    /// # Panics
    ///
    /// At the caller's line, if it is below 1, infinite or not a number.
    #[track_caller]
    pub fn factor(mut self, factor: f64) -> Self {
        assert!(
            factor.is_finite() && factor >= 1.0,
            "delays must not shrink: a factor of {factor} is below 1, or none"
        );
        self.factor = factor;
        self
    }

    /// Whether each delay is a random part of what it would be, from zero to all of it. So that many that failed
    /// together do not come back together. True unless said.
    pub fn jitter(mut self, jitter: bool) -> Self {
        self.jitter = jitter;
        self
    }

    /// Gives up when the next delay would end later than this after the beginning. An attempt that is running is not
    /// cut short: give it a [`timeout`](super::timeout).
    pub fn total_time(mut self, time: Duration) -> Self {
        self.total_time = Some(time);
        self
    }

    /// Tries again only after errors of which `condition` is true; others are returned at once.
    pub fn retry_if(mut self, condition: impl Fn(&E) -> bool + Send + Sync + 'a) -> Self {
        self.retry_if = Some(Arc::new(condition));
        self
    }

    /// Calls `tell` before each delay: with the number of the attempt that failed (from 1), its error, and the delay.
    ///
    /// ```
    /// use dewar::bridge::{self, Retry};
    /// use std::time::Duration;
    ///
    /// let policy = Retry::new()
    ///     .first_delay(Duration::from_millis(1))
    ///     .on_retry(|attempt, error: &&str, delay| println!("attempt {attempt}: {error}; again in {delay:?}"));
    /// let result: Result<(), _> = bridge::retry_blocking(policy, || Err("no luck"));
    /// assert_eq!(result, Err("no luck"));
    /// ```
    pub fn on_retry(mut self, tell: impl Fn(u32, &E, Duration) + Send + Sync + 'a) -> Self {
        self.on_retry = Some(Arc::new(tell));
        self
    }

    /// How long to wait after the attempt of this number has failed, `elapsed` after the beginning; `None` to give up.
    /// `random` is from 0 to 1.
    fn delay(&self, attempt: u32, elapsed: Duration, random: impl FnOnce() -> f64) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let exponent = i32::try_from(attempt - 1).unwrap_or(i32::MAX);
        let grown = self.first_delay.as_secs_f64() * self.factor.powi(exponent);
        // What is too much for a Duration (zero times infinity among it) is too much for the bound as well.
        let grown = Duration::try_from_secs_f64(grown).unwrap_or(if self.first_delay.is_zero() {
            Duration::ZERO
        } else {
            Duration::MAX
        });
        let full = grown.min(self.max_delay);
        let delay = if self.jitter { full.mul_f64(random().clamp(0.0, 1.0)).min(full) } else { full };
        match self.total_time {
            Some(total) if elapsed.saturating_add(delay) > total => None,
            _ => Some(delay),
        }
    }

    /// What to do after a failed attempt: the delay before the next one, or the error that is the result.
    fn after(&self, attempt: u32, error: E, begun: Instant) -> Result<Duration, E> {
        if self.retry_if.as_ref().is_some_and(|condition| !condition(&error)) {
            return Err(error);
        }
        let Some(delay) = self.delay(attempt, begun.elapsed(), fastrand::f64) else { return Err(error) };
        if let Some(tell) = &self.on_retry {
            tell(attempt, &error, delay);
        }
        Ok(delay)
    }
}

impl<E> Default for Retry<'_, E> {
    fn default() -> Self {
        Retry::new()
    }
}

impl<E> Clone for Retry<'_, E> {
    fn clone(&self) -> Self {
        Retry { retry_if: self.retry_if.clone(), on_retry: self.on_retry.clone(), ..*self }
    }
}

impl<E> fmt::Debug for Retry<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("attempts", &self.attempts)
            .field("first_delay", &self.first_delay)
            .field("max_delay", &self.max_delay)
            .field("factor", &self.factor)
            .field("jitter", &self.jitter)
            .field("total_time", &self.total_time)
            .finish_non_exhaustive()
    }
}

/// Awaits what `operation` makes until it succeeds, as the policy says. Between attempts other tasks have their turn.
///
/// The operation may borrow, and need not be `Send`. Dropping the future, as a [`timeout`](super::timeout) around it
/// does, ends the attempt or the delay that it is at. Panics are not caught.
///
/// ```
/// use dewar::bridge::{self, Retry};
/// use std::time::Duration;
///
/// let mut calls = 0;
/// let answer = bridge::block_on(bridge::retry(Retry::new().first_delay(Duration::from_millis(1)), async || {
///     calls += 1;
///     if calls < 3 { Err("not yet") } else { Ok(42) }
/// }))?;
/// assert_eq!(answer, Ok(42));
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Errors
///
/// The last attempt's own, so that `?` and error handlers see what they would see without a retry. Who wants to know of
/// the others has [`Retry::on_retry`].
pub async fn retry<T, E>(policy: Retry<'_, E>, mut operation: impl AsyncFnMut() -> Result<T, E>) -> Result<T, E> {
    let begun = Instant::now();
    let mut attempt = 1;
    loop {
        match operation().await {
            Ok(value) => return Ok(value),
            Err(error) => sleep(policy.after(attempt, error, begun)?).await,
        }
        attempt = attempt.saturating_add(1);
    }
}

/// As [`retry`], for an operation that blocks; this thread sleeps between the attempts.
///
/// ```
/// use dewar::bridge::{self, Retry};
///
/// let text = bridge::retry_blocking(Retry::new(), || std::fs::read_to_string("Cargo.toml"))?;
/// assert!(text.contains("[package]"));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The last attempt's own.
pub fn retry_blocking<T, E>(policy: Retry<'_, E>, mut operation: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let begun = Instant::now();
    let mut attempt = 1;
    loop {
        match operation() {
            Ok(value) => return Ok(value),
            Err(error) => thread::sleep(policy.after(attempt, error, begun)?),
        }
        attempt = attempt.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn delays_grow_up_to_the_bound() {
        let policy = Retry::<()>::new().attempts(6).first_delay(10 * MS).max_delay(50 * MS).jitter(false);
        let delays: Vec<_> = (1..=6).map(|attempt| policy.delay(attempt, MS, || 0.0)).collect();
        assert_eq!(delays, [Some(10 * MS), Some(20 * MS), Some(40 * MS), Some(50 * MS), Some(50 * MS), None]);
        let constant = policy.factor(1.0);
        assert_eq!(constant.delay(5, MS, || 0.0), Some(10 * MS));
    }

    #[test]
    fn jitter_takes_a_part() {
        let policy = Retry::<()>::new().first_delay(100 * MS).factor(1.0);
        for (random, delay) in [(0.0, 0), (0.25, 25), (1.0, 100)] {
            assert_eq!(policy.delay(1, MS, || random), Some(delay * MS));
        }
    }

    #[test]
    fn it_gives_up_when_the_next_delay_would_pass_the_time() {
        let policy = Retry::<()>::new().first_delay(10 * MS).factor(1.0).jitter(false).total_time(100 * MS);
        assert_eq!(policy.delay(1, 90 * MS, || 0.0), Some(10 * MS));
        assert_eq!(policy.delay(1, 91 * MS, || 0.0), None);
    }

    #[test]
    fn no_policy_overflows() {
        let policy = Retry::<()>::new().attempts(u32::MAX).factor(1e300).jitter(false);
        assert_eq!(policy.delay(u32::MAX - 1, MS, || 0.0), Some(Duration::from_secs(30)));
        assert_eq!(policy.clone().first_delay(Duration::ZERO).delay(3, MS, || 0.0), Some(Duration::ZERO));
        let longest = policy.first_delay(Duration::MAX).max_delay(Duration::MAX).jitter(true);
        assert_eq!(longest.delay(9, MS, || 0.0), Some(Duration::ZERO));
        assert!(longest.delay(9, MS, || 0.9).is_some_and(|delay| delay < Duration::MAX));
    }
}
