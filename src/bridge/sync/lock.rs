//! `Lock`: one at a time, in the order of coming.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

use futures_util::lock::{Mutex as Cell, MutexGuard as CellGuard, OwnedMutexGuard as CellGuardArc};

use super::blocking;
use super::permits::{Asking, Permits};
use super::waiters::{Wait, change, lock};

/// A value that one at a time may use, in the order of coming. `asyncio.Lock`, with what it guards inside.
///
/// Unlike a guard of `std::sync::Mutex`, its guard may be kept across an `.await` and may go to another thread; where no
/// `.await` comes in between, the standard library's is quicker. A guard that is dropped hands the lock to the one who
/// has waited longest, and to no newcomer. As asyncio's, it is not reentrant: who has it and asks again waits for ever.
///
/// A panic does not poison it: the next one finds the value as the panic left it.
///
/// ```
/// use dewar::bridge::{self, sync::Lock};
///
/// let total = Lock::new(0);
/// bridge::block_on(bridge::gather((1..=3).map(async |n| {
///     let mut total = total.lock().await;
///     let before = *total;
///     bridge::yield_now().await; // nobody else gets at it meanwhile
///     *total = before + n;
/// })))?;
/// assert_eq!(total.into_inner(), 6);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub struct Lock<T> {
    /// One permit: whose turn it is.
    turn: Mutex<Permits>,
    /// futures-util's lock is here for its guards, which are `Send`: whoever has the turn finds it free. In an `Arc`,
    /// since its owned guard has one.
    value: Arc<Cell<T>>,
}

const FREE: &str = "only who has the turn takes the value, and lets go of it before the turn";

impl<T> Lock<T> {
    /// A lock that nobody has.
    pub fn new(value: T) -> Lock<T> {
        Lock { turn: Mutex::new(Permits::new(1)), value: Arc::new(Cell::new(value)) }
    }

    fn asking(&self) -> Wait<Asking<'_>> {
        Wait::new(Asking { permits: &self.turn, amount: 1 })
    }

    /// To be called by who has the turn.
    fn guard(&self) -> LockGuard<'_, T> {
        let value = self.value.try_lock().expect(FREE);
        LockGuard { value, _turn: Turn(&self.turn), lock: self }
    }

    /// Waits for the lock. `await lock.acquire()`, `async with lock`.
    ///
    /// The place in the line is taken at the first poll.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the place in the line. If the lock was already handed to it, the next one in the
    /// line gets it.
    pub async fn lock(&self) -> LockGuard<'_, T> {
        self.asking().await;
        self.guard()
    }

    /// As [`lock`](Lock::lock), with a guard that keeps the lock alive instead of borrowing it: for guards that go into
    /// tasks.
    ///
    /// ```
    /// use dewar::bridge::{self, sync::Lock};
    /// use std::sync::Arc;
    ///
    /// let names = Arc::new(Lock::new(Vec::new()));
    /// bridge::block_on(async {
    ///     let mut guard = names.lock_arc().await;
    ///     bridge::spawn_shared(async move { guard.push("Ada") }).await
    /// })??;
    /// assert_eq!(*names.blocking_lock(), ["Ada"]);
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As [`lock`](Lock::lock).
    pub async fn lock_arc(self: &Arc<Self>) -> LockGuardArc<T> {
        self.asking().await;
        let value = self.value.try_lock_owned().expect(FREE);
        LockGuardArc { value, _turn: TurnArc(Arc::clone(self)) }
    }

    /// Takes the lock if it is free. Nobody waits for a lock that is free, so nobody is overtaken.
    ///
    /// ```
    /// use dewar::bridge::sync::Lock;
    ///
    /// let lock = Lock::new(1);
    /// let guard = lock.try_lock().unwrap();
    /// assert!(lock.try_lock().is_none());
    /// drop(guard);
    /// assert!(lock.try_lock().is_some());
    /// ```
    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        self.asking().try_now().map(|()| self.guard())
    }

    /// Waits for the lock on this thread, in the same line as the futures.
    ///
    /// ```
    /// use dewar::bridge::sync::Lock;
    ///
    /// let lock = Lock::new(1);
    /// *lock.blocking_lock() += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// If it would have to wait while an event loop is running on this thread.
    #[track_caller]
    pub fn blocking_lock(&self) -> LockGuard<'_, T> {
        blocking::wait(&mut self.asking(), "Lock::blocking_lock", "lock().await");
        self.guard()
    }

    /// Whether somebody has it, at this moment. `lock.locked()`.
    ///
    /// ```
    /// use dewar::bridge::sync::Lock;
    ///
    /// let lock = Lock::new(1);
    /// let guard = lock.try_lock();
    /// assert!(lock.is_locked());
    /// drop(guard);
    /// assert!(!lock.is_locked());
    /// ```
    pub fn is_locked(&self) -> bool {
        lock(&self.turn).free() == 0
    }

    /// The value. There is no guard any more, since guards borrow the lock or own a part of it.
    pub fn into_inner(self) -> T {
        Arc::into_inner(self.value).expect("an owned guard keeps the lock from being moved out of its Arc").into_inner()
    }

    /// The value, without locking: nobody else has the lock at all.
    ///
    /// ```
    /// use dewar::bridge::sync::Lock;
    ///
    /// let mut lock = Lock::new(1);
    /// *lock.get_mut() += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        Arc::get_mut(&mut self.value).expect("an owned guard keeps the lock from being borrowed mutably").get_mut()
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Lock<T> {
        Lock::new(T::default())
    }
}

impl<T> From<T> for Lock<T> {
    fn from(value: T) -> Lock<T> {
        Lock::new(value)
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = lock(&self.turn).line.len();
        f.debug_struct("Lock").field("is_locked", &self.is_locked()).field("waiting", &waiting).finish_non_exhaustive()
    }
}

/// Hands the lock on when it is dropped.
struct Turn<'a>(&'a Mutex<Permits>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        change(self.0, |permits, wakes| permits.give(1, wakes));
    }
}

struct TurnArc<T>(Arc<Lock<T>>);

impl<T> Drop for TurnArc<T> {
    fn drop(&mut self) {
        drop(Turn(&self.0.turn));
    }
}

/// The guard of a [`Lock`]: the way to its value. When it is dropped, also by a panic or because its task is cancelled,
/// the next one in the line has the lock.
#[must_use = "the lock is handed on when the guard is dropped"]
pub struct LockGuard<'a, T> {
    /// Dropped before the turn: whose turn it is finds the value free.
    value: CellGuard<'a, T>,
    _turn: Turn<'a>,
    lock: &'a Lock<T>,
}

impl<'a, T> LockGuard<'a, T> {
    /// The lock that it is of; for a `Condition`, which lets go of it and takes it again.
    pub(super) fn source(&self) -> &'a Lock<T> {
        self.lock
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LockGuard").field(&**self).finish()
    }
}

/// The guard of [`Lock::lock_arc`]: as [`LockGuard`], without a lifetime.
#[must_use = "the lock is handed on when the guard is dropped"]
pub struct LockGuardArc<T> {
    /// Dropped before the turn: whose turn it is finds the value free.
    value: CellGuardArc<T>,
    _turn: TurnArc<T>,
}

impl<T> Deref for LockGuardArc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for LockGuardArc<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for LockGuardArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LockGuardArc").field(&**self).finish()
    }
}
