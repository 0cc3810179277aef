//! Streams written as async functions: what Python calls async generators.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::stream::{FusedStream, Stream};

use crate::quiet::quietly;

/// Makes a stream of an async function: what it [`send`](Yielder::send)s are the stream's items. An async generator
/// (`async def` with `yield`).
///
/// It begins when it is first polled, and runs only while the consumer waits for an item: `send` returns when the next
/// one is asked for. After its end, and after a panic in it, the stream gives `None` for ever. Dropping the stream
/// drops the function where it stands, with its destructors; Python's `aclose()` has to be remembered, this has not.
///
/// The function may borrow, and need not be `Send`; if what it holds is, the stream is. What it
/// [`spawn`](super::spawn)s belongs to the fragment that polls it at that moment.
///
/// ```
/// use dewar::bridge;
/// use futures_util::StreamExt;
///
/// let words = ["one", "three", "eleven"];
/// let lengths = bridge::stream(async |yielder| {
///     for word in &words {
///         bridge::yield_now().await; // whatever takes its time
///         yielder.send(word.len()).await;
///     }
/// });
/// assert_eq!(bridge::block_on(lengths.collect::<Vec<_>>())?, [3, 5, 6]);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn stream<T, F, Fut>(body: F) -> impl FusedStream<Item = T>
where
    F: FnOnce(Yielder<T>) -> Fut,
    Fut: Future<Output = ()>,
{
    Generated { generator: Generator::new(body), end: |()| None::<T>, item: |item| item }
}

/// As [`stream`], of a function that may fail: its items come as `Ok`, and what `?` left it with is the last one.
///
/// ```
/// use dewar::bridge;
/// use futures_util::StreamExt;
/// use std::num::ParseIntError;
///
/// let numbers = bridge::try_stream(async |yielder| {
///     for word in ["1", "2", "x", "4"] {
///         yielder.send(word.parse::<u8>()?).await;
///     }
///     Ok::<(), ParseIntError>(())
/// });
/// let numbers: Vec<_> = bridge::block_on(numbers.collect())?;
/// assert_eq!(numbers[..2], [Ok(1), Ok(2)]);
/// assert!(numbers[2].is_err());
/// assert_eq!(numbers.len(), 3);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn try_stream<T, E, F, Fut>(body: F) -> impl FusedStream<Item = Result<T, E>>
where
    F: FnOnce(Yielder<T>) -> Fut,
    Fut: Future<Output = Result<(), E>>,
{
    Generated { generator: Generator::new(body), end: |end: Result<(), E>| end.err().map(Err), item: Ok }
}

/// The way out of the function of a [`stream`]: see [`send`](Yielder::send).
///
/// It is meant to stay in that function. It may be lent to others, also to futures that run concurrently in there (as by
/// [`gather`](super::gather)), which then send in turn.
pub struct Yielder<T> {
    exchange: Arc<Exchange<T>>,
}

impl<T> Yielder<T> {
    /// Gives `item` to the consumer, and waits until that asks for the next. `yield`.
    ///
    /// Of several sends at once, each has its turn, in the order in which they were first polled; one consumer's
    /// question resumes those whose items are gone. Cancel-safe in this sense: a send that is dropped before its item
    /// was taken takes it back with it.
    ///
    /// ```
    /// use dewar::bridge;
    /// use futures_util::StreamExt;
    ///
    /// let both = bridge::stream(async |yielder| {
    ///     bridge::gather([1, 2].map(|n| yielder.send(n))).await;
    /// });
    /// assert_eq!(bridge::block_on(both.collect::<Vec<_>>())?, [1, 2]);
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When it is awaited after the stream has ended or was dropped. That takes a yielder that was moved out of the
    /// stream's function, into a spawned task for one; nobody would ever resume it.
    pub fn send(&self, item: T) -> Sending<'_, T> {
        Sending { yielder: self, state: State::New(item) }
    }
}

impl<T> fmt::Debug for Yielder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yielder").finish_non_exhaustive()
    }
}

/// The future of [`Yielder::send`].
#[must_use = "futures do nothing unless awaited"]
pub struct Sending<'a, T> {
    yielder: &'a Yielder<T>,
    state: State<T>,
}

