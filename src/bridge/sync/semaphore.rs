//! `Semaphore`: no more than so many at once, in the order of coming.

use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::blocking;
use super::permits::{Asking, Permits};
use super::waiters::{Wait, change, lock};

/// A number of permits. `asyncio.Semaphore`.
///
/// Permits go to those who ask in the order in which they asked, and to no newcomer before them. One who asks for many
/// is not passed by those behind who would be content with the few that are free.
///
/// ```
/// use dewar::bridge::{self, sync::Semaphore};
/// use std::cell::Cell;
///
/// let (at_once, running, most) = (Semaphore::new(2), Cell::new(0), Cell::new(0));
/// bridge::block_on(bridge::gather((0..10).map(async |_| {
///     let _permit = at_once.acquire().await;
///     running.set(running.get() + 1);
///     most.set(most.get().max(running.get()));
///     bridge::yield_now().await; // a request, say
///     running.set(running.get() - 1);
/// })))?;
/// assert_eq!(most.get(), 2);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub struct Semaphore {
    permits: Mutex<Permits>,
    /// Permits whose guards were forgotten. Only a `BoundedSemaphore` asks for it.
    forgotten: AtomicUsize,
}

impl Semaphore {
    /// A semaphore with so many permits; with none, all wait until there are some.
    pub const fn new(permits: usize) -> Semaphore {
        Semaphore { permits: Mutex::new(Permits::new(permits)), forgotten: AtomicUsize::new(0) }
    }

