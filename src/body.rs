//! What a request or a response carries: nothing, bytes, a file, a reader or an iterator of blocks.

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};

use bytes::Bytes;

use crate::quiet::quietly;

/// How many bytes are read at once from a reader or a file, 64 KiB.
const BLOCK: usize = 64 * 1024;

/// The body of a [`Request`](crate::Request) or of a [`Response`](crate::Response).
///
/// A body is read as it comes, by [`Read`] or block by block; nothing is held in memory that was not given as bytes.
/// A request's body is a lease on its connection: once the response is written it is void, and reading it is an error.
///
/// ```
/// use dewar::Body;
/// use std::io::Read;
///
/// let mut text = String::new();
/// Body::from("hello").read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
///
/// let squares = Body::blocks((1..4).map(|n| format!("{}\n", n * n)));
/// assert_eq!(squares.into_bytes()?, "1\n4\n9\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Body {
    kind: Kind,
    /// Run when the body is dropped, which is when it has been sent or given up.
    closers: Vec<Box<dyn FnOnce() + Send>>,
}

enum Kind {
    Empty,
    Bytes(Bytes),
    File { file: File, left: u64 },
    Reader { reader: Box<dyn Read + Send>, len: Option<u64> },
    Blocks { blocks: Box<dyn Iterator<Item = io::Result<Bytes>> + Send>, rest: Bytes },
}

/// What an engine can do with a body without calling back into user code: see [`Body::into_plain`].
#[derive(Debug)]
pub enum Plain {
    /// The whole body is here.
    Bytes(Bytes),
    /// This many bytes of the file, from its current position.
    File(File, u64),
    /// A stream: to be read on a worker.
    Stream(Body),
}

impl Body {
    /// A body of no bytes.
    pub fn empty() -> Body {
        Body::new(Kind::Empty)
    }

    /// Streams what `reader` gives, until its end. Its length is not known beforehand, so HTTP/1.1 sends it in chunks.
    pub fn reader(reader: impl Read + Send + 'static) -> Body {
        Body::new(Kind::Reader { reader: Box::new(reader), len: None })
    }

    /// Streams exactly `len` bytes of `reader`, sent with a `Content-Length`. A reader that ends early is an error,
    /// which cuts the connection: the client must not take half a body for a whole one.
    pub fn sized_reader(reader: impl Read + Send + 'static, len: u64) -> Body {
        Body::new(Kind::Reader { reader: Box::new(reader), len: Some(len) })
    }

    /// Sends the next `len` bytes of `file`, from its current position.
    pub fn file(file: File, len: u64) -> Body {
        Body::new(Kind::File { file, left: len })
    }

    /// Streams the blocks of an iterator, each as it is made (Flask: a generator as a response).
    pub fn blocks<I>(blocks: I) -> Body
    where
        I: IntoIterator,
        I::Item: Into<Bytes>,
        I::IntoIter: Send + 'static,
    {
        let blocks = blocks.into_iter().map(|block| Ok(block.into()));
        Body::new(Kind::Blocks { blocks: Box::new(blocks), rest: Bytes::new() })
    }

