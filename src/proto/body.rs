//! A request's body, out of the bytes that it came as (RFC 9112 sections 6 and 7).

use http::HeaderMap;

use super::chunk::Chunks;
use super::framing::Framing;
use super::refusal::Refusal;

/// Takes a body out of its framing.
#[derive(Debug)]
pub(crate) struct BodyDecoder {
    state: State,
}

#[derive(Debug)]
enum State {
    /// So many bytes are to come.
    Sized(u64),
    /// Boxed: most requests have no chunks, and every connection moves one of these about.
    Chunked(Box<Chunks>),
    /// It stays so.
    Failed(Refusal),
}

/// What a call did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes of the input that are dealt with.
    pub(crate) consumed: usize,
    /// Bytes of the body that came of it.
    pub(crate) produced: usize,
}

/// Where a body's bytes go.
#[derive(Debug)]
pub(super) enum Sink<'a> {
    Into(&'a mut [u8]),
    Nowhere,
}

impl Sink<'_> {
    /// Takes what there is room for behind the `at` bytes that it has, and says how much that is.
    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) -> usize {
        match self {
            Sink::Into(out) => {
                let room = &mut out[at..];
                let length = room.len().min(bytes.len());
                room[..length].copy_from_slice(&bytes[..length]);
                length
            }
            Sink::Nowhere => bytes.len(),
        }
    }
}

impl BodyDecoder {
    /// For a body that is framed so.
    pub(crate) fn new(framing: Framing) -> BodyDecoder {
        let state = match framing {
            Framing::Empty => State::Sized(0),
            Framing::Sized(length) => State::Sized(length),
            Framing::Chunked => State::Chunked(Box::default()),
        };
        BodyDecoder { state }
    }

    /// Decodes what is in `input` into `out`: as much as there is room for, and the framing around it even if there is
    /// no room. What follows the body is left alone.
    ///
    /// A refusal comes by itself: after a call that produced what was before it, with the bytes to refuse left in the
    /// input, so that what is decoded does not depend on how the input was cut.
    pub(crate) fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress, Refusal> {
        self.drive(input, Sink::Into(out))
    }

    /// The same, but the body is thrown away.
    pub(crate) fn skip(&mut self, input: &[u8]) -> Result<Progress, Refusal> {
        self.drive(input, Sink::Nowhere)
    }

    fn drive(&mut self, input: &[u8], mut sink: Sink<'_>) -> Result<Progress, Refusal> {
        match &mut self.state {
            State::Sized(left) => {
                let here = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                let length = sink.put(0, &input[..here]);
                *left -= length as u64;
                Ok(Progress { consumed: length, produced: length })
            }
            State::Chunked(chunks) => {
                let mut progress = Progress::default();
                let Err(refusal) = chunks.decode(input, &mut sink, &mut progress) else { return Ok(progress) };
                self.state = State::Failed(refusal);
                if progress.produced > 0 { Ok(progress) } else { Err(refusal) }
            }
            State::Failed(refusal) => Err(*refusal),
        }
    }

    /// Whether all of the body was decoded, its framing included.
    pub(crate) fn is_done(&self) -> bool {
        match &self.state {
            State::Sized(left) => *left == 0,
            State::Chunked(chunks) => chunks.is_done(),
            State::Failed(_) => false,
        }
    }

    /// Bytes still to come, where that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        match &self.state {
            State::Sized(left) => Some(*left),
            State::Chunked(_) | State::Failed(_) => None,
        }
    }

    /// How many of the next bytes of the input are the body's own: they may be read straight to where they are wanted,
    /// followed by [`advance`](BodyDecoder::advance).
    pub(crate) fn raw_left(&self) -> u64 {
        match &self.state {
            State::Sized(left) => *left,
            State::Chunked(chunks) => chunks.raw_left(),
            State::Failed(_) => 0,
        }
    }

    /// So many bytes of the body went past the decoder: at most [`raw_left`](BodyDecoder::raw_left).
    pub(crate) fn advance(&mut self, bytes: u64) {
        debug_assert!(bytes <= self.raw_left(), "no more than is known to be the body's");
        match &mut self.state {
            State::Sized(left) => *left = left.saturating_sub(bytes),
            State::Chunked(chunks) => chunks.advance(bytes),
            State::Failed(_) => {}
        }
    }

    /// The trailers of a body in chunks that is done, without those that no trailer can be. The second time, none.
    pub(crate) fn take_trailers(&mut self) -> HeaderMap {
        match &mut self.state {
            State::Chunked(chunks) => chunks.take_trailers(),
            State::Sized(_) | State::Failed(_) => HeaderMap::new(),
        }
    }
}
