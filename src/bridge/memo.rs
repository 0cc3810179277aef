//! Results that are kept, and made once however many ask for them.

use std::fmt;
use std::future::poll_fn;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::fragment::block_on;
use super::memo_table::{Asked, Table, Ticket};
use crate::quiet::quietly;

/// How many values are kept, unless said.
const CAPACITY: usize = 1024;

/// Keeps what an async function returned, by a key; callers that ask for the same key at the same time wait for one run
/// of it. In Python, `functools.lru_cache` around `loop.run_until_complete`, or a dictionary of futures.
///
/// The callers may be in fragments of every scope, in tasks of any loop, and in blocking code. One of them, the first,
/// runs its function; if that fails, panics or is dropped in the middle, nothing is kept, and the next one who waits
/// runs its own. At most [`capacity`](Memo::capacity) values are kept: the one that was not asked for the longest makes
/// room. A function must not ask for the key that it is the run of: it would wait for itself.
///
/// Keep it where all callers find it: in a `static` with a `LazyLock`, in the app's state, in an `Arc`. `K`'s `Hash` and
/// `Eq` are run under the memo's lock, and must not use it.
///
/// ```
/// use dewar::bridge::{self, Memo};
/// use std::sync::LazyLock;
/// use std::time::Duration;
///
/// static PRICES: LazyLock<Memo<String, u64>> = LazyLock::new(|| Memo::new().ttl(Duration::from_secs(60)));
///
/// async fn price(symbol: &str) -> u64 {
///     PRICES.get_or_run(symbol.to_owned(), async || fetch(symbol).await).await
/// }
/// # async fn fetch(symbol: &str) -> u64 { symbol.len() as u64 }
///
/// let prices = bridge::block_on(bridge::gather(["ADA", "ADA", "ADA"].map(price)))?; // fetched once
/// assert_eq!(prices, [3, 3, 3]);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub struct Memo<K, V> {
    ttl: Option<Duration>,
    capacity: usize,
    table: Mutex<Table<K, V>>,
}

impl<K: Hash + Eq, V: Clone> Memo<K, V> {
    /// A memo of at most 1024 values, which are kept for ever.
    pub fn new() -> Memo<K, V> {
        Memo { ttl: None, capacity: CAPACITY, table: Mutex::new(Table::new()) }
    }

    /// The same, with values that are made anew when they are older than `ttl`, as counted from the end of their run.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Memo<K, V> {
        self.ttl = Some(ttl);
        self
    }

    /// The same, with at most so many values. With zero none is kept, but callers at the same time still share one run.
    #[must_use]
    pub fn capacity(mut self, values: usize) -> Memo<K, V> {
        self.capacity = values;
        self
    }

    /// The value of `key`: the one that is kept, that of a run in progress, or that of `make`, which is run here.
    ///
    /// Cancel-safe: if the future is dropped while it runs `make`, that is dropped, and the next caller who waits takes
    /// over.
    ///
    /// ```
    /// use dewar::bridge::{self, Memo};
    ///
    /// let memo = Memo::new();
    /// bridge::block_on(async {
    ///     assert_eq!(memo.get_or_run("a", async || 1).await, 1);
    ///     assert_eq!(memo.get_or_run("a", async || 2).await, 1);
    /// })?;
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    pub async fn get_or_run(&self, key: K, make: impl AsyncFnOnce() -> V) -> V {
        match self.ask(key).await {
            Found::Value(value) => value,
            Found::Run(run) => run.end(make().await),
        }
    }

    /// As [`get_or_run`](Memo::get_or_run), with a function that may fail. An error is not kept: it is this caller's
    /// alone, and the next one runs its own function.
    ///
    /// ```
    /// use dewar::bridge::{self, Memo};
    ///
    /// let memo = Memo::new();
    /// bridge::block_on(async {
    ///     assert_eq!(memo.get_or_try_run("a", async || Err("no luck")).await, Err("no luck"));
    ///     assert_eq!(memo.get_or_try_run("a", async || Ok::<_, &str>(7)).await, Ok(7));
    /// })?;
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// That of `make`.
    pub async fn get_or_try_run<E>(&self, key: K, make: impl AsyncFnOnce() -> Result<V, E>) -> Result<V, E> {
        match self.ask(key).await {
            Found::Value(value) => Ok(value),
            Found::Run(run) => Ok(run.end(make().await?)),
        }
    }

    /// As [`get_or_run`](Memo::get_or_run), from blocking code with a function that blocks. Callers of both kinds wait
    /// for each other's runs.
    ///
    /// ```
    /// use dewar::bridge::Memo;
    ///
    /// let memo = Memo::new();
    /// assert_eq!(memo.get_or_run_blocking("a", || 1), 1);
    /// assert_eq!(memo.get_or_run_blocking("a", || 2), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// In a fragment, with the words of [`BridgeError::Nested`](super::BridgeError::Nested): it would block the loop that
    /// the run may need. Await [`get_or_run`](Memo::get_or_run) there.
    #[track_caller]
    pub fn get_or_run_blocking(&self, key: K, make: impl FnOnce() -> V) -> V {
        match self.ask_blocking(key) {
            Found::Value(value) => value,
            Found::Run(run) => run.end(make()),
        }
    }

    /// As [`get_or_try_run`](Memo::get_or_try_run), from blocking code with a function that blocks.
    ///
    /// ```
    /// use dewar::bridge::Memo;
    ///
    /// let files = Memo::new();
    /// let text = files.get_or_try_run_blocking("Cargo.toml", || std::fs::read_to_string("Cargo.toml"))?;
    /// assert!(text.contains("[package]"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// That of `make`.
    ///
    /// # Panics
    ///
    /// As [`get_or_run_blocking`](Memo::get_or_run_blocking).
    #[track_caller]
    pub fn get_or_try_run_blocking<E>(&self, key: K, make: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        match self.ask_blocking(key) {
            Found::Value(value) => Ok(value),
            Found::Run(run) => Ok(run.end(make()?)),
        }
    }

    /// Forgets the value of `key`. Those who wait for a run of it get that run's value; who asks from now on does not.
    ///
    /// ```
    /// use dewar::bridge::Memo;
    ///
    /// let memo = Memo::new().capacity(100);
    /// memo.get_or_run_blocking("a", || 1);
    /// memo.invalidate(&"a");
    /// assert_eq!(memo.get_or_run_blocking("a", || 2), 2);
    /// assert_eq!(memo.len(), 1);
    /// ```
    pub fn invalidate(&self, key: &K) {
        let mut table = self.lock();
        let forgotten = table.forget(key);
        drop(table);
        drop(forgotten);
    }

    /// Forgets all values, as [`invalidate`](Memo::invalidate) does each.
    pub fn clear(&self) {
        let mut table = self.lock();
        let forgotten = table.forget_all();
        drop(table);
        drop(forgotten);
    }

    /// The number of values that are kept: also of those that are past their time and were not asked for since.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no value is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    async fn ask(&self, key: K) -> Found<'_, K, V> {
        let mut asking = Asking { memo: self, key: Arc::new(key), ticket: None };
        poll_fn(|cx| asking.poll(cx.waker())).await
    }

    #[track_caller]
    fn ask_blocking(&self, key: K) -> Found<'_, K, V> {
        match block_on(self.ask(key)) {
            Ok(found) => found,
            Err(error) => panic!("{error}"),
        }
    }
}

