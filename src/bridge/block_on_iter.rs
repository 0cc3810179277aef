//! Async streams for blocking code: as an iterator, and as a reader.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, BufRead, Read};
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;

use super::error::BridgeError;
use super::fragment::block_on;

/// Iterates over an async stream from blocking code: each `next` runs a fragment, by
/// [`block_on`](super::block_on), until the stream has an item. In Python, a loop around
/// `loop.run_until_complete(anext(it))`.
///
/// The stream may borrow and need not be `Send`. What it [`spawn`](super::spawn)s on the thread's loop is cancelled
/// when its item comes: each item is a fragment of its own. After its end it is not polled again.
///
/// ```
/// use dewar::bridge;
///
/// let squares = bridge::stream(async |yielder| {
///     for n in 1..4 {
///         bridge::yield_now().await;
///         yielder.send(n * n).await;
///     }
/// });
/// for (square, expected) in bridge::block_on_iter(squares).zip([1, 4, 9]) {
///     assert_eq!(square, expected);
/// }
/// ```
///
/// # Panics
///
/// `next` does, with the words of [`BridgeError::Nested`], where a fragment is running on this thread already: use
/// the stream itself there, by `StreamExt::next` of futures-util.
pub fn block_on_iter<S: Stream>(stream: S) -> BlockOnIter<S> {
    BlockOnIter { stream: Some(Box::pin(stream)) }
}

/// The iterator of [`block_on_iter`].
#[must_use = "an iterator does nothing unless it is iterated over"]
pub struct BlockOnIter<S> {
    /// `None` at its end.
    stream: Option<Pin<Box<S>>>,
}

impl<S: Stream> BlockOnIter<S> {
    #[track_caller]
    fn try_next(&mut self) -> Result<Option<S::Item>, BridgeError> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let item = block_on(poll_fn(|cx| stream.as_mut().poll_next(cx)))?;
        if item.is_none() {
            self.stream = None;
        }
        Ok(item)
    }
}

impl<S: Stream> Iterator for BlockOnIter<S> {
    type Item = S::Item;

    #[track_caller]
    fn next(&mut self) -> Option<S::Item> {
        match self.try_next() {
            Ok(item) => item,
            Err(error) => panic!("{error}"),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.as_ref().map_or((0, Some(0)), |stream| stream.size_hint())
    }
}

impl<S: Stream> std::iter::FusedIterator for BlockOnIter<S> {}

impl<S> fmt::Debug for BlockOnIter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockOnIter").field("ended", &self.stream.is_none()).finish()
    }
}

/// What a stream of bytes may be made of: blocks, or results of such.
pub trait IntoBlock {
    /// Makes it a block.
    ///
    /// # Errors
    /// The one that it is. An [`io::Error`] stays itself; others become one of the kind `Other`.
    fn into_block(self) -> io::Result<Bytes>;
}

macro_rules! into_block {
    ($($t:ty),*) => { $(
        impl IntoBlock for $t {
            fn into_block(self) -> io::Result<Bytes> {
                Ok(self.into())
            }
        }
    )* };
}
into_block!(Bytes, Vec<u8>, String, &'static str, &'static [u8]);

impl<B: Into<Bytes>, E: Into<Box<dyn StdError + Send + Sync>>> IntoBlock for Result<B, E> {
    fn into_block(self) -> io::Result<Bytes> {
        self.map(Into::into).map_err(|error| error.into().downcast().map_or_else(io::Error::other, |error| *error))
    }
}

/// Reads an async stream of bytes from blocking code, for libraries that take a [`Read`] or a [`BufRead`].
///
/// Its blocks are [`Bytes`], `Vec<u8>` or texts, or results of such. An error is returned once; the next read goes on
/// with the stream.
///
/// ```
/// use dewar::bridge;
/// use std::io::{BufRead, Read};
///
/// let blocks = bridge::stream(async |yielder| {
///     for block in ["one\ntwo\nth", "ree\n"] {
///         yielder.send(block).await;
///     }
/// });
/// let lines: Vec<_> = bridge::stream_reader(blocks).lines().collect::<Result<_, _>>()?;
/// assert_eq!(lines, ["one", "two", "three"]);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Reading gives the stream's errors; and [`BridgeError::Nested`], in an [`io::Error`], where a fragment is running on
/// this thread already.
pub fn stream_reader<S>(stream: S) -> StreamReader<S>
where
    S: Stream,
    S::Item: IntoBlock,
{
    StreamReader { blocks: block_on_iter(stream), rest: Bytes::new() }
}

/// The reader of [`stream_reader`].
#[must_use = "a reader does nothing unless it is read"]
pub struct StreamReader<S> {
    blocks: BlockOnIter<S>,
    /// Of the last block, what was not read yet.
    rest: Bytes,
}

impl<S: Stream> Read for StreamReader<S>
where
    S::Item: IntoBlock,
{
    #[track_caller]
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

impl<S: Stream> BufRead for StreamReader<S>
where
    S::Item: IntoBlock,
{
    #[track_caller]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // An empty block would read as the end.
        while self.rest.is_empty() {
            match self.blocks.try_next().map_err(io::Error::other)? {
                Some(block) => self.rest = block.into_block()?,
                None => break,
            }
        }
        Ok(&self.rest)
    }

    fn consume(&mut self, n: usize) {
        let _ = self.rest.split_to(n);
    }
}

impl<S> fmt::Debug for StreamReader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReader").field("blocks", &self.blocks).field("at_hand", &self.rest.len()).finish()
    }
}