    fn asking(&self, amount: usize) -> Wait<Asking<'_>> {
        Wait::new(Asking { permits: &self.permits, amount })
    }

    /// To be called by who has been given so many.
    fn permit(&self, permits: usize) -> SemaphorePermit<'_> {
        SemaphorePermit { semaphore: self, permits }
    }

    /// Waits for a permit. `await semaphore.acquire()`, `async with semaphore`.
    ///
    /// The place in the line is taken at the first poll.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the place in the line. If it had already been given its permit, that goes to the
    /// next one in the line.
    pub async fn acquire(&self) -> SemaphorePermit<'_> {
        self.acquire_many(1).await
    }

    /// Waits for `permits` at once; those behind wait meanwhile, however few they want. For more than there ever are,
    /// that is for ever.
    ///
    /// ```
    /// use dewar::bridge::{self, sync::Semaphore};
    ///
    /// let memory = Semaphore::new(8);
    /// bridge::block_on(async {
    ///     let much = memory.acquire_many(6).await;
    ///     assert_eq!((much.permits(), memory.available_permits()), (6, 2));
    /// })?;
    /// assert_eq!(memory.available_permits(), 8);
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As [`acquire`](Semaphore::acquire); what it had been given, or had kept from those behind, goes to them.
    pub async fn acquire_many(&self, permits: usize) -> SemaphorePermit<'_> {
        self.asking(permits).await;
        self.permit(permits)
    }

    /// As [`acquire`](Semaphore::acquire), with a permit that keeps the semaphore alive instead of borrowing it: for
    /// permits that go into tasks.
    ///
    /// ```
    /// use dewar::bridge::{self, sync::Semaphore};
    /// use std::sync::Arc;
    ///
    /// let downloads = Arc::new(Semaphore::new(3));
    /// bridge::block_on(async {
    ///     let permit = downloads.acquire_arc().await;
    ///     assert_eq!(downloads.available_permits(), 2);
    ///     bridge::spawn_shared(async move { drop(permit) }).await
    /// })??;
    /// assert_eq!(downloads.available_permits(), 3);
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As [`acquire`](Semaphore::acquire).
    pub async fn acquire_arc(self: &Arc<Self>) -> SemaphorePermitArc {
        self.asking(1).await;
        SemaphorePermitArc { semaphore: Arc::clone(self), permits: 1 }
    }

    /// Takes a permit if one is free and nobody waits.
    ///
    /// ```
    /// use dewar::bridge::sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert!(semaphore.try_acquire().is_none());
    /// # drop(permit);
    /// ```
    pub fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `permits` if so many are free and nobody waits.
    pub fn try_acquire_many(&self, permits: usize) -> Option<SemaphorePermit<'_>> {
        self.asking(permits).try_now().map(|()| self.permit(permits))
    }

    /// Waits for a permit on this thread, in the same line as the futures.
    ///
    /// # Panics
    ///
    /// If it would have to wait while an event loop is running on this thread.
    #[track_caller]
    pub fn blocking_acquire(&self) -> SemaphorePermit<'_> {
        blocking::wait(&mut self.asking(1), "Semaphore::blocking_acquire", "acquire().await");
        self.permit(1)
    }

    /// Waits for `permits` at once on this thread.
    ///
    /// # Panics
    ///
    /// As [`blocking_acquire`](Semaphore::blocking_acquire).
    #[track_caller]
    pub fn blocking_acquire_many(&self, permits: usize) -> SemaphorePermit<'_> {
        blocking::wait(&mut self.asking(permits), "Semaphore::blocking_acquire_many", "acquire_many(n).await");
        self.permit(permits)
    }

    /// How many permits nobody has, at this moment. Some of them may be kept for the first in the line, who wants more.
    pub fn available_permits(&self) -> usize {
        lock(&self.permits).free()
    }

    /// Whether [`try_acquire`](Semaphore::try_acquire) would fail, at this moment. `semaphore.locked()`.
    pub fn is_locked(&self) -> bool {
        let permits = lock(&self.permits);
        permits.free() == 0 || !permits.line.is_empty()
    }

    /// Adds permits: new ones, or those of [forgotten](SemaphorePermit::forget) guards. `semaphore.release()`, which
    /// adds one.
    ///
    /// ```
    /// use dewar::bridge::sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(0);
    /// semaphore.add_permits(2);
    /// semaphore.try_acquire().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    ///
    /// More than `usize::MAX` of them are that many.
    pub fn add_permits(&self, permits: usize) {
        change(&self.permits, |state, wakes| state.give(permits, wakes));
    }

    fn forget(&self, permits: usize) {
        self.forgotten.fetch_add(permits, Ordering::Relaxed); // guards nothing but itself
    }

    /// Takes so many off those that were forgotten, or tells how many there are.
    pub(super) fn remember(&self, permits: usize) -> Result<(), usize> {
        let less = |forgotten: usize| forgotten.checked_sub(permits);
        self.forgotten.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).map(|_| ())
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Copied, so that nothing is written under the lock.
        let (available, waiting) = {
            let permits = lock(&self.permits);
            (permits.free(), permits.line.len())
        };
        f.debug_struct("Semaphore").field("available", &available).field("waiting", &waiting).finish()
    }
}

/// Permits of a [`Semaphore`] or a [`BoundedSemaphore`](super::BoundedSemaphore), given back when this is dropped.
#[derive(Debug)]
#[must_use = "permits are given back when this is dropped"]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

impl SemaphorePermit<'_> {
    /// How many it stands for.
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Keeps the permits from being given back: `acquire` without `release`. They are gone, until somebody adds or
    /// releases as many.
    pub fn forget(self) {
        self.semaphore.forget(self.permits);
        mem::forget(self); // nothing is leaked: it owns nothing
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.semaphore.add_permits(self.permits);
    }
}

/// The permit of `acquire_arc`: as [`SemaphorePermit`], without a lifetime.
#[derive(Debug)]
#[must_use = "permits are given back when this is dropped"]
pub struct SemaphorePermitArc {
    semaphore: Arc<Semaphore>,
    permits: usize,
}

impl SemaphorePermitArc {
    /// How many it stands for.
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// As [`SemaphorePermit::forget`].
    pub fn forget(mut self) {
        self.semaphore.forget(self.permits);
        self.permits = 0; // so nothing is given back when it is dropped
    }
}

impl Drop for SemaphorePermitArc {
    fn drop(&mut self) {
        self.semaphore.add_permits(self.permits);
    }
}
