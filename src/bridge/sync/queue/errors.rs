//! How queues refuse.

use std::error::Error;
use std::fmt;

/// The queue is closed: to a put, which gets its item back in here, or to a get when there is nothing left.
/// `asyncio.QueueShutDown`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Closed<T = ()>(
    /// The item that was to be put.
    pub T,
);

impl<T> Closed<T> {
    /// The item that was to be put.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// The same without the item, for `?` where that is not `Send + Sync + 'static`, as an error has to be.
    ///
    /// ```
    /// use dewar::bridge::{self, sync::Queue};
    /// use std::cell::Cell;
    ///
    /// let queue = Queue::bounded(1); // of what must not be shared
    /// let put = async {
    ///     queue.put(Cell::new(7)).await.map_err(|closed| closed.without_item())?;
    ///     dewar::Result::Ok(queue.len())
    /// };
    /// assert_eq!(bridge::run(put).unwrap(), 1);
    /// ```
    pub fn without_item(self) -> Closed {
        Closed(())
    }
}

/// Why `try_put` did not put its item, which it gives back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TryPutError<T> {
    /// There is no place free, or it is promised to others who wait. `asyncio.QueueFull`.
    Full(T),
    /// The queue is closed.
    Closed(T),
}

impl<T> TryPutError<T> {
    /// The item that was to be put.
    pub fn into_inner(self) -> T {
        match self {
            TryPutError::Full(item) | TryPutError::Closed(item) => item,
        }
    }
}

/// Why `try_get` got nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryGetError {
    /// There is no item, or it is promised to others who wait. `asyncio.QueueEmpty`.
    Empty,
    /// The queue is closed, and nothing is left in it.
    Closed,
}

/// `task_done` was called more often than items were put. `ValueError` in asyncio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoneTooOften;

const CLOSED: &str = "the queue is closed";

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED)
    }
}

/// Without the item, so that any item will do.
impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

impl<T> Error for Closed<T> {}

impl<T> fmt::Display for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryPutError::Full(_) => "the queue is full: wait for a place with `put` or `blocking_put`",
            TryPutError::Closed(_) => CLOSED,
        })
    }
}

/// Without the item, so that any item will do.
impl<T> fmt::Debug for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryPutError::Full(_) => "Full(..)",
            TryPutError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> Error for TryPutError<T> {}

impl fmt::Display for TryGetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryGetError::Empty => "the queue is empty: wait for an item with `get` or `blocking_get`",
            TryGetError::Closed => "the queue is closed, and nothing is left in it",
        })
    }
}

impl Error for TryGetError {}

impl fmt::Display for DoneTooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "every item of the queue is done already: call `task_done` once for each item that was got (`close_now` \
             does it for those that it drops)",
        )
    }
}

impl Error for DoneTooOften {}
