//! Structured concurrency: children that borrow, all ended when their group ends.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::gather::child;
use super::this_thread;

/// Runs `body` together with the children that it spawns into its group, and ends when all have: nothing goes on behind
/// its end. The children are polled in here, so they may borrow from outside and need not be `Send`; they can spawn
/// siblings by a clone of the group. `async with asyncio.TaskGroup()`.
///
/// One `Err`, of a child or the body, ends the rest: they are dropped where they are. All errors are kept: those of
/// children that fail in the same turn too. A panic of a child goes through to whoever awaits the group.
///
/// ```
/// use dewar::bridge;
/// use std::cell::Cell;
///
/// let words = vec![String::from("one"), String::from("three")];
/// let total = Cell::new(0);
/// let sum = bridge::block_on(bridge::task_group(async |group| {
///     for word in &words {
///         group.spawn(async {
///             bridge::yield_now().await;
///             total.set(total.get() + word.len());
///             Ok(())
///         });
///     }
///     let seven = group.spawn(async { Ok("seven!!".parse::<u8>().unwrap_or(7)) });
///     Ok::<_, std::num::ParseIntError>(seven.await)
/// }))??;
/// assert_eq!((sum, total.get()), (Some(7), 8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`GroupError`] with all errors, the first one first.
pub async fn task_group<'env, T, E, B>(body: B) -> Result<T, GroupError<E>>
where
    E: 'env,
    B: AsyncFnOnce(TaskGroup<'env, E>) -> Result<T, E>,
{
    let group = TaskGroup { new: Rc::default(), waker: Rc::default(), is_over: Rc::default() };
    // Dropped last, also when the group is dropped or a child panics: children that were spawned and never polled may have
    // clones of the group, and would keep each other.
    let over = Over(group.clone());
    let mut body = pin!(body(group.clone()));
    let mut value = None;
    let mut children = FuturesUnordered::new();
    let mut errors = Vec::new();
    poll_fn(|cx| {
        this_thread::poll_gather(cx, |cx| {
            group.waker.set(Some(cx.waker().clone()));
            loop {
                if value.is_none() && errors.is_empty() {
                    match this_thread::poll_gathered(cx, |cx| body.as_mut().poll(cx)) {
                        Poll::Ready(Ok(result)) => value = Some(result),
                        Poll::Ready(Err(error)) => errors.push(error),
                        Poll::Pending => {}
                    }
                }
                let has_ended = errors.is_empty() && value.is_some();
                let mut has_moved = false;
                let new = group.new.take();
                if errors.is_empty() {
                    has_moved = !new.is_empty();
                    children.extend(new);
                }
                // All that is ready in this turn, so that no error is lost.
                let is_empty = loop {
                    match children.poll_next_unpin(cx) {
                        Poll::Ready(Some(Ok(()))) => has_moved = true,
                        Poll::Ready(Some(Err(error))) => errors.push(error),
                        Poll::Ready(None) => break true,
                        Poll::Pending => break false,
                    }
                };
                if !errors.is_empty() || (is_empty && has_ended && group.new.borrow().is_empty()) {
                    return Poll::Ready(());
                }
                // A child's end may be what the body waits for, and a new one is to be polled.
                if !has_moved && group.new.borrow().is_empty() {
                    return Poll::Pending;
                }
            }
        })
    })
    .await;
    group.is_over.set(true);
    // Children first: they may borrow from what the body owns only through what is outside of both.
    drop(children);
    drop(over);
    match value {
        Some(value) if errors.is_empty() => Ok(value),
        _ => Err(GroupError { errors }),
    }
}

type Child<'env, E> = Pin<Box<dyn Future<Output = Result<(), E>> + 'env>>;

/// The group of [`task_group`], to spawn into. Clones are the same group.
pub struct TaskGroup<'env, E> {
    /// Spawned, and not polled yet.
    new: Rc<RefCell<Vec<Child<'env, E>>>>,
    waker: Rc<Cell<Option<Waker>>>,
    is_over: Rc<Cell<bool>>,
}

/// Ends a group: what is in it unpolled is dropped, and what is spawned from now on.
struct Over<'env, E>(TaskGroup<'env, E>);

impl<E> Drop for Over<'_, E> {
    fn drop(&mut self) {
        self.0.is_over.set(true);
        drop(self.0.new.take());
    }
}

