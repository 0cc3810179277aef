//! Bodies in chunks (RFC 9112 section 7.1).

use std::io::Write;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};

use super::body::{Progress, Sink};
use super::chunk_line::SizeLine;
use super::fields::{self, Extent};
use super::refusal::Refusal;

/// Bytes that the trailers of a body may have, and how many of them there may be.
const TRAILER_BYTES: usize = 16 * 1024;
const TRAILERS: usize = 64;

const CHUNK_END: Refusal = Refusal::bad("a chunk does not end where its size says");
const TRAILERS_TOO_BIG: Refusal =
    Refusal::with(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the trailers are too big");

/// What ends a body in chunks, without trailers.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends a chunk. An empty one would end the body, so it is left out.
pub(crate) fn put_chunk(out: &mut Vec<u8>, block: &[u8]) {
    if block.is_empty() {
        return;
    }
    // Into a Vec it cannot fail.
    let _ = write!(out, "{:x}\r\n", block.len());
    out.extend_from_slice(block);
    out.extend_from_slice(b"\r\n");
}

/// Appends what ends a body in chunks: the last one, and the trailers that may be some.
pub(crate) fn put_last_chunk(out: &mut Vec<u8>, trailers: &HeaderMap) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.iter().filter(|(name, _)| !is_forbidden(name)) {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// How far a body is read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the line before a chunk.
    #[default]
    Size,
    /// In a chunk, with so much of it to come.
    Data(u64),
    /// Behind a chunk's data.
    CarriageReturn,
    LineFeed,
    /// Behind the line of the last chunk.
    Trailers,
    Done,
}

/// Takes a body out of its chunks.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    place: Place,
    line: SizeLine,
    /// What there is of the trailers so far.
    section: Vec<u8>,
    trailers: HeaderMap,
}

impl Chunks {
    /// Decodes `input` as far as there is room for its data, and counts what it does. On a refusal, `progress` is what
    /// came before the bytes that are refused.
    pub(super) fn decode(&mut self, input: &[u8], sink: &mut Sink<'_>, progress: &mut Progress) -> Result<(), Refusal> {
        while let rest @ [byte, ..] = &input[progress.consumed..] {
            progress.consumed += match self.place {
                Place::Size => {
                    match self.line.take(*byte)? {
                        None => {}
                        Some(0) => self.place = Place::Trailers,
                        Some(size) => self.place = Place::Data(size),
                    }
                    1
                }
                Place::Data(left) => {
                    let here = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                    let length = sink.put(progress.produced, &rest[..here]);
                    if length == 0 {
                        return Ok(());
                    }
                    progress.produced += length;
                    self.advance(length as u64);
                    length
                }
                Place::CarriageReturn if *byte == b'\r' => {
                    self.place = Place::LineFeed;
                    1
                }
                Place::LineFeed if *byte == b'\n' => {
                    self.place = Place::Size;
                    1
                }
                Place::CarriageReturn | Place::LineFeed => return Err(CHUNK_END),
                Place::Trailers => self.gather(rest)?,
                Place::Done => return Ok(()),
            }
        }
        Ok(())
    }

    /// Takes what `input` has of the trailers, and says how much that is.
    fn gather(&mut self, input: &[u8]) -> Result<usize, Refusal> {
        let before = self.section.len();
        let most = TRAILER_BYTES - before;
        self.section.extend_from_slice(&input[..input.len().min(most)]);
        match fields::extent(&self.section, TRAILERS)? {
            Some(extent) => {
                self.section.truncate(extent.len);
                self.understand(extent)?;
                self.place = Place::Done;
                Ok(extent.len - before)
            }
            None if input.len() > most => Err(TRAILERS_TOO_BIG),
            None => Ok(input.len()),
        }
    }

    fn understand(&mut self, extent: Extent) -> Result<(), Refusal> {
        let section = Bytes::from(std::mem::take(&mut self.section));
        fields::each(&section, 0, extent.fields, |name, value| {
            if !is_forbidden(&name) {
                self.trailers.append(name, value);
            }
            Ok(())
        })
    }

    /// Whether the empty line at its end is read.
    pub(super) fn is_done(&self) -> bool {
        self.place == Place::Done
    }

