//! Waiting for some of several futures: for the first, the first error, or all; and one result after the other.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::this_thread;

/// What [`wait`] came back with.
pub struct Waited<F: Future> {
    /// What has ended, in the order in which it did: the future's number (from 0) and its result.
    pub done: Vec<(usize, F::Output)>,
    /// What has not: the future's number, and itself, to be waited for again, or dropped, which cancels it.
    pub pending: Vec<(usize, Pin<Box<F>>)>,
}

impl<F: Future<Output: fmt::Debug>> fmt::Debug for Waited<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pending: Vec<_> = self.pending.iter().map(|(number, _)| number).collect();
        f.debug_struct("Waited").field("done", &self.done).field("pending", &pending).finish()
    }
}

/// Polls `futures` concurrently, in the task that awaits it, until `is_enough` says so of a result, or all have ended;
/// what is done by then is returned, and what is not is given back. They may borrow. `asyncio.wait`; its three ways are
/// [`first_completed`], [`first_error`] (`FIRST_EXCEPTION`) and [`all_completed`].
///
/// ```
/// use dewar::bridge;
/// use std::time::Duration;
///
/// let pause = async |ms| {
///     bridge::sleep(Duration::from_millis(ms)).await;
///     ms
/// };
/// let waited = bridge::block_on(bridge::wait([60_000, 1].map(pause), bridge::first_completed))?;
/// assert_eq!(waited.done, [(1, 1)]);
/// assert_eq!(waited.pending[0].0, 0); // the slow one can be waited for again
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// Cancel-safe in that a drop ends what is pending; results that it has collected are dropped too.
pub async fn wait<I, P>(futures: I, mut is_enough: P) -> Waited<I::Item>
where
    I: IntoIterator<Item: Future>,
    P: FnMut(&<I::Item as Future>::Output) -> bool,
{
    let mut running: FuturesUnordered<Numbered<I::Item>> =
        futures.into_iter().enumerate().map(|(number, future)| Numbered { number, future: Box::pin(future) }).collect();
    let mut done = Vec::new();
    let mut is_over = false;
    poll_fn(|cx| {
        this_thread::poll_gather(cx, |cx| {
            // What is ready in the same turn is taken along.
            loop {
                match running.poll_next_unpin(cx) {
                    Poll::Ready(Some((number, result))) => {
                        is_over |= is_enough(&result);
                        done.push((number, result));
                    }
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending if is_over => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
    })
    .await;
    let mut pending: Vec<_> = running.into_iter().map(|left| (left.number, left.future)).collect();
    pending.sort_unstable_by_key(|(number, _)| *number);
    Waited { done, pending }
}

/// For [`wait`]: any result is enough. `FIRST_COMPLETED`.
pub fn first_completed<T>(_result: &T) -> bool {
    true
}

/// For [`wait`]: an `Err` is enough. `FIRST_EXCEPTION`.
///
/// ```
/// use dewar::bridge;
/// use std::future;
///
/// let futures = ["1", "x", "wait"].map(async |word| match word {
///     "wait" => future::pending().await,
///     word => word.parse::<u8>(),
/// });
/// let waited = bridge::block_on(bridge::wait(futures, bridge::first_error))?;
/// assert!(waited.done.iter().any(|(number, result)| *number == 1 && result.is_err()));
/// assert_eq!(waited.pending[0].0, 2);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn first_error<T, E>(result: &Result<T, E>) -> bool {
    result.is_err()
}

/// For [`wait`]: nothing is enough but all. `ALL_COMPLETED`.
///
/// ```
/// use dewar::bridge;
///
/// let waited = bridge::block_on(bridge::wait([1, 2].map(async |n| n), bridge::all_completed))?;
/// assert_eq!((waited.done.len(), waited.pending.len()), (2, 0));
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn all_completed<T>(_result: &T) -> bool {
    false
}

struct Numbered<F> {
    number: usize,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Numbered<F> {
    type Output = (usize, F::Output);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = this_thread::poll_gathered(cx, |cx| self.future.as_mut().poll(cx));
        polled.map(|result| (self.number, result))
    }
}

/// Polls `futures` concurrently and gives their results one after the other, as they come. They may borrow.
/// `asyncio.as_completed`.
///
/// ```
/// use dewar::bridge;
/// use std::time::Duration;
///
/// let order = bridge::block_on(async {
///     let mut results = bridge::as_completed([20, 1].map(async |ms| {
///         bridge::sleep(Duration::from_millis(ms)).await;
///         ms
///     }));
///     let mut order = Vec::new();
///     while let Some(ms) = results.next().await {
///         order.push(ms);
///     }
///     order
/// })?;
/// assert_eq!(order, [1, 20]);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn as_completed<I>(futures: I) -> AsCompleted<I::Item>
where
    I: IntoIterator<Item: Future>,
{
    let numbered =
        futures.into_iter().enumerate().map(|(number, future)| Numbered { number, future: Box::pin(future) });
    AsCompleted { running: numbered.collect() }
}

/// The results of [`as_completed`]: a `Stream`, with a `next` of its own. Dropping it drops what is not done.
#[must_use = "the futures are polled only while somebody asks for results"]
pub struct AsCompleted<F: Future> {
    running: FuturesUnordered<Numbered<F>>,
}

impl<F: Future> AsCompleted<F> {
    /// The next result; `None` after the last. Cancel-safe: a `next` that is dropped has taken nothing.
    pub async fn next(&mut self) -> Option<F::Output> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// How many are still to come.
    pub fn remaining(&self) -> usize {
        self.running.len()
    }
}

impl<F: Future> Stream for AsCompleted<F> {
    type Item = F::Output;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let next = this_thread::poll_gather(cx, |cx| self.running.poll_next_unpin(cx));
        next.map(|next| next.map(|(_, result)| result))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.running.len(), Some(self.running.len()))
    }
}

impl<F: Future> fmt::Debug for AsCompleted<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("remaining", &self.remaining()).finish()
    }
}