impl<E> Clone for TaskGroup<'_, E> {
    fn clone(&self) -> Self {
        TaskGroup { new: Rc::clone(&self.new), waker: Rc::clone(&self.waker), is_over: Rc::clone(&self.is_over) }
    }
}

impl<'env, E: 'env> TaskGroup<'env, E> {
    /// Runs `future` in the group. Its value can be awaited, by the body or a sibling, or left alone; its error ends the
    /// group. Spawned into a group that has ended, it is dropped unpolled. `TaskGroup.create_task`.
    pub fn spawn<T: 'env>(&self, future: impl Future<Output = Result<T, E>> + 'env) -> GroupTask<T> {
        let slot = Rc::new(Slot { value: RefCell::new(None), has_ended: Cell::new(false), waker: Cell::new(None) });
        let filled = End(Rc::clone(&slot));
        let future = child(async move {
            let value = future.await?;
            *filled.0.value.borrow_mut() = Some(value);
            Ok(())
        });
        if self.is_over.get() {
            drop(future);
            return GroupTask { slot };
        }
        self.new.borrow_mut().push(Box::pin(future));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        GroupTask { slot }
    }
}

impl<E> fmt::Debug for TaskGroup<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup").finish_non_exhaustive()
    }
}

struct Slot<T> {
    value: RefCell<Option<T>>,
    has_ended: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

/// Tells of a child's end, whichever way it comes.
struct End<T>(Rc<Slot<T>>);

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        self.0.has_ended.set(true);
        if let Some(waker) = self.0.waker.take() {
            waker.wake();
        }
    }
}

/// A child of a [`TaskGroup`]. Awaited it gives the child's value, or `None` where there is none: the child was dropped,
/// because something in the group failed. Dropping it changes nothing.
pub struct GroupTask<T> {
    slot: Rc<Slot<T>>,
}

impl<T> GroupTask<T> {
    /// Whether it has ended.
    pub fn is_finished(&self) -> bool {
        self.slot.has_ended.get()
    }
}

impl<T> Future for GroupTask<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.slot.has_ended.get() {
            return Poll::Ready(self.slot.value.borrow_mut().take());
        }
        self.slot.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl<T> fmt::Debug for GroupTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupTask").field("finished", &self.is_finished()).finish()
    }
}

/// What failed in a [`task_group`]: at least one error, all of them kept. `ExceptionGroup`.
///
/// It is an [`Error`] if `E` is one. A group of [`dewar::Error`](crate::Error)s becomes one of these by `?`: the first, and
/// the others are logged.
///
/// ```
/// use dewar::{Error, Result, bridge};
///
/// fn handler() -> Result<i64> {
///     bridge::run(async {
///         let sum = bridge::task_group(async |group| {
///             // `Error` has to be named: by `?` alone, rustc cannot tell what the errors are
///             let [one, two] = ["1", "x"].map(|word| group.spawn(async { Ok::<i64, Error>(word.parse()?) }));
///             Ok(one.await.unwrap_or(0) + two.await.unwrap_or(0))
///         });
///         Ok(sum.await?)
///     })
/// }
/// assert_eq!(handler().unwrap_err().to_string(), "invalid digit found in string");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupError<E> {
    errors: Vec<E>,
}

impl<E> GroupError<E> {
    /// The errors, the first one first.
    pub fn errors(&self) -> &[E] {
        &self.errors
    }

    /// The errors, the first one first.
    pub fn into_errors(self) -> Vec<E> {
        self.errors
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = &self.errors[..] else { return f.write_str("the group failed") };
        first.fmt(f)?;
        match rest.len() {
            0 => Ok(()),
            1 => write!(f, " (and one more: {})", rest[0]),
            more => write!(f, " (and {more} more: {}, …)", rest[0]),
        }
    }
}

/// So that `?` works in handlers: the first error is the one that is answered with, the others are logged.
impl From<GroupError<crate::error::Error>> for crate::error::Error {
    #[track_caller]
    fn from(group: GroupError<crate::error::Error>) -> crate::error::Error {
        let mut errors = group.into_errors().into_iter();
        // A group that fails has an error; without one there would be nothing to answer with.
        let first = errors.next().unwrap_or_else(|| crate::error::Error::msg("the group failed"));
        errors.for_each(|other| log::error!("in the same task group: {other}"));
        first
    }
}

impl<E: Error + 'static> Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.errors.first()?.source()
    }
}