    /// Like [`Body::blocks`], of blocks that may fail. An error cuts the connection, so that the client sees that the
    /// body is not whole.
    pub fn try_blocks<I, B, E>(blocks: I) -> Body
    where
        I: IntoIterator<Item = Result<B, E>>,
        I::IntoIter: Send + 'static,
        B: Into<Bytes>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let blocks = blocks.into_iter().map(|block| match block {
            Ok(block) => Ok(block.into()),
            // One of I/O stays itself, with its kind.
            Err(error) => Err(error.into().downcast().map_or_else(io::Error::other, |error| *error)),
        });
        Body::new(Kind::Blocks { blocks: Box::new(blocks), rest: Bytes::new() })
    }

    fn new(kind: Kind) -> Body {
        Body { kind, closers: Vec::new() }
    }

    /// The number of bytes still to come, where it is known.
    pub fn len(&self) -> Option<u64> {
        match &self.kind {
            Kind::Empty => Some(0),
            Kind::Bytes(bytes) => Some(bytes.len() as u64),
            Kind::File { left, .. } => Some(*left),
            Kind::Reader { len, .. } => *len,
            Kind::Blocks { .. } => None,
        }
    }

    /// Whether it is known that no bytes will come.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Whether the body is made while it is sent: a reader or blocks.
    pub fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::Reader { .. } | Kind::Blocks { .. })
    }

    /// Whether it is read from somewhere, so that whoever has room for it saves a copy by [`Read`].
    pub(crate) fn is_reader(&self) -> bool {
        matches!(self.kind, Kind::File { .. } | Kind::Reader { .. })
    }

    /// All of it, where it is bytes, or nothing.
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Empty => Some(&[]),
            Kind::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// All of it, where it is bytes: without a copy, and it stays.
    pub(crate) fn share(&self) -> Bytes {
        match &self.kind {
            Kind::Bytes(bytes) => bytes.clone(),
            _ => Bytes::new(),
        }
    }

    /// Puts `other` in its place; what is to run on close stays.
    pub(crate) fn replace(&mut self, other: Body) {
        let mut closers = std::mem::take(&mut self.closers);
        *self = other;
        closers.append(&mut self.closers);
        self.closers = closers;
    }

    /// Makes it the `len` bytes from `start` on. `false` when that is not known how to do: it is nothing, or a stream of
    /// another length.
    pub(crate) fn cut(&mut self, start: u64, len: u64) -> io::Result<bool> {
        match &mut self.kind {
            Kind::Bytes(bytes) if start + len <= bytes.len() as u64 => {
                *bytes = bytes.slice(start as usize..(start + len) as usize);
            }
            Kind::File { file, left } if start + len <= *left => {
                file.seek_relative(i64::try_from(start).map_err(io::Error::other)?)?;
                *left = len;
            }
            Kind::Reader { .. } | Kind::Blocks { .. } => {
                let mut whole = Body::empty();
                std::mem::swap(&mut whole, self);
                let closers = std::mem::take(&mut whole.closers);
                *self = Body::sized_reader(Skipped { inner: whole, skip: start }, len);
                self.closers = closers;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Runs `job` once the body has been sent, or was given up because the client went away. A panic in it is logged,
    /// and harms neither the other jobs nor the response.
    pub fn call_on_close(&mut self, job: impl FnOnce() + Send + 'static) {
        self.closers.push(Box::new(job));
    }

    /// The next block, `None` at the end. Bytes and blocks come as they are, without a copy; files and readers in
    /// pieces of at most 64 KiB.
    ///
    /// # Errors
    /// What the reader or the iterator says; `UnexpectedEof` when a body of known length ends early.
    pub fn next_block(&mut self) -> io::Result<Option<Bytes>> {
        match &mut self.kind {
            Kind::Empty => Ok(None),
            Kind::Bytes(bytes) if bytes.is_empty() => Ok(None),
            Kind::Bytes(bytes) => Ok(Some(std::mem::take(bytes))),
            Kind::Blocks { blocks, rest } => {
                if !rest.is_empty() {
                    return Ok(Some(std::mem::take(rest)));
                }
                // An empty block would read as the end.
                blocks.find(|block| !matches!(block, Ok(b) if b.is_empty())).transpose()
            }
            Kind::File { .. } | Kind::Reader { .. } => {
                let want = self.len().map_or(BLOCK, |left| left.min(BLOCK as u64) as usize);
                let mut block = vec![0; want];
                let got = self.read(&mut block)?;
                block.truncate(got);
                Ok((got > 0).then(|| block.into()))
            }
        }
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// What reading says.
    pub fn into_bytes(mut self) -> io::Result<Bytes> {
        if matches!(self.kind, Kind::File { .. } | Kind::Reader { .. }) {
            // Into one buffer: a client may send its bytes one by one.
            let mut all = Vec::new();
            self.read_to_end(&mut all)?;
            return Ok(all.into());
        }
        let Some(first) = self.next_block()? else { return Ok(Bytes::new()) };
        let Some(second) = self.next_block()? else { return Ok(first) };
        let mut all = Vec::with_capacity(first.len() + second.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(block) = self.next_block()? {
            all.extend_from_slice(&block);
        }
        Ok(all.into())
    }

    /// The same body, which fails with [`BodyTooLarge`] when more than `limit` bytes come.
    pub fn limited(self, limit: u64) -> Body {
        match self.kind {
            Kind::Empty => self,
            Kind::Bytes(ref bytes) if bytes.len() as u64 <= limit => self,
            _ => {
                let len = self.len().filter(|len| *len <= limit);
                Body::new(Kind::Reader { reader: Box::new(Limited { inner: self, left: limit, limit }), len })
            }
        }
    }

    /// What an engine can send without a worker, and what needs one. What was to run on close stays with a stream;
    /// for bytes and files it is returned beside it, to be dropped when they are sent.
    pub fn into_plain(mut self) -> (Plain, Closers) {
        if self.is_stream() {
            return (Plain::Stream(self), Closers(Vec::new()));
        }
        let closers = Closers(std::mem::take(&mut self.closers));
        let plain = match std::mem::replace(&mut self.kind, Kind::Empty) {
            Kind::Bytes(bytes) => Plain::Bytes(bytes),
            Kind::File { file, left } => Plain::File(file, left),
            _ => Plain::Bytes(Bytes::new()),
        };
        (plain, closers)
    }
}

impl Read for Body {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        match &mut self.kind {
            Kind::Empty => Ok(0),
            Kind::Bytes(bytes) => Ok(take(bytes, out)),
            Kind::File { file, left } => read_sized(file, left, out),
            Kind::Reader { reader, len: Some(left) } => read_sized(reader, left, out),
            Kind::Reader { reader, len: None } => reader.read(out),
            Kind::Blocks { blocks, rest } => {
                while rest.is_empty() {
                    match blocks.next() {
                        Some(block) => *rest = block?,
                        None => return Ok(0),
                    }
                }
                Ok(take(rest, out))
            }
        }
    }
}

fn take(bytes: &mut Bytes, out: &mut [u8]) -> usize {
    let n = bytes.len().min(out.len());
    out[..n].copy_from_slice(&bytes.split_to(n));
    n
}

fn read_sized(reader: &mut impl Read, left: &mut u64, out: &mut [u8]) -> io::Result<usize> {
    if *left == 0 {
        return Ok(0);
    }
    let want = (*left).min(out.len() as u64) as usize;
    let got = reader.read(&mut out[..want])?;
    if got == 0 {
        let what = format!("the body ended {left} bytes before its announced length");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
    }
    *left -= got as u64;
    Ok(got)
}

impl Drop for Body {
    fn drop(&mut self) {
        run_all(&mut self.closers);
    }
}

/// Each of them, whatever becomes of the others. This may be an unwinding already, and a panic must not end the process.
fn run_all(jobs: &mut Vec<Box<dyn FnOnce() + Send>>) {
    for job in jobs.drain(..) {
        if quietly(job).is_none() {
            quietly(|| log::error!("a job on the close of a body panicked"));
        }
    }
}

/// Jobs that run when this is dropped: see [`Body::into_plain`].
pub struct Closers(Vec<Box<dyn FnOnce() + Send>>);

impl Closers {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Closers {
    fn drop(&mut self) {
        run_all(&mut self.0);
    }
}

impl fmt::Debug for Closers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Closers({})", self.0.len())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Empty => "empty",
            Kind::Bytes(_) => "bytes",
            Kind::File { .. } => "file",
            Kind::Reader { .. } => "reader",
            Kind::Blocks { .. } => "blocks",
        };
        f.debug_struct("Body").field("kind", &kind).field("len", &self.len()).finish()
    }
}

impl Default for Body {
    fn default() -> Self {
        Body::empty()
    }
}

macro_rules! from_bytes {
    ($($t:ty),*) => { $(
        impl From<$t> for Body {
            fn from(bytes: $t) -> Body {
                Body::new(Kind::Bytes(bytes.into()))
            }
        }
    )* };
}
from_bytes!(Bytes, Vec<u8>, String, &'static str, &'static [u8]);

impl From<()> for Body {
    fn from((): ()) -> Body {
        Body::empty()
    }
}

/// A body was longer than the limit set for it. Comes wrapped in an [`io::Error`], and is answered with 413.
#[derive(Debug, Clone, Copy)]
pub struct BodyTooLarge {
    /// The limit, in bytes.
    pub limit: u64,
}

impl BodyTooLarge {
    /// Whether this is why reading failed.
    pub fn caused(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<BodyTooLarge>())
    }
}

