//! `Condition`: waiting for a change of what a lock guards.

use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::sync::Mutex;

use super::blocking;
use super::lock::LockGuard;
use super::waiters::{Door, Wait, Waiters, Wakes, change, lock};

/// Lets those who have a [`Lock`](super::Lock) wait until others have changed what it guards. `asyncio.Condition`.
///
/// Those who wait let go of the lock meanwhile, and have it again afterwards. Use one condition with one lock. Change
/// the value under the lock before the notification; unlike asyncio's, that need not be made under it.
///
/// Notifications go to those who have waited longest. They ask for the lock when they are polled, each behind those who
/// are waiting for it by then. A wait may also end without a change of what it is about (a notification was passed on,
/// or somebody else was quicker), so look again, or leave that to [`wait_for`](Condition::wait_for).
///
/// ```
/// use dewar::bridge::{self, sync::{Condition, Lock}};
/// use std::sync::Arc;
///
/// let shared = Arc::new((Lock::new(Vec::new()), Condition::new()));
/// let taking = bridge::spawn_shared({
///     let shared = Arc::clone(&shared);
///     async move {
///         let (names, changed) = &*shared;
///         let mut names = changed.wait_for(names.lock().await, |names| !names.is_empty()).await;
///         names.remove(0)
///     }
/// });
/// let (names, changed) = &*shared;
/// names.blocking_lock().push("Ada");
/// changed.notify_one();
/// assert_eq!(taking.join()?, "Ada");
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub struct Condition(Mutex<Waiters>);

/// In front of a condition: nobody passes who was not notified.
struct Notification<'a>(&'a Mutex<Waiters>);

impl Door for Notification<'_> {
    type State = Waiters;
    type Pass = ();

    fn state(&self) -> &Mutex<Waiters> {
        self.0
    }

    fn line<'s>(&self, line: &'s mut Waiters) -> &'s mut Waiters {
        line
    }

    fn enter(&self, _: &mut Waiters) -> Option<()> {
        None
    }

    fn called(&self, _: &mut Waiters) {}

    fn pass_on(&self, line: &mut Waiters, wakes: &mut Wakes) {
        line.call_first(wakes);
    }
}

/// Passes the notification on, unless it is forgotten.
struct PassOn<'a>(&'a Condition);

impl Drop for PassOn<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Condition {
    /// A condition that nobody waits for.
    pub const fn new() -> Condition {
        Condition(Mutex::new(Waiters::new()))
    }

    /// Lets go of the lock, waits for a notification, and takes the lock again.
    ///
    /// The place in the line is taken before the lock is let go: a notification under the lock is not missed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future lets go of the lock, if it still or already had that, and does not take it again (asyncio
    /// does, before it raises). If it had been notified and did not have the lock yet, the notification goes to the
    /// next one in the line.
    pub async fn wait<'a, T>(&self, guard: LockGuard<'a, T>) -> LockGuard<'a, T> {
        let source = guard.source();
        let mut notification = Wait::new(Notification(&self.0));
        let mut guard = Some(guard);
        poll_fn(|cx| {
            let polled = Pin::new(&mut notification).poll(cx);
            drop(guard.take());
            polled
        })
        .await;
        let pass_on = PassOn(self);
        let guard = source.lock().await;
        mem::forget(pass_on);
        guard
    }

    /// Waits until `condition` holds for the value; not at all if it does. `condition.wait_for`.
    ///
    /// It is looked at under the lock, first at once and then after each notification.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Condition::wait).
    pub async fn wait_for<'a, T>(
        &self,
        mut guard: LockGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockGuard<'a, T> {
        while !condition(&mut guard) {
            guard = self.wait(guard).await;
        }
        guard
    }

    /// As [`wait_for`](Condition::wait_for) the other way round, as in the standard library: waits as long as
    /// `condition` holds.
    ///
    /// ```
    /// use dewar::bridge::{self, sync::{Condition, Lock}};
    ///
    /// let (busy, changed) = (Lock::new(false), Condition::new());
    /// bridge::block_on(async {
    ///     let mut busy = changed.wait_while(busy.lock().await, |busy| *busy).await;
    ///     *busy = true;
    /// })?;
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Condition::wait).
    pub async fn wait_while<'a, T>(
        &self,
        guard: LockGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockGuard<'a, T> {
        self.wait_for(guard, |value| !condition(value)).await
    }

    /// As [`wait`](Condition::wait), on this thread.
    ///
    /// # Panics
    ///
    /// If an event loop is running on this thread. The lock is let go.
    #[track_caller]
    pub fn blocking_wait<'a, T>(&self, guard: LockGuard<'a, T>) -> LockGuard<'a, T> {
        blocking::refuse_on_a_loop("Condition::blocking_wait", "wait(guard).await");
        let source = guard.source();
        Wait::new(Notification(&self.0)).park(|| drop(guard));
        source.blocking_lock()
    }

    /// As [`wait_for`](Condition::wait_for), on this thread.
    ///
    /// ```
    /// use dewar::bridge::sync::{Condition, Lock};
    ///
    /// let (count, changed) = (Lock::new(0), Condition::new());
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         *count.blocking_lock() += 1;
    ///         changed.notify_one();
    ///     });
    ///     let count = changed.blocking_wait_for(count.blocking_lock(), |count| *count > 0);
    ///     assert_eq!(*count, 1);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If it would have to wait while an event loop is running on this thread. The lock is let go.
    #[track_caller]
    pub fn blocking_wait_for<'a, T>(
        &self,
        mut guard: LockGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockGuard<'a, T> {
        while !condition(&mut guard) {
            guard = self.blocking_wait(guard);
        }
        guard
    }

    /// As [`wait_while`](Condition::wait_while), on this thread.
    ///
    /// # Panics
    ///
    /// As [`blocking_wait_for`](Condition::blocking_wait_for).
    #[track_caller]
    pub fn blocking_wait_while<'a, T>(
        &self,
        guard: LockGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockGuard<'a, T> {
        self.blocking_wait_for(guard, |value| !condition(value))
    }

    /// Notifies the one who has waited longest. Nothing is kept for later if nobody waits.
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Notifies the `n` who have waited longest, or all if there are fewer. `condition.notify(n)`.
    ///
    /// ```
    /// use dewar::bridge::{self, sync::{Condition, Lock}};
    ///
    /// let (free, changed) = (Lock::new(0), Condition::new());
    /// let taken = bridge::block_on(bridge::gather([false, false, true].map(async |gives| {
    ///     let mut free = free.lock().await;
    ///     if gives {
    ///         *free = 2;
    ///         changed.notify(2); // for two there is something
    ///         return 0;
    ///     }
    ///     free = changed.wait_for(free, |free| *free > 0).await;
    ///     *free -= 1;
    ///     1
    /// })))?;
    /// assert_eq!(taken, [1, 1, 0]);
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    pub fn notify(&self, n: usize) {
        change(&self.0, |line, wakes| {
            for _ in 0..n {
                if !line.call_first(wakes) {
                    break;
                }
            }
        });
    }

    /// Notifies all who wait.
    pub fn notify_all(&self) {
        change(&self.0, Waiters::call_all);
    }
}

impl Default for Condition {
    fn default() -> Condition {
        Condition::new()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = lock(&self.0).len(); // and nothing is written under the lock
        f.debug_struct("Condition").field("waiting", &waiting).finish()
    }
}
