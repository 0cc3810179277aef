//! A rate limiter for each key: each client, each account.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::BridgeError;
use super::fragment::block_on;
use super::rate_limiter::{RateLimiter, RetryAfter};
use super::sleep::sleep;
use super::sliding_window::{Window, later};

/// How many keys are known at once, unless said.
const MAX_KEYS: usize = 100_000;

/// A [`RateLimiter`] for each key: at most `n` calls of one key in any window of the given length. A clone is the same
/// limiter.
///
/// A key is forgotten when no call of it counts any more and nobody waits for it, so memory goes with the keys that
/// were used within one window; there are at most [`max_keys`](KeyedRateLimiter::max_keys) of them. Beyond that a *new*
/// key is refused, or waits, until an old one is forgotten. A limiter that forgot counts instead could be emptied by
/// whoever makes up enough keys: choose keys that cannot be made up for nothing, such as an address or an account.
///
/// `K`'s `Hash` and `Eq` are run under the limiter's lock, and must not use it.
///
/// ```
/// use dewar::bridge::KeyedRateLimiter;
/// use dewar::{App, request};
/// use std::time::Duration;
///
/// let limiter = KeyedRateLimiter::new(1, Duration::from_secs(60));
/// let mut app = App::new("demo");
/// app.get("/", || "welcome");
/// app.before_request(move || {
///     let account = request().header("x-account").unwrap_or("nobody").to_owned();
///     let refused = limiter.try_acquire(account).err()?;
///     Some(("Too many requests.", 429, [("retry-after", refused.seconds().to_string())]))
/// });
///
/// let client = app.test_client();
/// let status = |account| client.request("GET", "/").header("x-account", account).send().status();
/// assert_eq!([status("ann"), status("bob"), status("ann")], [200, 200, 429]);
/// ```
pub struct KeyedRateLimiter<K> {
    limit: usize,
    window: Duration,
    max_keys: usize,
    keys: Arc<Mutex<Keys<K>>>,
}

struct Keys<K> {
    limiters: HashMap<Arc<K>, RateLimiter>,
    /// Each key once, at the time to look whether it can be forgotten: none is idle before that.
    looks: BTreeMap<(Instant, u64), Arc<K>>,
    next_number: u64,
}

impl<K: Hash + Eq> KeyedRateLimiter<K> {
    /// At most `n` calls of each key in any window of this length.
    ///
    /// # Panics
    ///
    /// At the caller's line, if `n` or `window` is zero.
    #[track_caller]
    pub fn new(n: usize, window: Duration) -> KeyedRateLimiter<K> {
        let _ = RateLimiter::new(n, window); // the same refusals
        let keys = Keys { limiters: HashMap::new(), looks: BTreeMap::new(), next_number: 0 };
        KeyedRateLimiter { limit: n, window, max_keys: MAX_KEYS, keys: Arc::new(Mutex::new(keys)) }
    }

    /// Knows at most `keys` at once: 100,000 unless said, and at least one. This handle and clones made of it later go
    /// by it.
    ///
    /// ```
    /// use dewar::bridge::KeyedRateLimiter;
    /// use std::time::Duration;
    ///
    /// let limiter = KeyedRateLimiter::new(5, Duration::from_secs(60)).max_keys(1);
    /// assert!(limiter.try_acquire("ann").is_ok());
    /// assert!(limiter.try_acquire("bob").is_err()); // no room until Ann's calls are over
    /// assert!(limiter.try_acquire("ann").is_ok());
    /// ```
    #[must_use]
    pub fn max_keys(mut self, keys: usize) -> KeyedRateLimiter<K> {
        self.max_keys = keys.max(1);
        self
    }

    /// Waits until a call of `key` is allowed, and counts it. Fair among those of one key.
    ///
    /// Cancel-safe, as [`RateLimiter::acquire`].
    ///
    /// ```
    /// use dewar::bridge::{self, KeyedRateLimiter};
    /// use std::time::Duration;
    ///
    /// let hosts = KeyedRateLimiter::new(1, Duration::from_millis(2));
    /// bridge::block_on(bridge::gather(["a.example", "b.example", "a.example"].map(|host| hosts.acquire(host))))?;
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    pub async fn acquire(&self, key: K) {
        let mut key = Arc::new(key);
        loop {
            match self.limiter(key) {
                Ok(limiter) => return limiter.acquire().await,
                Err((refused, given_back)) => {
                    key = given_back;
                    sleep(refused).await;
                }
            }
        }
    }

