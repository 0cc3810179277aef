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
        fields::each(&section, extent.fields, |name, value| {
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

    #[test]
    fn chunks_are_written() {
        let mut out = Vec::new();
        put_chunk(&mut out, b"hello");
        put_chunk(&mut out, b"");
        put_chunk(&mut out, &[b'x'; 16]);
        out.extend_from_slice(LAST_CHUNK);
        assert_eq!(out, b"5\r\nhello\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
    }
}