impl fmt::Display for BodyTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body is longer than the {} bytes allowed", self.limit)
    }
}

impl StdError for BodyTooLarge {}

/// Why an engine gave up a body that it was reading for a handler. Comes wrapped in an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyStopped {
    /// The client sent it too slowly, or took the response so: 408.
    TooSlow,
    /// Too many workers wait for clients already: 503.
    Overloaded,
}

impl BodyStopped {
    /// Whether, and why.
    pub(crate) fn of(error: &io::Error) -> Option<BodyStopped> {
        error.get_ref().and_then(|inner| inner.downcast_ref()).copied()
    }
}

impl fmt::Display for BodyStopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyStopped::TooSlow => "the client was too slow",
            BodyStopped::Overloaded => "too many slow clients are being waited for",
        })
    }
}

impl StdError for BodyStopped {}

/// What is behind the first bytes.
struct Skipped {
    inner: Body,
    skip: u64,
}

impl Read for Skipped {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.skip > 0 {
            io::copy(&mut (&mut self.inner).take(self.skip), &mut io::sink())?;
            self.skip = 0;
        }
        self.inner.read(out)
    }
}

struct Limited {
    inner: Body,
    left: u64,
    limit: u64,
}

impl Read for Limited {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // One byte more than allowed is asked for, to tell a body that just fits from one that does not.
        let want = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX).saturating_add(1));
        let got = self.inner.read(&mut out[..want])? as u64;
        if got > self.left {
            self.left = 0;
            return Err(io::Error::other(BodyTooLarge { limit: self.limit }));
        }
        self.left -= got;
        Ok(got as usize)
    }
}
