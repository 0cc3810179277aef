//! Where a request's body ends (RFC 9112 section 6).

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode, Version};

use super::fields;
use super::refusal::Refusal;

/// How the body of a request is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    Empty,
    /// So many bytes, at least one.
    Sized(u64),
    /// In chunks.
    Chunked,
}

const BOTH: Refusal = Refusal::bad("there are both a Content-Length and a Transfer-Encoding");
const NOT_CHUNKED: Refusal = Refusal::bad("the Transfer-Encoding is not chunked");
const OLD: Refusal = Refusal::bad("a chunked body cannot come with HTTP/1.0");
const CODED: Refusal = Refusal::with(StatusCode::NOT_IMPLEMENTED, "the Transfer-Encoding is more than chunked");
const LENGTH: Refusal = Refusal::bad("the Content-Length is not a number");
const BEYOND: Refusal = Refusal::bad("the Content-Length is beyond all bounds");

impl Framing {
    /// Reads it off a request's headers, or says why they cannot be trusted. What two parties could read differently is
    /// refused, not guessed: that is how one request hides in another (sections 6.1, 6.3 and 11.2).
    pub(crate) fn of(headers: &HeaderMap, version: Version) -> Result<Framing, Refusal> {
        let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
        if let Some(encoding) = encodings.next() {
            if headers.contains_key(CONTENT_LENGTH) {
                return Err(BOTH);
            }
            if version != Version::HTTP_11 {
                return Err(OLD);
            }
            if encodings.next().is_some() {
                return Err(NOT_CHUNKED);
            }
            if encoding.as_bytes().eq_ignore_ascii_case(b"chunked") {
                return Ok(Framing::Chunked);
            }
            return Err(if is_coded(encoding) { CODED } else { NOT_CHUNKED });
        }
        let mut length = None;
        for value in headers.get_all(CONTENT_LENGTH) {
            let digits = value.as_bytes();
            let number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            // The same number twice does no harm (section 6.3, rule 5).
            if !number || length.is_some_and(|first| first != digits) {
                return Err(LENGTH);
            }
            length = Some(digits);
        }
        let Some(digits) = length else { return Ok(Framing::Empty) };
        // Digits are ASCII; what is too many of them is beyond what anybody can send.
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
        match number {
            Some(0) => Ok(Framing::Empty),
            Some(length) => Ok(Framing::Sized(length)),
            None => Err(BEYOND),
        }
    }
}

/// Whether a Transfer-Encoding is well-formed, and has codings that we do not have: known ones, then `chunked`.
fn is_coded(encoding: &HeaderValue) -> bool {
    const KNOWN: [&[u8]; 7] = [b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress", b"br", b"zstd"];
    let codings: Vec<&[u8]> = fields::list([encoding]).collect();
    let Some((last, others)) = codings.split_last() else { return false };
    last.eq_ignore_ascii_case(b"chunked")
        && others.iter().all(|coding| KNOWN.iter().any(|known| coding.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &'static [u8])], version: Version) -> Result<Framing, Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        Framing::of(&map, version)
    }

    #[test]
    fn what_can_be_read_in_one_way_only() {
        use Framing::{Chunked, Empty, Sized};
        for (headers, framing) in [
            (&[][..], Empty),
            (&[("content-length", &b"0"[..])], Empty),
            (&[("content-length", b"7")], Sized(7)),
            (&[("content-length", b"007")], Sized(7)),
            (&[("content-length", b"7"), ("content-length", b"7")], Sized(7)),
            (&[("content-length", b"18446744073709551615")], Sized(u64::MAX)),
            (&[("transfer-encoding", b"chunked")], Chunked),
            (&[("transfer-encoding", b"Chunked")], Chunked),
        ] {
            assert_eq!(of(headers, Version::HTTP_11), Ok(framing), "{headers:?}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for headers in [
            &[("content-length", &b""[..])][..],
            &[("content-length", b"+5")],
            &[("content-length", b"-1")],
            &[("content-length", b"5, 5")],
            &[("content-length", b"5, 6")],
            &[("content-length", b"5 5")],
            &[("content-length", b"0x5")],
            &[("content-length", b"5.0")],
            &[("content-length", b"5"), ("content-length", b"6")],
            &[("content-length", b"5"), ("content-length", b"05")],
            &[("content-length", b"5"), ("content-length", b"")],
            &[("content-length", b"18446744073709551616")],
            &[("content-length", b"99999999999999999999999999")],
            &[("transfer-encoding", b"")],
            &[("transfer-encoding", b",")],
            &[("transfer-encoding", b"identity")],
            &[("transfer-encoding", b"gzip")],
            &[("transfer-encoding", b"chunked, gzip")],
            &[("transfer-encoding", b"chunked,")],
            &[("transfer-encoding", b", chunked")],
            &[("transfer-encoding", b"gzip,, chunked")],
            &[("transfer-encoding", b"identity, chunked")],
            &[("transfer-encoding", b"chunked, chunked")],
            &[("transfer-encoding", b"gzip, chunked, chunked")],
            &[("transfer-encoding", b"gzip;q=1, chunked")],
            &[("transfer-encoding", b"chunked;q=1")],
            &[("transfer-encoding", b"\"chunked\"")],
            &[("transfer-encoding", b"chunked"), ("transfer-encoding", b"chunked")],
            &[("transfer-encoding", b"gzip"), ("transfer-encoding", b"chunked")],
            &[("transfer-encoding", b"xchunked")],
            &[("transfer-encoding", b"chunked"), ("content-length", b"5")],
            &[("transfer-encoding", b"gzip, chunked"), ("content-length", b"5")],
        ] {
            let refusal = of(headers, Version::HTTP_11).expect_err("it is refused");
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{headers:?}");
        }
        assert!(of(&[("transfer-encoding", b"chunked")], Version::HTTP_10).is_err());
    }

    #[test]
    fn codings_that_are_not_ours() {
        for value in [
            "gzip, chunked",
            "GZIP ,\tChunked",
            "deflate,gzip,chunked",
            "br, zstd, compress, x-gzip, x-compress, chunked",
        ] {
            let refusal = of(&[("transfer-encoding", value.as_bytes())], Version::HTTP_11).expect_err("it is refused");
            assert_eq!(refusal.status, StatusCode::NOT_IMPLEMENTED, "{value}");
        }
    }
}
