//! `Queue` and `PriorityQueue`: from those who produce to those who consume.

mod doors;
mod errors;
mod methods;
mod shared;
mod store;

use std::fmt;
use std::sync::Arc;

pub use self::errors::{Closed, DoneTooOften, TryGetError, TryPutError};
use self::methods::queue;
use self::shared::Shared;
use self::store::{Fifo, Heap};

/// A queue of items, from any number of producers to any number of consumers. `asyncio.Queue`.
///
/// This is a handle: clones of it are the same queue, and every one may put and get. Who waits is served in the order
/// of coming, whether it is a future or a thread.
///
/// # Its end
///
/// A handle is as good for a producer as for a consumer, and who waits holds one. So the queue cannot end under anybody,
/// and a get waits on even if nobody is left who would ever put something: [`close`](Queue::close) it when the last
/// producer is done. What is in the queue when the last handle goes is dropped.
///
/// ```
/// use dewar::bridge::{self, sync::Queue};
///
/// let jobs = Queue::bounded(2);
/// bridge::block_on(async {
///     let worker = bridge::spawn({
///         let jobs = jobs.clone();
///         async move {
///             let mut sum = 0;
///             while let Ok(n) = jobs.get().await {
///                 sum += n;
///                 jobs.task_done().expect("once for each item");
///             }
///             sum
///         }
///     });
///     for n in 1..=4 {
///         jobs.put(n).await?;
///     }
///     jobs.join().await; // all done
///     jobs.close();
///     assert_eq!(worker.await?, 10);
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// From blocking code, and without waiting:
///
/// ```
/// use dewar::bridge::sync::{Closed, Queue, TryGetError, TryPutError};
///
/// let queue = Queue::bounded(1);
/// queue.blocking_put("a")?;
/// assert_eq!(queue.try_put("b"), Err(TryPutError::Full("b")));
/// assert_eq!(queue.blocking_get()?, "a");
/// assert_eq!(queue.try_get(), Err(TryGetError::Empty));
/// queue.close();
/// assert_eq!(queue.blocking_put("c"), Err(Closed("c")));
/// assert_eq!(queue.blocking_get(), Err(Closed(())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Queue<T> {
    shared: Arc<Shared<Fifo<T>>>,
}

queue!(Queue:);

/// A [`Queue`] that gives out the smallest item first, and the oldest among equals. `asyncio.PriorityQueue`, where
/// equals come in no certain order.
///
/// For the greatest first, put [`Reverse`](std::cmp::Reverse)d items; for a priority beside the item, put pairs.
///
/// Items are compared by their `Ord`, which runs under no lock, and must not use the queue: that is found, and panics.
/// Others who put and get wait meanwhile. If `Ord` panics, the panic comes out of the call that compared. An item that was
/// being put is in the queue nevertheless; one that was being got is dropped and counts as done; the order of the rest is
/// any.
///
/// ```
/// use dewar::bridge::sync::PriorityQueue;
///
/// let jobs = PriorityQueue::unbounded();
/// for job in [(2, "tidy up"), (1, "answer"), (2, "sleep")] {
///     jobs.try_put(job)?;
/// }
/// assert_eq!(jobs.try_get()?, (1, "answer"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PriorityQueue<T> {
    shared: Arc<Shared<Heap<T>>>,
}

queue!(PriorityQueue: Ord);
