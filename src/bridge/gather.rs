//! Waiting for several futures at once, without spawning them: they may borrow.

use std::future::{Future, poll_fn};
use std::pin::pin;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::this_thread;

/// Polls all of `futures` concurrently, in the task that awaits it, and returns what they returned, in
/// their order. They may borrow and need not be `Send`. `asyncio.gather`; where the outputs are
/// `Result`s, all are kept, as by `return_exceptions=True`.
///
/// ```
/// use dewar::bridge;
///
/// let words = ["one", "three", "eleven"];
/// let lengths = bridge::block_on(bridge::gather(words.iter().map(async |word| word.len())))?;
/// assert_eq!(lengths, [3, 5, 6]);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn gather<I>(futures: I) -> impl Future<Output = Vec<<I::Item as Future>::Output>>
where
    I: IntoIterator,
    I::Item: Future,
{
    parent(join_all(futures.into_iter().map(child)))
}

/// As [`gather`], but the first error ends it: the other futures are dropped where they are.
///
/// ```
/// use dewar::bridge;
///
/// let all = bridge::try_gather(["1", "2"].map(async |digit| digit.parse::<u8>()));
/// assert_eq!(bridge::block_on(all)?, Ok(vec![1, 2]));
///
/// let bad = bridge::try_gather(["1", "x"].map(async |digit| digit.parse::<u8>()));
/// assert!(bridge::block_on(bad)?.is_err());
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn try_gather<I, T, E>(futures: I) -> impl Future<Output = Result<Vec<T>, E>>
where
    I: IntoIterator,
    I::Item: Future<Output = Result<T, E>>,
{
    // Not `try_join_all`: past thirty futures that one looks at them in order, and an error waits for all
    // before it to end.
    let numbered = futures.into_iter().enumerate();
    let mut running: FuturesUnordered<_> =
        numbered.map(|(index, future)| child(async move { (index, future.await) })).collect();
    parent(async move {
        let mut values: Vec<Option<T>> = Vec::new();
        values.resize_with(running.len(), || None);
        while let Some((index, result)) = running.next().await {
            values[index] = Some(result?);
        }
        // All ended, none with an error: every place is filled.
        Ok(values.into_iter().flatten().collect())
    })
}

/// The two halves of one thing: the children may be polled with wakers of their own (`join_all` does so
/// past thirty, `FuturesUnordered` always). The loop is told that it drives these too, so that their timers stay in its heap.
pub(crate) async fn parent<F: Future>(all: F) -> F::Output {
    let mut all = pin!(all);
    poll_fn(|cx| this_thread::poll_gather(cx, |cx| all.as_mut().poll(cx))).await
}

pub(crate) async fn child<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| this_thread::poll_gathered(cx, |cx| future.as_mut().poll(cx))).await
}
