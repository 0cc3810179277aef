//! Many items, some of them at a time.

use std::future::Future;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::gather::{child, parent};

/// Runs `each` on all items, at most `limit` at once, and returns what it returned, in the items' order. In asyncio, a
/// `gather` whose coroutines go through a `Semaphore(limit)`; but here an item is taken from the iterator only when there
/// is room for it, so that any number of them costs the memory of `limit`, beside the results.
///
/// All of it runs in the task that awaits it: items and `each` may borrow, and need not be `Send`. Dropping the future
/// drops what is running, and takes no further item.
///
/// ```
/// use dewar::bridge;
/// use std::time::Duration;
///
/// let lengths = bridge::block_on(bridge::fan_out(2, ["one", "three", "eleven"], async |word| {
///     bridge::sleep(Duration::from_millis(1)).await;
///     word.len()
/// }))?;
/// assert_eq!(lengths, [3, 5, 6]);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Panics
///
/// At the caller's line, if `limit` is zero. Where an item's future panics, the others are dropped.
#[track_caller]
pub fn fan_out<I, T, F>(limit: usize, items: I, each: F) -> impl Future<Output = Vec<T>>
where
    I: IntoIterator,
    F: AsyncFn(I::Item) -> T,
{
    check(limit);
    parent(async move {
        let items = items.into_iter();
        let mut results = Vec::with_capacity(items.size_hint().0.min(MOST_RESERVED));
        let ended = fan(limit, items, &each, |index, result| {
            put(&mut results, index, result);
            Ok::<(), ()>(())
        });
        // No result is an error.
        let _ = ended.await;
        results.into_iter().flatten().collect()
    })
}

/// As [`fan_out`], but the first error ends it: what is running is dropped, and no further item is taken.
///
/// ```
/// use dewar::bridge;
///
/// let mut taken = 0;
/// let numbers = ["1", "x", "3", "4", "5"].iter().inspect(|_| taken += 1);
/// let result = bridge::block_on(bridge::try_fan_out(1, numbers, async |text| text.parse::<u8>()))?;
/// assert!(result.is_err());
/// assert_eq!(taken, 2);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Panics
///
/// As [`fan_out`].
#[track_caller]
pub fn try_fan_out<I, T, E, F>(limit: usize, items: I, each: F) -> impl Future<Output = Result<Vec<T>, E>>
where
    I: IntoIterator,
    F: AsyncFn(I::Item) -> Result<T, E>,
{
    check(limit);
    parent(async move {
        let items = items.into_iter();
        let mut results = Vec::with_capacity(items.size_hint().0.min(MOST_RESERVED));
        fan(limit, items, &each, |index, result: Result<T, E>| {
            put(&mut results, index, result?);
            Ok(())
        })
        .await?;
        Ok(results.into_iter().flatten().collect())
    })
}

/// As [`fan_out`], without results: so an endless iterator will do, too.
///
/// ```
/// use dewar::bridge;
/// use std::cell::Cell;
///
/// let sum = Cell::new(0);
/// bridge::block_on(bridge::for_each_limited(10, 1..=1000, async |n| sum.set(sum.get() + n)))?;
/// assert_eq!(sum.get(), 500_500);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Panics
///
/// As [`fan_out`].
#[track_caller]
pub fn for_each_limited<I, F>(limit: usize, items: I, each: F) -> impl Future<Output = ()>
where
    I: IntoIterator,
    F: AsyncFn(I::Item),
{
    check(limit);
    parent(async move {
        // No result is an error.
        let _ = fan(limit, items.into_iter(), &each, |_, ()| Ok::<(), ()>(())).await;
    })
}

/// An iterator's lower bound is believed so far: it may be wrong.
const MOST_RESERVED: usize = 1024;

#[track_caller]
fn check(limit: usize) {
    assert!(limit > 0, "with a limit of zero nothing would ever run: allow at least one at a time");
}

/// Puts a result into its place; those of later items may come first.
fn put<T>(results: &mut Vec<Option<T>>, index: usize, result: T) {
    if results.len() <= index {
        results.resize_with(index + 1, || None);
    }
    results[index] = Some(result);
}

async fn fan<I, T, E, F>(
    limit: usize,
    items: I,
    each: &F,
    mut take: impl FnMut(usize, T) -> Result<(), E>,
) -> Result<(), E>
where
    I: Iterator,
    F: AsyncFn(I::Item) -> T,
{
    let mut items = items.enumerate().fuse();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < limit
            && let Some((index, item)) = items.next()
        {
            running.push(child(async move { (index, each(item).await) }));
        }
        match running.next().await {
            Some((index, result)) => take(index, result)?,
            None => return Ok(()),
        }
    }
}
