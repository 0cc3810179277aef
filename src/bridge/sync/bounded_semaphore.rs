//! `BoundedSemaphore`: a semaphore that finds out when more is released than was taken.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::semaphore::{Semaphore, SemaphorePermit, SemaphorePermitArc};

/// A [`Semaphore`] that never has more permits than at its beginning. `asyncio.BoundedSemaphore`.
///
/// Guards give back what they took, so there is only one way to release too much: by hand. Where a permit outlives the
/// place that took it, [`forget`](SemaphorePermit::forget) it there and [`release`](BoundedSemaphore::release) it at
/// the other end.
///
/// ```
/// use dewar::bridge::{self, sync::BoundedSemaphore};
///
/// let seats = BoundedSemaphore::new(2);
/// bridge::block_on(async { seats.acquire().await.forget() })?;
/// seats.release(1).unwrap();
/// let error = seats.release(1).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "1 permit to be released, but 0 were taken and forgotten: release each permit once, and none whose guard is dropped",
/// );
/// # Ok::<(), bridge::BridgeError>(())
/// ```
#[derive(Debug)]
pub struct BoundedSemaphore {
    inner: Arc<Semaphore>,
    bound: usize,
}

impl BoundedSemaphore {
    /// A semaphore with so many permits, and never more.
    pub fn new(permits: usize) -> BoundedSemaphore {
        BoundedSemaphore { inner: Arc::new(Semaphore::new(permits)), bound: permits }
    }

    /// How many permits there are, taken or not.
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// Waits for a permit; see [`Semaphore::acquire`].
    ///
    /// # Cancel safety
    ///
    /// As [`Semaphore::acquire`].
    pub async fn acquire(&self) -> SemaphorePermit<'_> {
        self.inner.acquire().await
    }

    /// Waits for `permits` at once; see [`Semaphore::acquire_many`].
    ///
    /// # Panics
    ///
    /// If there never are so many.
    ///
    /// # Cancel safety
    ///
    /// As [`Semaphore::acquire_many`].
    pub async fn acquire_many(&self, permits: usize) -> SemaphorePermit<'_> {
        self.check(permits);
        self.inner.acquire_many(permits).await
    }

    /// Waits for a permit without a lifetime. It keeps the permits alive, though not this value, which need not be in
    /// an `Arc`.
    ///
    /// # Cancel safety
    ///
    /// As [`Semaphore::acquire`].
    pub async fn acquire_arc(&self) -> SemaphorePermitArc {
        self.inner.acquire_arc().await
    }

    /// Takes a permit if one is free and nobody waits.
    pub fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.inner.try_acquire()
    }

    /// Takes `permits` if so many are free and nobody waits.
    pub fn try_acquire_many(&self, permits: usize) -> Option<SemaphorePermit<'_>> {
        self.inner.try_acquire_many(permits)
    }

    /// Waits for a permit on this thread; see [`Semaphore::blocking_acquire`].
    ///
    /// # Panics
    ///
    /// If it would have to wait while an event loop is running on this thread.
    #[track_caller]
    pub fn blocking_acquire(&self) -> SemaphorePermit<'_> {
        self.inner.blocking_acquire()
    }

    /// Waits for `permits` at once on this thread.
    ///
    /// # Panics
    ///
    /// If there never are so many, or if it would have to wait while an event loop is running on this thread.
    #[track_caller]
    pub fn blocking_acquire_many(&self, permits: usize) -> SemaphorePermit<'_> {
        self.check(permits);
        self.inner.blocking_acquire_many(permits)
    }

    #[track_caller]
    fn check(&self, permits: usize) {
        let bound = self.bound;
        assert!(permits <= bound, "{permits} permits at once can never be had: this `BoundedSemaphore` has {bound}");
    }

    /// How many permits nobody has, at this moment.
    pub fn available_permits(&self) -> usize {
        self.inner.available_permits()
    }

    /// Whether [`try_acquire`](BoundedSemaphore::try_acquire) would fail, at this moment.
    pub fn is_locked(&self) -> bool {
        self.inner.is_locked()
    }

    /// Releases permits whose guards were [forgotten](SemaphorePermit::forget).
    ///
    /// # Errors
    ///
    /// If fewer were forgotten; then none is released. `ValueError` in asyncio, which finds it only when all permits are
    /// free.
    pub fn release(&self, permits: usize) -> Result<(), ReleasedTooMany> {
        let forgotten = |forgotten| ReleasedTooMany { released: permits, forgotten };
        self.inner.remember(permits).map_err(forgotten)?;
        self.inner.add_permits(permits);
        Ok(())
    }
}

/// More permits of a [`BoundedSemaphore`] were to be released than had been taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReleasedTooMany {
    /// How many were to be released.
    pub released: usize,
    /// How many there were to release.
    pub forgotten: usize,
}

impl fmt::Display for ReleasedTooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReleasedTooMany { released, forgotten } = self;
        let plural = |n: &usize, one: &'static str, many: &'static str| if *n == 1 { one } else { many };
        write!(
            f,
            "{released} {} to be released, but {forgotten} {} taken and forgotten: release each permit once, and none \
             whose guard is dropped",
            plural(released, "permit", "permits"),
            plural(forgotten, "was", "were"),
        )
    }
}

impl Error for ReleasedTooMany {}