enum State<T> {
    New(T),
    /// In the exchange, or taken from there, under this number.
    Given(u64),
    Done,
}

/// Nothing in it is pinned: items are moved.
impl<T> Unpin for Sending<'_, T> {}

impl<T> Future for Sending<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let exchange = &self.yielder.exchange;
        match std::mem::replace(&mut self.state, State::Done) {
            State::New(item) => {
                self.state = State::Given(exchange.give(item, cx.waker()));
                Poll::Pending
            }
            State::Given(number) => {
                let sent = exchange.has_resumed(number, cx.waker());
                if sent.is_pending() {
                    self.state = State::Given(number);
                }
                sent
            }
            State::Done => panic!("a send of a stream was polled after its end"),
        }
    }
}

impl<T> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        if let State::Given(number) = self.state {
            self.yielder.exchange.take_back(number);
        }
    }
}

impl<T> fmt::Debug for Sending<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("given", &!matches!(self.state, State::New(_))).finish_non_exhaustive()
    }
}

/// Where items change hands. Behind a lock, so that a stream can be `Send`; nobody waits for it as long as the yielder
/// stays at home.
///
/// Items and wakers are other people's: they are cloned, woken and dropped outside of the lock.
struct Exchange<T>(Mutex<Inner<T>>);

struct Inner<T> {
    /// Given and not taken yet, with ascending numbers. More than one only by sends at once.
    items: VecDeque<(u64, T)>,
    next_number: u64,
    /// The consumer waits for an item.
    asked: bool,
    /// The stream is gone or at its end.
    closed: bool,
    /// The sends that wait, by their numbers: woken by the first question after their item was taken.
    senders: BTreeMap<u64, Waker>,
    /// The consumer, for items that come while it does not poll the function: from a yielder that is elsewhere.
    consumer: Option<Waker>,
}