    /// Counts a call of `key` if it is allowed now.
    ///
    /// # Errors
    ///
    /// [`RetryAfter`], if it is not. For a new key beyond [`max_keys`](KeyedRateLimiter::max_keys), with the time after
    /// which an old one may be forgotten.
    pub fn try_acquire(&self, key: K) -> Result<(), RetryAfter> {
        match self.limiter(Arc::new(key)) {
            Ok(limiter) => limiter.try_acquire(),
            Err((wait, _)) => Err(RetryAfter::new(wait)),
        }
    }

    /// As [`acquire`](KeyedRateLimiter::acquire), from blocking code.
    ///
    /// # Errors
    ///
    /// As [`RateLimiter::blocking_acquire`].
    #[track_caller]
    pub fn blocking_acquire(&self, key: K) -> Result<(), BridgeError> {
        block_on(self.acquire(key))
    }

    /// The number of keys that are known: those with calls that count or with somebody who waits.
    ///
    /// ```
    /// use dewar::bridge::KeyedRateLimiter;
    /// use std::time::Duration;
    ///
    /// let limiter = KeyedRateLimiter::new(5, Duration::from_secs(60));
    /// limiter.try_acquire("ann")?;
    /// limiter.try_acquire("ann")?;
    /// assert_eq!(limiter.keys(), 1);
    /// # Ok::<(), dewar::bridge::RetryAfter>(())
    /// ```
    pub fn keys(&self) -> usize {
        let mut forgotten = Vec::new();
        let mut keys = self.lock();
        keys.forget_idle(Instant::now(), self.window, &mut forgotten);
        let n = keys.limiters.len();
        drop(keys);
        drop(forgotten);
        n
    }

    fn lock(&self) -> MutexGuard<'_, Keys<K>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limiter of `key`; or, where there is no room for a new one, how long there will be none for sure.
    fn limiter(&self, key: Arc<K>) -> Result<RateLimiter, (Duration, Arc<K>)> {
        let mut forgotten = Vec::new(); // keys are other people's: dropped after the lock
        let mut keys = self.lock();
        let now = Instant::now();
        keys.forget_idle(now, self.window, &mut forgotten);
        if let Some(limiter) = keys.limiters.get(&key) {
            let limiter = limiter.clone();
            drop(keys);
            drop(forgotten);
            return Ok(limiter);
        }
        if keys.limiters.len() >= self.max_keys {
            let next = keys.looks.first_key_value().map(|((at, _), _)| *at);
            let wait = next.map_or(self.window, |next| next.saturating_duration_since(now));
            return Err((wait.max(Duration::from_nanos(1)), key));
        }
        let limiter = RateLimiter::with(Window::new(self.limit, self.window));
        keys.limiters.insert(Arc::clone(&key), limiter.clone());
        keys.look_at(later(now, self.window), key);
        Ok(limiter)
    }
}

impl<K: Hash + Eq> Keys<K> {
    fn look_at(&mut self, at: Instant, key: Arc<K>) {
        self.looks.insert((at, self.next_number), key);
        self.next_number += 1;
    }

    /// Takes out what is idle. Each key is looked at once in a window at most, however often it is used.
    fn forget_idle(&mut self, now: Instant, window: Duration, forgotten: &mut Vec<Arc<K>>) {
        while let Some(first) = self.looks.first_entry()
            && first.key().0 <= now
        {
            let key = first.remove();
            let Some(limiter) = self.limiters.get(&key) else { continue };
            // A handle that is out, to be used in a moment, must not be a limiter that was forgotten: the next call
            // would not see what it counts. None can get out meanwhile, since that needs this lock.
            let again = if limiter.is_unshared() { limiter.busy_until(now) } else { Some(later(now, window)) };
            match again {
                Some(again) => self.look_at(again, key),
                None => {
                    let own = self.limiters.remove_entry(&key).map(|(key, _)| key);
                    forgotten.extend(own);
                    forgotten.push(key);
                }
            }
        }
    }
}

impl<K> Clone for KeyedRateLimiter<K> {
    fn clone(&self) -> KeyedRateLimiter<K> {
        KeyedRateLimiter { keys: Arc::clone(&self.keys), ..*self }
    }
}

impl<K> fmt::Debug for KeyedRateLimiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedRateLimiter")
            .field("limit", &self.limit)
            .field("window", &self.window)
            .field("max_keys", &self.max_keys)
            .finish_non_exhaustive()
    }
}
