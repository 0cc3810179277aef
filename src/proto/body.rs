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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_known_length() {
        let mut decoder = BodyDecoder::new(Framing::Sized(5));
        let mut out = [0; 8];
        assert_eq!((decoder.left(), decoder.raw_left(), decoder.is_done()), (Some(5), 5, false));
        assert_eq!(decoder.decode(b"", &mut out), Ok(Progress { consumed: 0, produced: 0 }));
        assert_eq!(decoder.decode(b"hello", &mut []), Ok(Progress { consumed: 0, produced: 0 }));
        assert_eq!(decoder.decode(b"hello", &mut out[..2]), Ok(Progress { consumed: 2, produced: 2 }));
        decoder.advance(1);
        assert_eq!(decoder.skip(b"l"), Ok(Progress { consumed: 1, produced: 1 }));
        assert_eq!((decoder.left(), decoder.is_done()), (Some(1), false));
        assert_eq!(decoder.decode(b"oGET /", &mut out), Ok(Progress { consumed: 1, produced: 1 }));
        assert!(decoder.is_done() && decoder.left() == Some(0) && decoder.take_trailers().is_empty());
        assert_eq!(decoder.skip(b"GET /"), Ok(Progress { consumed: 0, produced: 0 }));
    }

    #[test]
    fn none_is_done_from_the_start() {
        for framing in [Framing::Empty, Framing::Sized(0)] {
            assert!(BodyDecoder::new(framing).is_done());
        }
    }

    #[test]
    fn a_body_of_boundless_length_is_counted() {
        let mut decoder = BodyDecoder::new(Framing::Sized(u64::MAX));
        decoder.advance(u64::MAX - 1);
        assert_eq!(decoder.skip(b"ab"), Ok(Progress { consumed: 1, produced: 1 }));
        let mut decoder = BodyDecoder::new(Framing::Chunked);
        assert_eq!(decoder.skip(b"FFFFFFFFFFFFFFFF\r\na"), Ok(Progress { consumed: 19, produced: 1 }));
        assert_eq!(decoder.raw_left(), u64::MAX - 1);
    }

    #[test]
    fn framing_is_read_without_room_for_data() {
        let mut decoder = BodyDecoder::new(Framing::Chunked);
        assert_eq!((decoder.left(), decoder.raw_left()), (None, 0));
        assert_eq!(decoder.decode(b"2;a\r\nab", &mut []), Ok(Progress { consumed: 5, produced: 0 }));
        assert_eq!(decoder.raw_left(), 2);
        decoder.advance(2);
        assert_eq!((decoder.raw_left(), decoder.is_done()), (0, false));
        let input = b"\r\n0\r\na: b\r\n\r\n";
        assert_eq!(decoder.decode(input, &mut []), Ok(Progress { consumed: input.len(), produced: 0 }));
        assert!(decoder.is_done());
        assert_eq!((decoder.take_trailers().len(), decoder.take_trailers().len()), (1, 0));
    }

    #[test]
    fn what_was_before_a_refusal_is_given_out_first_and_the_refusal_stays() {
        let mut decoder = BodyDecoder::new(Framing::Chunked);
        let mut out = [0; 8];
        let input = b"2\r\nab!";
        assert_eq!(decoder.decode(input, &mut out), Ok(Progress { consumed: 5, produced: 2 }));
        let refusal = decoder.decode(&input[5..], &mut out).unwrap_err();
        assert_eq!(decoder.skip(b""), Err(refusal));
        assert!(!decoder.is_done() && decoder.raw_left() == 0);
    }
}