impl<K, V> Memo<K, V> {
    fn lock(&self) -> MutexGuard<'_, Table<K, V>> {
        // Beside `Hash` and `Eq`, nothing of anybody else's runs under the lock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, V: Clone> Default for Memo<K, V> {
    fn default() -> Memo<K, V> {
        Memo::new()
    }
}

impl<K, V> fmt::Debug for Memo<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo")
            .field("len", &self.lock().len())
            .field("capacity", &self.capacity)
            .field("ttl", &self.ttl)
            .finish()
    }
}

enum Found<'a, K: Hash + Eq, V> {
    Value(V),
    /// There is none: this caller is to make it.
    Run(Run<'a, K, V>),
}

/// A caller that has no answer yet.
struct Asking<'a, K: Hash + Eq, V> {
    memo: &'a Memo<K, V>,
    key: Arc<K>,
    /// Of the run that it waits for.
    ticket: Option<Ticket>,
}

impl<'a, K: Hash + Eq, V: Clone> Asking<'a, K, V> {
    fn poll(&mut self, waker: &Waker) -> Poll<Found<'a, K, V>> {
        let waker = waker.clone();
        let mut table = self.memo.lock();
        let now = Instant::now();
        let mut expired = Vec::new();
        let asked = match self.ticket {
            None => table.ask(&self.key, now, &mut expired),
            Some(ticket) => table.look(ticket),
        };
        let answer = match asked {
            Asked::Value(value) => {
                self.ticket = None;
                Ok(value)
            }
            Asked::Lead(ticket) => {
                self.ticket = None;
                Err(Some(ticket))
            }
            Asked::Wait(ticket) => {
                self.ticket = Some(ticket);
                let old = table.wait(ticket, waker);
                drop(table);
                drop((old, expired));
                return Poll::Pending;
            }
        };
        drop(table);
        drop((expired, waker));
        Poll::Ready(match answer {
            // Cloned outside of the lock.
            Ok(value) => Found::Value(V::clone(&value)),
            Err(ticket) => Found::Run(Run { memo: self.memo, key: Arc::clone(&self.key), ticket }),
        })
    }
}

impl<K: Hash + Eq, V> Drop for Asking<'_, K, V> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.memo.leave(&self.key, ticket);
        }
    }
}

/// The right, and the duty, to make the value of a key. When it is dropped without one, another caller gets it.
struct Run<'a, K: Hash + Eq, V> {
    memo: &'a Memo<K, V>,
    key: Arc<K>,
    /// `None` when it has ended.
    ticket: Option<Ticket>,
}

impl<K: Hash + Eq, V: Clone> Run<'_, K, V> {
    fn end(mut self, value: V) -> V {
        // Before the right is given away: should `clone` panic, another caller gets it.
        let kept = Arc::new(value.clone());
        let Some(ticket) = self.ticket.take() else { return value };
        let memo = self.memo;
        let mut table = memo.lock();
        let until = memo.ttl.map(|ttl| Instant::now().checked_add(ttl));
        // No ttl, or one beyond the clock: for ever.
        let (wakers, evicted) = table.end(&self.key, ticket, kept, until.flatten(), memo.capacity);
        drop(table);
        drop(evicted);
        wakers.into_iter().for_each(Waker::wake);
        value
    }
}

impl<K: Hash + Eq, V> Drop for Run<'_, K, V> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.memo.leave(&self.key, ticket);
        }
    }
}

impl<K: Hash + Eq, V> Memo<K, V> {
    /// A caller goes without having made a value: whoever is next in the queue is woken.
    fn leave(&self, key: &Arc<K>, ticket: Ticket) {
        let mut table = self.lock();
        let (next, own, gone) = table.leave(key, ticket);
        drop(table);
        // This may be an unwinding, and these are other people's.
        quietly(|| drop((own, gone)));
        if let Some(next) = next {
            quietly(|| next.wake());
        }
    }
}
