//! Where a request's body ends (RFC 9112 section 6).

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Version};

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

impl Framing {
    /// Reads it off a request's headers, or says why they cannot be trusted. What two parties could read differently is
    /// refused, not guessed: that is how one request hides in another (sections 6.1, 6.3 and 11.2).
    pub(crate) fn of(headers: &HeaderMap, version: Version) -> Result<Framing, &'static str> {
        if let Some(encoding) = headers.get(TRANSFER_ENCODING) {
            if headers.contains_key(CONTENT_LENGTH) {
                return Err("there are both a Content-Length and a Transfer-Encoding");
            }
            if headers.get_all(TRANSFER_ENCODING).iter().count() > 1
                || !encoding.as_bytes().eq_ignore_ascii_case(b"chunked")
            {
                return Err("the Transfer-Encoding is not chunked");
            }
            if version != Version::HTTP_11 {
                return Err("a chunked body cannot come with HTTP/1.0");
            }
            return Ok(Framing::Chunked);
        }
        let mut length = None;
        for value in headers.get_all(CONTENT_LENGTH) {
            let digits = value.as_bytes();
            let number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            // The same number twice does no harm (section 6.3, rule 5).
            if !number || length.is_some_and(|first| first != digits) {
                return Err("the Content-Length is not a number");
            }
            length = Some(digits);
        }
        let Some(digits) = length else { return Ok(Framing::Empty) };
        // Digits are ASCII; what is too many of them is beyond what anybody can send.
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
        match number {
            Some(0) => Ok(Framing::Empty),
            Some(length) => Ok(Framing::Sized(length)),
            None => Err("the Content-Length is beyond all bounds"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(headers: &[(&'static str, &'static [u8])], version: Version) -> Result<Framing, &'static str> {
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
            &[("content-length", b"5 5")],
            &[("content-length", b"0x5")],
            &[("content-length", b"5"), ("content-length", b"6")],
            &[("content-length", b"18446744073709551616")],
            &[("content-length", b"99999999999999999999999999")],
            &[("transfer-encoding", b"identity")],
            &[("transfer-encoding", b"gzip, chunked")],
            &[("transfer-encoding", b"chunked, chunked")],
            &[("transfer-encoding", b"chunked"), ("transfer-encoding", b"chunked")],
            &[("transfer-encoding", b"xchunked")],
            &[("transfer-encoding", b"chunked"), ("content-length", b"5")],
        ] {
            assert!(of(headers, Version::HTTP_11).is_err(), "{headers:?}");
        }
        assert!(of(&[("transfer-encoding", b"chunked")], Version::HTTP_10).is_err());
    }
}