    /// What is to come of the chunk that is being read.
    pub(super) fn raw_left(&self) -> u64 {
        if let Place::Data(left) = self.place { left } else { 0 }
    }

    /// So much of the chunk that is being read is dealt with.
    pub(super) fn advance(&mut self, bytes: u64) {
        if let Place::Data(left) = self.place {
            self.place = if bytes < left { Place::Data(left - bytes) } else { Place::CarriageReturn };
        }
    }

    /// The trailers, once.
    pub(super) fn take_trailers(&mut self) -> HeaderMap {
        std::mem::take(&mut self.trailers)
    }
}

/// Whether a trailer must not be this (RFC 9110 section 6.5.1): what frames, routes, authenticates or qualifies a request
/// was decided on by its head, and cannot be changed after it.
fn is_forbidden(name: &HeaderName) -> bool {
    use header::*;
    const FORBIDDEN: &[HeaderName] = &[
        AUTHORIZATION,
        CACHE_CONTROL,
        CONNECTION,
        CONTENT_ENCODING,
        CONTENT_LENGTH,
        CONTENT_RANGE,
        CONTENT_TYPE,
        COOKIE,
        DATE,
        EXPECT,
        FORWARDED,
        HOST,
        IF_MATCH,
        IF_MODIFIED_SINCE,
        IF_NONE_MATCH,
        IF_RANGE,
        IF_UNMODIFIED_SINCE,
        MAX_FORWARDS,
        ORIGIN,
        PRAGMA,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        RANGE,
        REFERER,
        SET_COOKIE,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
        VIA,
        WWW_AUTHENTICATE,
    ];
    let others = ["keep-alive", "proxy-connection", "content-disposition"];
    FORBIDDEN.contains(name) || others.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::fuzzing;
    use crate::proto::{BodyDecoder, Framing};

    #[test]
    fn chunks_are_written() {
        let mut out = Vec::new();
        put_chunk(&mut out, b"hello");
        put_chunk(&mut out, b"");
        put_chunk(&mut out, &[b'x'; 16]);
        out.extend_from_slice(LAST_CHUNK);
        assert_eq!(out, b"5\r\nhello\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
    }

    /// The body with the number of bytes that it took, or the refusal; `None` when it is not whole.
    fn read(input: &[u8]) -> Result<Option<(Vec<u8>, usize, HeaderMap)>, Refusal> {
        // Byte by byte, in two pieces wherever they are cut, and into no more room than for one byte. What is long is
        // cut in a few places only.
        if input.len() < 200 {
            for step in 0..input.len() {
                fuzzing::chunked(&[&[u8::try_from(step).unwrap(), 0], input].concat());
            }
        }
        let mut decoder = BodyDecoder::new(Framing::Chunked);
        let (mut body, mut at, mut room) = (Vec::new(), 0, vec![0; input.len()]);
        while at < input.len() && !decoder.is_done() {
            let progress = decoder.decode(&input[at..], &mut room)?;
            at += progress.consumed;
            body.extend_from_slice(&room[..progress.produced]);
        }
        Ok(decoder.is_done().then(|| (body, at, decoder.take_trailers())))
    }

    #[test]
    fn chunks_are_read() {
        for (input, wanted) in [
            (&b"0\r\n\r\n"[..], &b""[..]),
            (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
            (b"5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", b"hello world"),
            (b"00000000000000a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
            (b"0000000000000001\r\na\r\n0\r\n\r\n", b"a"),
            (b"1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n", b"abcdefghijklmnopqrstuvwxyz"),
            (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n"),
            (b"1;a\r\nx\r\n0;b=c\r\n\r\n", b"x"),
            (b"1 \t; a = b ;c;d=\"e;\\\"\\\\\t\xe9\" ;f\r\nx\r\n0\r\n\r\n", b"x"),
            (b"1;a=\"\"\r\nx\r\n0\r\n\r\n", b"x"),
        ] {
            let (body, took, trailers) = read(input).unwrap().expect("it is whole");
            assert_eq!((body.as_slice(), took, trailers.len()), (wanted, input.len(), 0), "{}", input.escape_ascii());
            // What follows is the next request's.
            let more = [input, b"GET / HTTP/1.1\r\n"].concat();
            assert_eq!(read(&more).unwrap().expect("it is whole").1, input.len());
            for end in 0..input.len() {
                assert_eq!(read(&input[..end]), Ok(None), "{}", input[..end].escape_ascii());
            }
        }
    }

    #[test]
    fn chunks_that_are_refused() {
        for input in [
            &b"\r\n"[..],
            b"\n",
            b" 1",
            b"\t1",
            b"+1",
            b"-1",
            b"0x1",
            b"x",
            b"g",
            b";a",
            b"1g",
            b"1_0",
            b"1,",
            b"00000000000000000",
            b"10000000000000000",
            b"FFFFFFFFFFFFFFFFF",
            b"1\n",
            b"1\r\r",
            b"1\ra",
            b"1 \r",
            b"1 a",
            b"1;\r",
            b"1; \r",
            b"1;a \r",
            b"1;a\n",
            b"1;a\r\r",
            b"1;a\0",
            b"1;a=\r",
            b"1;a=b \r",
            b"1;a=b=c",
            b"1;a b",
            b"1;a=b c",
            b"1;=b",
            b"1;;",
            b"1;a=\"b\r",
            b"1;a=\"b\n",
            b"1;a=\"\\\r",
            b"1;a=\"\x01",
            b"1;a=\"\x7f",
            b"1;a=\"\"b",
            b"1;a=\"\"=",
            b"1;\"a\"",
            b"1;\xe9",
            b"1\r\nab",
            b"1\r\na\n",
            b"1\r\na\rb",
            b"1\r\na0\r\n\r\n",
            b"2\r\na\r\n0\r\n\r\n",
            b"0\r\n\n",
            b"0\r\n\r\r",
            b"0\r\n x: y",
            b"0\r\nx: y\r\n z",
            b"0\r\nx: y\n",
            b"0\r\nx: y\rz",
            b"0\r\nx : y\r\n\r\n",
            b"0\r\n: y\r\n\r\n",
            b"0\r\nx\r\n\r\n",
            b"0\r\nx: \0\r\n\r\n",
        ] {
            let refusal = read(input).expect_err("it is refused");
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn extensions_and_trailers_have_an_end() {
        let extended = |count: usize| [&b"1;"[..], &vec![b'a'; count - 1], b"\r\nx\r\n0\r\n\r\n"].concat();
        assert!(read(&extended(16 * 1024)).unwrap().is_some());
        assert_eq!(read(&extended(16 * 1024 + 1)).unwrap_err().status, StatusCode::BAD_REQUEST);
        // All of them together.
        let many = b"1;abcdefg\r\nx\r\n".repeat(2049);
        assert_eq!(read(&many).unwrap_err().status, StatusCode::BAD_REQUEST);
        assert_eq!(read(&many[..2048 * 14]), Ok(None));

        let trailed = |count: usize| [&b"0\r\n"[..], &b"a: b\r\n".repeat(count), b"\r\n"].concat();
        assert_eq!(read(&trailed(64)).unwrap().expect("it is whole").2.len(), 64);
        assert_eq!(read(&trailed(65)).unwrap_err().status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        let long = |size: usize| [&b"0\r\na: "[..], &vec![b'b'; size - 7], b"\r\n\r\n"].concat();
        assert_eq!(read(&long(16 * 1024)).unwrap().expect("it is whole").2["a"].len(), 16 * 1024 - 7);
        assert_eq!(read(&long(16 * 1024 + 1)).unwrap_err().status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }

    #[test]
    fn trailers_do_not_change_what_was_decided() {
        let input =
            b"0\r\nX-Sum: 1\r\nHost: b\r\ncontent-length: 7\r\nTransfer-Encoding: chunked\r\nCONNECTION: close\r\n\
            Authorization: x\r\nCookie: a=b\r\nX-Forwarded-For: 1.2.3.4\r\nX-Sum: 2\r\nExpect: 100-continue\r\n\r\n";
        let (_, _, trailers) = read(input).unwrap().expect("it is whole");
        let trailers: Vec<_> = trailers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(trailers, [("x-sum", &b"1"[..]), ("x-sum", b"2")]);
    }
}