impl<T> Exchange<T> {
    fn new() -> Exchange<T> {
        Exchange(Mutex::new(Inner {
            items: VecDeque::new(),
            next_number: 0,
            asked: false,
            closed: false,
            senders: BTreeMap::new(),
            consumer: None,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Nothing of anybody else's runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, item: T, waker: &Waker) -> u64 {
        let waker = waker.clone();
        let mut inner = self.lock();
        if inner.closed {
            drop(inner);
            drop((item, waker));
            gone();
        }
        let number = inner.next_number;
        inner.next_number += 1;
        inner.items.push_back((number, item));
        inner.senders.insert(number, waker);
        let consumer = inner.consumer.take();
        drop(inner);
        if let Some(consumer) = consumer {
            consumer.wake();
        }
        number
    }

    /// Ready when the item of this number was taken and another one is asked for.
    fn has_resumed(&self, number: u64, waker: &Waker) -> Poll<()> {
        let waker = waker.clone();
        let mut inner = self.lock();
        if inner.closed {
            drop(inner);
            drop(waker);
            gone();
        }
        let is_taken = inner.items.front().is_none_or(|(first, _)| *first > number);
        if inner.asked && is_taken {
            return Poll::Ready(()); // the guard goes before the waker
        }
        let old = inner.senders.insert(number, waker);
        drop(inner);
        drop(old);
        Poll::Pending
    }

    fn take_back(&self, number: u64) {
        let mut inner = self.lock();
        let index = inner.items.iter().position(|(n, _)| *n == number);
        let item = index.and_then(|index| inner.items.remove(index));
        let waker = inner.senders.remove(&number);
        drop(inner);
        drop((item, waker));
    }

    /// The consumer asks for an item, and is about to poll the function with `waker`.
    fn ask(&self, waker: &Waker) {
        let mut inner = self.lock();
        inner.asked = true;
        let first = inner.items.front().map_or(u64::MAX, |(number, _)| *number);
        let mut resumed = Vec::new();
        while let Some(sender) = inner.senders.first_entry()
            && *sender.key() < first
        {
            let sender = sender.remove();
            // One that is polled with the consumer's own waker is polled anyway.
            resumed.push((!sender.will_wake(waker), sender));
        }
        let consumer = inner.consumer.take();
        drop(inner);
        drop(consumer);
        resumed.into_iter().filter(|(elsewhere, _)| *elsewhere).for_each(|(_, sender)| sender.wake());
    }

    /// The next item. If there is none, `waker` is woken when one comes.
    fn take(&self, waker: &Waker) -> Option<T> {
        let mut waker = Some(waker.clone());
        let mut inner = self.lock();
        if let Some((_, item)) = inner.items.pop_front() {
            inner.asked = false;
            drop(inner);
            return Some(item);
        }
        std::mem::swap(&mut inner.consumer, &mut waker);
        drop(inner);
        None
    }

    fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        let left = std::mem::take(&mut inner.items);
        let senders = std::mem::take(&mut inner.senders);
        let consumer = inner.consumer.take();
        drop(inner);
        quietly(|| drop((left, consumer)));
        // Only sends of a yielder that is elsewhere are left, and learn of the end now.
        senders.into_values().for_each(|sender| {
            quietly(|| sender.wake());
        });
    }
}

#[cold]
fn gone() -> ! {
    panic!(
        "a `Yielder` was used after its stream was gone: nobody would take the item. Keep it in the stream's function; \
         what runs beyond the stream sends through a channel"
    );
}

/// The function and its state, whatever it returns.
struct Generator<T, F, Fut> {
    exchange: Arc<Exchange<T>>,
    stage: Stage<F, Fut>,
}

enum Stage<F, Fut> {
    New(F),
    /// Boxed, so that it can be dropped early without `unsafe`.
    Running(Pin<Box<Fut>>),
    Ended,
}

enum Step<T, O> {
    Item(T),
    End(O),
}

impl<T, F, Fut> Generator<T, F, Fut>
where
    F: FnOnce(Yielder<T>) -> Fut,
    Fut: Future,
{
    fn new(body: F) -> Generator<T, F, Fut> {
        Generator { exchange: Arc::new(Exchange::new()), stage: Stage::New(body) }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Step<T, Fut::Output>>> {
        // Taken out while it is polled: if it panics it is dropped, and the stream has ended.
        let mut running = match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::New(body) => Box::pin(body(Yielder { exchange: Arc::clone(&self.exchange) })),
            Stage::Running(running) => running,
            Stage::Ended => return Poll::Ready(None),
        };
        self.exchange.ask(cx.waker());
        if let Poll::Ready(end) = running.as_mut().poll(cx) {
            self.exchange.close();
            return Poll::Ready(Some(Step::End(end)));
        }
        self.stage = Stage::Running(running);
        match self.exchange.take(cx.waker()) {
            Some(item) => Poll::Ready(Some(Step::Item(item))),
            None => Poll::Pending,
        }
    }
}

impl<T, F, Fut> Drop for Generator<T, F, Fut> {
    fn drop(&mut self) {
        // The function first: its sends take their items back, and find the stream still open.
        self.stage = Stage::Ended;
        self.exchange.close();
    }
}

/// A generator as a stream of `Item`s: `item` makes one of each `T`, `end` perhaps a last one of what it returned.
struct Generated<T, F, Fut, I, E> {
    generator: Generator<T, F, Fut>,
    item: I,
    end: E,
}

/// Nothing in it is pinned: the function is in a box.
impl<T, F, Fut, I, E> Unpin for Generated<T, F, Fut, I, E> {}

impl<T, F, Fut, I, E, Item> Stream for Generated<T, F, Fut, I, E>
where
    F: FnOnce(Yielder<T>) -> Fut,
    Fut: Future,
    I: Fn(T) -> Item,
    E: Fn(Fut::Output) -> Option<Item>,
{
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.generator.poll(cx).map(|step| match step? {
            Step::Item(item) => Some((self.item)(item)),
            Step::End(end) => (self.end)(end),
        })
    }
}

impl<T, F, Fut, I, E, Item> FusedStream for Generated<T, F, Fut, I, E>
where
    Generated<T, F, Fut, I, E>: Stream<Item = Item>,
{
    fn is_terminated(&self) -> bool {
        matches!(self.generator.stage, Stage::Ended)
    }
}
