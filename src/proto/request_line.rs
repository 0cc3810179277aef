//! The first line of a request (RFC 9112 section 3).

use bytes::Bytes;
use http::{Method, StatusCode, Uri, Version};
use std::ops::Range;

use super::fields::is_token;
use super::host::is_host;
use super::refusal::Refusal;

const LONGEST_METHOD: usize = 32;
/// What a [`Uri`] can hold.
const LONGEST_URI: usize = u16::MAX as usize - 1;
const NO_METHOD: Refusal = Refusal::bad("it does not begin with a method");
const METHOD: Refusal = Refusal::bad("the method is too long");
const TARGET: Refusal = Refusal::bad("the target is not one that a request can have");
const TARGET_TOO_LONG: Refusal = Refusal::with(StatusCode::URI_TOO_LONG, "the target is too long");
const VERSION: Refusal = Refusal::bad("the request line does not end in a version of HTTP");
const FOREIGN: Refusal = Refusal::with(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "it is not of HTTP/1");
const TUNNEL: Refusal = Refusal::with(StatusCode::NOT_IMPLEMENTED, "there are no tunnels here");

/// A request line that is whole, and right as far as can be told without allocating.
#[derive(Debug)]
pub(super) struct RequestLine {
    pub(super) method: Method,
    pub(super) version: Version,
    /// Where the target is in the input.
    pub(super) target: Range<usize>,
    /// Where the host and port are that an absolute target names.
    pub(super) authority: Option<Range<usize>>,
    /// Its bytes, CRLF included.
    pub(super) len: usize,
}

impl RequestLine {
    /// Reads the line that `input` begins with; `None` when it is not whole yet.
    ///
    /// It goes from left to right and stops at the first byte that cannot be there, so what is wrong with the beginning
    /// of a line is wrong with the line, in the same way. What must be seen whole comes when the line has ended.
    pub(super) fn parse(input: &[u8], longest_target: usize) -> Result<Option<RequestLine>, Refusal> {
        let Some(space) = input.iter().position(|byte| !is_token(*byte)) else {
            return if input.len() > LONGEST_METHOD { Err(METHOD) } else { Ok(None) };
        };
        if space > LONGEST_METHOD {
            return Err(METHOD);
        }
        if space == 0 || input[space] != b' ' {
            return Err(NO_METHOD);
        }
        let start = space + 1;
        let rest = &input[start..];
        let length = rest.iter().position(|byte| matches!(byte, 0..=b' ' | b'#' | 0x7f));
        if length.unwrap_or(rest.len()) > longest_target.min(LONGEST_URI) {
            return Err(TARGET_TOO_LONG);
        }
        let Some(length) = length else { return Ok(None) };
        match rest[length] {
            b'\r' | b'\n' => return Err(VERSION),
            b' ' if length > 0 => {}
            _ => return Err(TARGET),
        }
        let target = start..start + length;
        let Some((version, tail)) = version(&input[target.end + 1..])? else { return Ok(None) };
        let version = version.ok_or(FOREIGN)?;
        let method = Method::from_bytes(&input[..space]).map_err(|_| NO_METHOD)?;
        if method == Method::CONNECT {
            return Err(TUNNEL);
        }
        let authority = authority(&method, &input[target.clone()])?;
        let authority = authority.map(|range| start + range.start..start + range.end);
        Ok(Some(RequestLine { method, version, authority, len: target.end + 1 + tail, target }))
    }

    /// The target, of its own bytes.
    pub(super) fn uri(target: Bytes) -> Result<Uri, Refusal> {
        Uri::from_maybe_shared(target).map_err(|_| TARGET)
    }
}

