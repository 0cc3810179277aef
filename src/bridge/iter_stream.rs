//! Blocking iterators and readers for async code: as streams, run on the blocking pool.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io::{self, Read};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::stream::{FusedStream, Stream};
use futures_util::task::AtomicWaker;

use super::error::TaskError;
use super::task::Task;
use super::unblock::unblock;

/// How many items are made ahead, unless said.
const ITEMS_AHEAD: usize = 16;
/// How many blocks of a reader.
const BLOCKS_AHEAD: usize = 2;
/// How long these are, unless said.
const BLOCK: usize = 64 * 1024;

/// Makes a stream of an iterator that blocks, such as the rows of a database or the lines of a file: it runs on the
/// pool of [`unblock`](super::unblock()). In Python, a thread that fills an `asyncio.Queue`.
///
/// It begins when the stream is first polled, and makes at most 16 items ahead of the consumer
/// ([`read_ahead`](IterStream::read_ahead)). It holds a thread of the pool only while it makes some: while enough are
/// at hand, it rests. The luggage of whoever polls goes along. When the stream is dropped, no further item is begun,
/// and the iterator is dropped after the one that it is at.
///
/// ```
/// use dewar::bridge;
/// use futures_util::StreamExt;
///
/// let numbers = bridge::iter_stream((1..=100).map(|n| n * n)); // think of something slow
/// let sum = bridge::block_on(numbers.fold(0, async |sum, n| sum + n))?;
/// assert_eq!(sum, 338_350);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Panics
///
/// The stream does, when the iterator has panicked, or the pool has no thread and can get none: it says why. The items
/// before that come first, and after it the stream has ended.
#[track_caller]
pub fn iter_stream<I>(iterator: I) -> IterStream<I::IntoIter>
where
    I: IntoIterator,
    I::IntoIter: Send + 'static,
    I::Item: Send + 'static,
{
    IterStream {
        shared: Arc::new(Shared { state: Mutex::new(State::default()), waker: AtomicWaker::new() }),
        place: Place::Resting(iterator.into_iter()),
        ahead: ITEMS_AHEAD,
        failed: None,
        made_at: Location::caller(),
    }
}

/// The stream of [`iter_stream`].
#[must_use = "streams do nothing unless polled"]
pub struct IterStream<I: Iterator> {
    shared: Arc<Shared<I::Item>>,
    place: Place<I>,
    ahead: usize,
    /// Why it ended before its end; told when all that is at hand was taken.
    failed: Option<String>,
    made_at: &'static Location<'static>,
}

enum Place<I> {
    /// Here: enough is at hand, or nobody has asked yet.
    Resting(I),
    /// On the pool. `None` comes back from there at the end.
    Running(Task<Option<I>>),
    Ended,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// The consumer.
    waker: AtomicWaker,
}

/// Items are other people's: they are made and dropped outside of the lock.
struct State<T> {
    at_hand: VecDeque<T>,
    /// The stream is gone.
    closed: bool,
}

impl<T> Default for State<T> {
    fn default() -> State<T> {
        State { at_hand: VecDeque::new(), closed: false }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes items until there are enough. On the pool.
    fn fill<I: Iterator<Item = T>>(&self, mut iterator: I, ahead: usize) -> Option<I> {
        loop {
            {
                let state = self.lock();
                if state.closed {
                    return None;
                }
                if state.at_hand.len() >= ahead {
                    break;
                }
            }
            let item = iterator.next()?;
            let mut state = self.lock();
            if state.closed {
                drop(state);
                drop(item);
                return None;
            }
            state.at_hand.push_back(item);
            drop(state);
            self.waker.wake();
        }
        Some(iterator)
    }
}

impl<I> IterStream<I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    /// Makes at most `items` ahead of the consumer, and at least one.
    pub fn read_ahead(mut self, items: usize) -> IterStream<I> {
        self.ahead = items.max(1);
        self
    }

    /// The next item at hand, and how many there are behind it.
    fn pop(&self) -> (Option<I::Item>, usize) {
        let mut state = self.shared.lock();
        let item = state.at_hand.pop_front();
        (item, state.at_hand.len())
    }

    /// Whether the iterator is still at work.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> bool {
        let Place::Running(task) = &mut self.place else { return false };
        let Poll::Ready(end) = Pin::new(task).poll(cx) else { return true };
        self.place = match end {
            Ok(Some(iterator)) => Place::Resting(iterator),
            Ok(None) => Place::Ended,
            Err(error) => {
                self.failed = Some(match error {
                    TaskError::Panicked { message, .. } => format!("panicked: {message}"),
                    TaskError::Refused { reason, .. } => format!("could not run: {reason}"),
                    other => format!("did not get to its end: {other}"),
                });
                Place::Ended
            }
        };
        false
    }

    /// Puts the iterator to work if it rests and half of what may be at hand is gone.
    fn run(&mut self, at_hand: usize) {
        if at_hand > self.ahead / 2 {
            return;
        }
        self.place = match std::mem::replace(&mut self.place, Place::Ended) {
            Place::Resting(iterator) => {
                let (shared, ahead) = (Arc::clone(&self.shared), self.ahead);
                Place::Running(unblock(move || shared.fill(iterator, ahead)))
            }
            other => other,
        };
    }
}

/// Nothing in it is pinned: the iterator is moved between threads.
impl<I: Iterator> Unpin for IterStream<I> {}

impl<I> Stream for IterStream<I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I::Item>> {
        // Before the look at what is at hand: an item that comes in between wakes.
        self.shared.waker.register(cx.waker());
        let (mut item, mut left) = self.pop();
        loop {
            if item.is_some() && left > self.ahead / 2 {
                return Poll::Ready(item);
            }
            let is_running = self.poll_turn(cx);
            if item.is_none() {
                // After the look at the turn: if that has ended, all that it made is here.
                (item, left) = self.pop();
            }
            if !is_running {
                if item.is_none()
                    && let Some(reason) = self.failed.take()
                {
                    panic!("the iterator of the `bridge::iter_stream` made at {} {reason}", self.made_at);
                }
                self.run(left);
            }
            match item {
                Some(_) => return Poll::Ready(item),
                None if matches!(self.place, Place::Ended) => return Poll::Ready(None),
                None if is_running => return Poll::Pending,
                // It was just put to work: its task is to be polled once, so that it wakes us.
                None => {}
            }
        }
    }
}

impl<I> FusedStream for IterStream<I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    fn is_terminated(&self) -> bool {
        let ended = matches!(self.place, Place::Ended);
        ended && self.failed.is_none() && self.shared.lock().at_hand.is_empty()
    }
}

impl<I: Iterator> Drop for IterStream<I> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let left = std::mem::take(&mut state.at_hand);
        drop(state);
        drop(left);
        if let Place::Running(task) = &self.place {
            task.cancel(); // if it has not begun it need not
        }
    }
}

impl<I: Iterator> fmt::Debug for IterStream<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            Place::Resting(_) => "resting",
            Place::Running(_) => "running",
            Place::Ended => "ended",
        };
        f.debug_struct("IterStream").field("iterator", &place).field("read_ahead", &self.ahead).finish_non_exhaustive()
    }
}

/// Makes a stream of blocks of a reader that blocks: a file, a socket, the body of a request. It is read on the pool
/// of [`unblock`](super::unblock()), in blocks of at most 64 KiB ([`block_size`](ReadStream::block_size)) and at most
/// two ahead of the consumer. asyncio's `StreamReader.read(n)`.
///
/// A block is what one `read` gave, so it may be shorter. An error is the last item. Else as [`iter_stream`].
///
/// ```
/// use dewar::{App, Result, bridge, request};
/// use futures_util::StreamExt;
///
/// // An upload, block by block, in async code.
/// async fn upload() -> Result<String> {
///     let mut blocks = bridge::read_stream(request().take_body());
///     let mut length = 0;
///     while let Some(block) = blocks.next().await {
///         length += block?.len();
///     }
///     Ok(format!("{length} bytes"))
/// }
///
/// let mut app = App::new("demo");
/// app.post("/upload", upload);
/// assert_eq!(app.test_client().post("/upload").body("hello").send().text(), "5 bytes");
/// ```
#[track_caller]
pub fn read_stream<R: Read + Send + 'static>(reader: R) -> ReadStream<R> {
    ReadStream { blocks: iter_stream(Blocks { reader: Some(reader), size: BLOCK }).read_ahead(BLOCKS_AHEAD) }
}

/// The stream of [`read_stream`].
#[must_use = "streams do nothing unless polled"]
pub struct ReadStream<R: Read> {
    blocks: IterStream<Blocks<R>>,
}

impl<R: Read + Send + 'static> ReadStream<R> {
    /// Reads at most `bytes` at once. To be said before the stream is first polled; later it changes nothing.
    ///
    /// ```
    /// use dewar::bridge;
    /// use futures_util::TryStreamExt;
    ///
    /// let pairs = bridge::read_stream(&b"abcde"[..]).block_size(2);
    /// let pairs: Vec<_> = bridge::block_on(pairs.try_collect())??;
    /// assert_eq!(pairs, ["ab", "cd", "e"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// At the caller's line, if it is zero: nothing would ever be read.
    #[track_caller]
    pub fn block_size(mut self, bytes: usize) -> ReadStream<R> {
        assert!(bytes > 0, "blocks of zero bytes never get to the reader's end: say how many bytes to read at once");
        if let Place::Resting(blocks) = &mut self.blocks.place {
            blocks.size = bytes;
        }
        self
    }

    /// Reads at most `blocks` ahead of the consumer, and at least one.
    pub fn read_ahead(mut self, blocks: usize) -> ReadStream<R> {
        self.blocks = self.blocks.read_ahead(blocks);
        self
    }
}

impl<R: Read> Unpin for ReadStream<R> {}

impl<R: Read + Send + 'static> Stream for ReadStream<R> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        Pin::new(&mut self.blocks).poll_next(cx)
    }
}

impl<R: Read + Send + 'static> FusedStream for ReadStream<R> {
    fn is_terminated(&self) -> bool {
        self.blocks.is_terminated()
    }
}

impl<R: Read> fmt::Debug for ReadStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadStream").field("blocks", &self.blocks).finish()
    }
}

/// A reader as an iterator.
struct Blocks<R> {
    /// `None` after the end or an error.
    reader: Option<R>,
    size: usize,
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        let reader = self.reader.as_mut()?;
        let mut block = vec![0; self.size];
        let read = loop {
            match reader.read(&mut block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(0) => {
                self.reader = None;
                None
            }
            Ok(n) => {
                // A short read must not hold on to a whole block.
                block.truncate(n);
                block.shrink_to_fit();
                Some(Ok(block.into()))
            }
            Err(error) => {
                self.reader = None;
                Some(Err(error))
            }
        }
    }
}