/// What stands behind the target, CRLF included, and how long that is; `None` for the version when it is of another
/// major one.
fn version(input: &[u8]) -> Result<Option<(Option<Version>, usize)>, Refusal> {
    // The common case, at one comparison.
    if input.starts_with(b"HTTP/1.1\r\n") {
        return Ok(Some((Some(Version::HTTP_11), 10)));
    }
    let form = b"HTTP/d.d\r\n";
    let fits = form.iter().zip(input).all(|(form, byte)| match form {
        b'd' => byte.is_ascii_digit(),
        _ => form == byte,
    });
    if !fits {
        return Err(VERSION);
    }
    let Some(&[_, _, _, _, _, major, _, minor, ..]) = input.first_chunk::<10>() else { return Ok(None) };
    let version = match (major, minor) {
        (b'1', b'0') => Some(Version::HTTP_10),
        // A minor version that we do not know is the highest one that we do (RFC 9110 section 2.5).
        (b'1', _) => Some(Version::HTTP_11),
        _ => None,
    };
    Ok(Some((version, form.len())))
}

/// Checks the form of a target, and finds the authority of an absolute one.
fn authority(method: &Method, target: &[u8]) -> Result<Option<Range<usize>>, Refusal> {
    if target[0] == b'/' {
        return Ok(None);
    }
    if target == b"*" {
        return if method == Method::OPTIONS { Ok(None) } else { Err(TARGET) };
    }
    let start = [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        .ok_or(TARGET)?
        .len();
    let rest = &target[start..];
    let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    if is_host(&rest[..length]) { Ok(Some(start..start + length)) } else { Err(TARGET) }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Line<'a> = (String, &'a [u8], Version);

    /// What the line says, or the status of its refusal.
    fn read(line: &[u8]) -> Result<Option<Line<'_>>, u16> {
        let parsed = RequestLine::parse(line, 20).map_err(|refusal| refusal.status.as_u16())?;
        let Some(parsed) = parsed else { return Ok(None) };
        let target = &line[parsed.target.clone()];
        if RequestLine::uri(Bytes::copy_from_slice(target)).is_err() {
            return Err(400);
        }
        assert_eq!(parsed.len, line.len());
        Ok(Some((parsed.method.to_string(), target, parsed.version)))
    }

    #[test]
    fn lines_that_are_right() {
        for (line, method, target, version) in [
            (&b"GET / HTTP/1.1\r\n"[..], "GET", &b"/"[..], Version::HTTP_11),
            (b"get / HTTP/1.0\r\n", "get", b"/", Version::HTTP_10),
            (b"GET /a/b?c=d&e HTTP/1.1\r\n", "GET", b"/a/b?c=d&e", Version::HTTP_11),
            (b"GET //x HTTP/1.1\r\n", "GET", b"//x", Version::HTTP_11),
            (b"GET /?a?b HTTP/1.2\r\n", "GET", b"/?a?b", Version::HTTP_11),
            (b"GET / HTTP/1.9\r\n", "GET", b"/", Version::HTTP_11),
            (b"GET /%00%zz HTTP/1.1\r\n", "GET", b"/%00%zz", Version::HTTP_11),
            (b"OPTIONS * HTTP/1.1\r\n", "OPTIONS", b"*", Version::HTTP_11),
            (b"!#$%&'*+-.^_`|~09Az / HTTP/1.1\r\n", "!#$%&'*+-.^_`|~09Az", b"/", Version::HTTP_11),
            (
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n",
                "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF",
                b"/",
                Version::HTTP_11,
            ),
            (b"GET http://a/b HTTP/1.1\r\n", "GET", b"http://a/b", Version::HTTP_11),
            (b"GET HTTPS://[::1]:8?x HTTP/1.1\r\n", "GET", b"HTTPS://[::1]:8?x", Version::HTTP_11),
            (b"GET http://a HTTP/1.1\r\n", "GET", b"http://a", Version::HTTP_11),
            (b"GET /23456789012345678 HTTP/1.1\r\n", "GET", b"/23456789012345678", Version::HTTP_11),
        ] {
            assert_eq!(read(line), Ok(Some((method.to_owned(), target, version))), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn lines_that_are_refused() {
        for (status, line) in [
            // The method.
            (400, &b" GET / HTTP/1.1\r\n"[..]),
            (400, b"G\tT / HTTP/1.1\r\n"),
            (400, b"G(T / HTTP/1.1\r\n"),
            (400, b"G\xc3\xa9T / HTTP/1.1\r\n"),
            (400, b"\x16\x03\x01\x02\0"),
            (400, b"GET\r\n"),
            (400, b"GET\t/ HTTP/1.1\r\n"),
            (400, b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n"),
            (400, b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG"),
            (501, b"CONNECT a:443 HTTP/1.1\r\n"),
            (501, b"CONNECT / HTTP/1.1\r\n"),
            // The spaces.
            (400, b"GET  / HTTP/1.1\r\n"),
            (400, b"GET /  HTTP/1.1\r\n"),
            (400, b"GET / HTTP/1.1 \r\n"),
            (400, b"GET / x HTTP/1.1\r\n"),
            (400, b"GET /\tHTTP/1.1\r\n"),
            // The target.
            (400, b"GET a HTTP/1.1\r\n"),
            (400, b"GET * HTTP/1.1\r\n"),
            (400, b"OPTIONS ** HTTP/1.1\r\n"),
            (400, b"GET ?a HTTP/1.1\r\n"),
            (400, b"GET a:80 HTTP/1.1\r\n"),
            (400, b"GET ftp://a/ HTTP/1.1\r\n"),
            (400, b"GET http:/a HTTP/1.1\r\n"),
            (400, b"GET http:a HTTP/1.1\r\n"),
            (400, b"GET http:///a HTTP/1.1\r\n"),
            (400, b"GET http://?a HTTP/1.1\r\n"),
            (400, b"GET http:// HTTP/1.1\r\n"),
            (400, b"GET http://u@a/ HTTP/1.1\r\n"),
            (400, b"GET http://u:p@a/ HTTP/1.1\r\n"),
            (400, b"GET http://a:b/ HTTP/1.1\r\n"),
            (400, b"GET http://a,b/ HTTP/1.1\r\n"),
            (400, b"GET http://a\\b/ HTTP/1.1\r\n"),
            (400, b"GET /a#b HTTP/1.1\r\n"),
            (400, b"GET /a\x7f HTTP/1.1\r\n"),
            (400, b"GET /a\0 HTTP/1.1\r\n"),
            (400, b"GET /a\x1b HTTP/1.1\r\n"),
            (400, b"GET /\xff HTTP/1.1\r\n"),
            (400, b"GET /<> HTTP/1.1\r\n"),
            (414, b"GET /234567890123456789012 HTTP/1.1\r\n"),
            (414, b"GET /23456789012345678901"),
            // The version.
            (400, b"GET /\r\n"),
            (400, b"GET / \r\n"),
            (400, b"GET / http/1.1\r\n"),
            (400, b"GET / HTTP/1.10\r\n"),
            (400, b"GET / HTTP/11\r\n"),
            (400, b"GET / HTTP/1\r\n"),
            (400, b"GET / HTTP/1.\r\n"),
            (400, b"GET / HTTP/1.x\r\n"),
            (400, b"GET / HTTP/01.1\r\n"),
            (400, b"GET / HTTP/2.00\r\n"),
            (400, b"GET / HTTP/2\r\n"),
            (400, b"GET / HTTPS/1.1\r\n"),
            (400, b"GET / ICAP/1.0\r\n"),
            (505, b"GET / HTTP/2.0\r\n"),
            (505, b"PRI * HTTP/2.0\r\n"),
            (505, b"GET / HTTP/0.9\r\n"),
            (505, b"GET / HTTP/3.1\r\n"),
            // Its end.
            (400, b"GET / HTTP/1.1\n"),
            (400, b"GET / HTTP/1.1\rX"),
            (400, b"GET / HTTP/1.1\r\r\n"),
        ] {
            assert_eq!(read(line), Err(status), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_beginning_says_nothing_or_what_the_line_says() {
        let line = b"GET /a?b HTTP/1.1\r\n";
        for end in 0..line.len() {
            assert_eq!(read(&line[..end]), Ok(None), "{end}");
        }
        let line = b"GET / HTTP/1.1\n";
        for end in 0..line.len() {
            assert_eq!(read(&line[..end]), Ok(None), "{end}");
        }
    }
}
