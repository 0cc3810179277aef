//! A request's head (RFC 9112 sections 2, 3, 5, 6 and 9).

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};

use super::fields::{self, Extent, TOO_MANY};
use super::framing::Framing;
use super::host::is_host;
use super::refusal::Refusal;
use super::request_line::RequestLine;

/// Empty lines before a request that are overlooked: some clients send one after a body.
const EMPTY_LINES: usize = 4;

const TOO_BIG: Refusal = Refusal::with(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "its head is too big");
const EMPTY: Refusal = Refusal::bad("there are too many empty lines before it");
const NO_HOST: Refusal = Refusal::bad("there is no Host");
const HOSTS: Refusal = Refusal::bad("there is more than one Host");
const BAD_HOST: Refusal = Refusal::bad("the Host is not a host and a port");
const EXPECTATION: Refusal = Refusal::with(StatusCode::EXPECTATION_FAILED, "it expects what cannot be done");

/// How big a head may be.
#[derive(Debug, Clone)]
pub(crate) struct HeadLimits {
    /// All of it, the empty lines around it included.
    pub(crate) bytes: usize,
    /// How many headers there may be.
    pub(crate) headers: usize,
    /// The target, in bytes.
    pub(crate) target: usize,
}

/// What a request says before its body.
#[derive(Debug)]
pub(crate) struct RequestHead {
    /// Its method, as it was written.
    pub(crate) method: Method,
    /// Its target: a path, an absolute URI, or `*`.
    pub(crate) uri: Uri,
    /// HTTP/1.0 or HTTP/1.1.
    pub(crate) version: Version,
    /// Its headers. Where the target is absolute, Host is what that says (RFC 9112 section 3.2.2).
    pub(crate) headers: HeaderMap,
    /// Where its body ends.
    pub(crate) framing: Framing,
    /// Whether the client wants to go on with this connection.
    pub(crate) keep_alive: bool,
    /// Whether the client may wait for `100 Continue` before it sends the body.
    pub(crate) expects_continue: bool,
    /// Whether the client takes trailers.
    pub(crate) wants_trailers: bool,
    /// Whether the client itself asks for another protocol (RFC 9110 section 7.8): without the connection option, the
    /// field has come through somebody who does not know it, and would go on with HTTP.
    pub(crate) wants_upgrade: bool,
    /// How many bytes of the input the head took, empty lines before it included.
    pub(crate) len: usize,
}

/// Reads the head that `input` begins with. `Ok(None)`: not whole yet, and nothing wrong so far.
///
/// A refusal of a beginning is the refusal of every input that begins so.
pub(crate) fn parse_head(input: &[u8], limits: &HeadLimits) -> Result<Option<RequestHead>, Refusal> {
    let window = &input[..input.len().min(limits.bytes)];
    match parse_within(window, limits)? {
        None if input.len() > limits.bytes => Err(TOO_BIG),
        head => Ok(head),
    }
}

fn parse_within(input: &[u8], limits: &HeadLimits) -> Result<Option<RequestHead>, Refusal> {
    let Some(start) = skip_empty_lines(input)? else { return Ok(None) };
    let input = &input[start..];
    let Some(line) = RequestLine::parse(input, limits.target)? else { return Ok(None) };
    let section = fields::extent(&input[line.len..], limits.headers);
    let Ok(Some(section)) = section else {
        // What is wrong with the line was there before what is wrong with the headers.
        RequestLine::uri(Bytes::copy_from_slice(&input[line.target]))?;
        return section.map(|_| None);
    };
    let head = Bytes::copy_from_slice(&input[..line.len + section.len]);
    let uri = RequestLine::uri(head.slice(line.target.clone()))?;
    let len = start + head.len();
    understand(line, uri, &head, section, len).map(Some)
}

fn skip_empty_lines(input: &[u8]) -> Result<Option<usize>, Refusal> {
    let mut at = 0;
    loop {
        match fields::empty_line(&input[at..])? {
            None => return Ok(None),
            Some(false) => return Ok(Some(at)),
            Some(true) if at == 2 * EMPTY_LINES => return Err(EMPTY),
            Some(true) => at += 2,
        }
    }
}

/// The headers that say something about the connection, found while all of them are gathered.
#[derive(Default)]
struct Told {
    hosts: usize,
    framing: bool,
    connection: bool,
    expect: bool,
    te: bool,
}

fn understand(line: RequestLine, uri: Uri, head: &Bytes, section: Extent, len: usize) -> Result<RequestHead, Refusal> {
    let mut headers = HeaderMap::try_with_capacity(section.fields).map_err(|_| TOO_MANY)?;
    let mut told = Told::default();
    fields::each(head, line.len, section.fields, |name, value| {
        match &name {
            name if name == HOST => {
                if !is_host(value.as_bytes()) {
                    return Err(BAD_HOST);
                }
                told.hosts += 1;
            }
            name if name == CONTENT_LENGTH || name == TRANSFER_ENCODING => told.framing = true,
            name if name == CONNECTION => told.connection = true,
            name if name == EXPECT => told.expect = true,
            name if name == TE => told.te = true,
            _ => {}
        }
        headers.try_append(name, value).map(|_| ()).map_err(|_| TOO_MANY)
    })?;
    let RequestLine { method, version, .. } = line;
    let new = version == Version::HTTP_11;
    match told.hosts {
        0 if new => return Err(NO_HOST),
        0 | 1 => {}
        _ => return Err(HOSTS),
    }
    if let Some(authority) = line.authority {
        let host = HeaderValue::from_maybe_shared(head.slice(authority)).map_err(|_| BAD_HOST)?;
        headers.try_insert(HOST, host).map_err(|_| TOO_MANY)?;
    }
    let framing = if told.framing { Framing::of(&headers, version)? } else { Framing::Empty };
    let keep_alive = if told.connection { keeps_alive(&headers, new) } else { new };
    let wants_upgrade = new && told.connection && headers.contains_key(UPGRADE) && asks(&headers, b"upgrade");
    let expects = told.expect && new;
    if expects && !headers.get_all(EXPECT).iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Err(EXPECTATION);
    }
    let expects_continue = expects && framing != Framing::Empty;
    let wants_trailers =
        told.te && fields::list(headers.get_all(TE)).any(|token| token.eq_ignore_ascii_case(b"trailers"));
    Ok(RequestHead {
        method,
        uri,
        version,
        headers,
        framing,
        keep_alive,
        expects_continue,
        wants_trailers,
        wants_upgrade,
        len,
    })
}

/// Whether this is among the options of the connection.
fn asks(headers: &HeaderMap, wanted: &[u8]) -> bool {
    fields::list(headers.get_all(CONNECTION)).any(|token| token.eq_ignore_ascii_case(wanted))
}

fn keeps_alive(headers: &HeaderMap, by_default: bool) -> bool {
    !asks(headers, b"close") && (by_default || asks(headers, b"keep-alive"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::fuzzing;

    const LIMITS: HeadLimits = HeadLimits { bytes: 16 * 1024, headers: 100, target: 8 * 1024 };

    /// Parses a head, and all of its beginnings.
    fn parse(input: &[u8], limits: &HeadLimits) -> Result<RequestHead, u16> {
        let whole = parse_head(input, limits);
        for end in 0..input.len() {
            match parse_head(&input[..end], limits) {
                Ok(None) => {}
                Ok(Some(head)) => assert!(head.len == end && end == whole.as_ref().unwrap().as_ref().unwrap().len),
                Err(refusal) => assert_eq!(Some(&refusal), whole.as_ref().err(), "{end} of {}", input.escape_ascii()),
            }
        }
        fuzzing::head(&[&[3], input].concat());
        Ok(whole.map_err(|refusal| refusal.status.as_u16())?.expect("it is whole"))
    }

    fn with(version: &str, headers: &str) -> Result<RequestHead, u16> {
        parse(format!("POST /x {version}\r\n{headers}\r\n").as_bytes(), &LIMITS)
    }

    /// A head of HTTP/1.1 with these headers beside its Host.
    fn new(headers: &str) -> Result<RequestHead, u16> {
        with("HTTP/1.1", &format!("Host: a\r\n{headers}"))
    }

    #[test]
    fn a_head_is_read() {
        let input = b"GET /a?b=c HTTP/1.1\r\nHost:  a:80 \t\r\nX-Y:\r\nx-y: \xe9 \t z\r\nAccept:*/*\r\n\r\nrest";
        let head = parse_head(input, &LIMITS).unwrap().unwrap();
        assert_eq!((head.method, head.version, head.len), (Method::GET, Version::HTTP_11, input.len() - 4));
        assert_eq!((head.uri.path(), head.uri.query()), ("/a", Some("b=c")));
        assert_eq!((head.framing, head.keep_alive), (Framing::Empty, true));
        assert!(!head.expects_continue && !head.wants_trailers);
        let headers: Vec<_> = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(headers, [("host", &b"a:80"[..]), ("x-y", b""), ("x-y", b"\xe9 \t z"), ("accept", b"*/*")]);
    }

    #[test]
    fn empty_lines_before_it_are_overlooked() {
        for count in 0..=EMPTY_LINES {
            let input = "\r\n".repeat(count) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
            assert_eq!(parse(input.as_bytes(), &LIMITS).unwrap().len, input.len());
        }
        for input in [&b"\r\n\r\n\r\n\r\n\r\n"[..], b"\n", b"\r\n\n", b"\rG", b"\r\r\n", b"\r\n GET / HTTP/1.1\r\n"] {
            assert_eq!(parse(input, &LIMITS).unwrap_err(), 400, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn headers_that_are_refused() {
        for headers in [
            "X: a\r\n b\r\n",
            "X: a\r\n\tb\r\n",
            "X: a\r\n \r\n",
            " X: a\r\n",
            "X : a\r\n",
            "X\t: a\r\n",
            ": a\r\n",
            "X\r\n",
            "X a: b\r\n",
            "X(: b\r\n",
            "X\"Y: b\r\n",
            "\u{e9}: b\r\n",
            "X: a\0\r\n",
            "X: a\x01b\r\n",
            "X: a\x7f\r\n",
            "X: a\nY: b\r\n",
            "X: a\n\r\n",
            "X: a\rY: b\r\n",
            "X: a\r\r\n",
            "X: a\r\n\n",
            "\0: a\r\n",
        ] {
            assert_eq!(new(headers).unwrap_err(), 400, "{headers:?}");
        }
    }

    #[test]
    fn what_is_certain_is_said_at_once() {
        for (status, input) in [
            (400, &b"\x16"[..]),
            (400, b"GET / HTTP/1.2x"),
            (400, b"GET /<> HTTP/1.1\r\n"),
            (400, b"GET x HTTP/1.1\r\n"),
            (501, b"CONNECT a:1 HTTP/1.1\r\n"),
            (505, b"GET / HTTP/2.0\r\n"),
            (400, b"GET / HTTP/1.1\r\nHost: a\n"),
            (400, b"GET / HTTP/1.1\r\nHost: a\rb"),
            (400, b"GET / HTTP/1.1\r\nHost: a\r\n "),
            // The line first, whatever the headers.
            (400, b"GET /<> HTTP/1.1\r\nHost: a\n"),
        ] {
            assert_eq!(parse(input, &LIMITS).unwrap_err(), status, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let input = b"GET /23456 HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n";
        let exact = HeadLimits { bytes: input.len(), headers: 2, target: 6 };
        assert!(parse(input, &exact).is_ok());
        assert_eq!(parse(input, &HeadLimits { bytes: input.len() - 1, ..exact.clone() }).unwrap_err(), 431);
        assert_eq!(parse(input, &HeadLimits { headers: 1, ..exact.clone() }).unwrap_err(), 431);
        assert_eq!(parse(input, &HeadLimits { target: 5, ..exact.clone() }).unwrap_err(), 414);
        assert_eq!(parse(&[b'a'; 30], &HeadLimits { bytes: 20, ..exact.clone() }).unwrap_err(), 431);
        // What follows the head is not the head's.
        assert!(parse_head(&[&input[..], &[b'x'; 100]].concat(), &exact).unwrap().is_some());
        for count in [15, 16, 17, 63, 64, 65, 99] {
            let headers: String = (0..count).map(|i| format!("X-{i}: {i}\r\n")).collect();
            assert_eq!(new(&headers).unwrap().headers.len(), count + 1);
        }
        assert_eq!(new(&"X: y\r\n".repeat(100)).unwrap_err(), 431);
        // More than a Uri can hold, whatever is allowed.
        let endless = HeadLimits { bytes: 100_000, headers: 10, target: 100_000 };
        let input = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(70_000));
        assert_eq!(parse_head(input.as_bytes(), &endless).unwrap_err().status, StatusCode::URI_TOO_LONG);
    }

    #[test]
    fn there_is_one_host() {
        for (version, headers) in [
            ("HTTP/1.1", ""),
            ("HTTP/1.7", "X-Host: a\r\n"),
            ("HTTP/1.1", "Host: a\r\nHost: a\r\n"),
            ("HTTP/1.1", "Host: a\r\nhost: b\r\n"),
            ("HTTP/1.0", "Host: a\r\nHost: a\r\n"),
            ("HTTP/1.1", "Host:\r\n"),
            ("HTTP/1.0", "Host: \r\n"),
            ("HTTP/1.1", "Host: a b\r\n"),
            ("HTTP/1.1", "Host: a, b\r\n"),
            ("HTTP/1.1", "Host: u@a\r\n"),
            ("HTTP/1.1", "Host: a:65536\r\n"),
            ("HTTP/1.0", "Host: http://a\r\n"),
        ] {
            assert_eq!(with(version, headers).unwrap_err(), 400, "{version} {headers:?}");
        }
        assert!(with("HTTP/1.0", "").is_ok());
        assert!(with("HTTP/1.0", "Host: [::1]:80\r\n").is_ok());
    }

    #[test]
    fn an_absolute_target_says_the_host() {
        let head = parse(b"GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n", &LIMITS).unwrap();
        assert_eq!(
            (head.uri.path(), head.uri.query(), &head.headers[HOST]),
            ("/x", Some("y"), &HeaderValue::from_static("b:81"))
        );
        assert_eq!(head.headers.get_all(HOST).iter().count(), 1);
        let head = parse(b"GET http://b HTTP/1.0\r\n\r\n", &LIMITS).unwrap();
        assert_eq!((head.uri.path(), &head.headers[HOST]), ("/", &HeaderValue::from_static("b")));
        assert_eq!(parse(b"GET http://b/x HTTP/1.1\r\n\r\n", &LIMITS).unwrap_err(), 400);
        assert_eq!(parse(b"GET http://b/x HTTP/1.1\r\nHost: a,b\r\n\r\n", &LIMITS).unwrap_err(), 400);
    }

    #[test]
    fn the_body_is_framed() {
        for (headers, framing) in [
            ("", Framing::Empty),
            ("Content-Length: 0\r\n", Framing::Empty),
            ("Content-Length: \t7 \r\n", Framing::Sized(7)),
            ("Content-Length: 7\r\nContent-Length: 7\r\n", Framing::Sized(7)),
            ("Transfer-Encoding: CHUNKED\r\n", Framing::Chunked),
        ] {
            assert_eq!(new(headers).unwrap().framing, framing, "{headers:?}");
        }
        for (status, headers) in [
            (400, "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n"),
            (400, "Content-Length: 7, 7\r\n"),
            (400, "Content-Length:\r\n"),
            (400, "Transfer-Encoding:\r\n"),
            (400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            (501, "Transfer-Encoding: gzip, chunked\r\n"),
        ] {
            assert_eq!(new(headers).unwrap_err(), status, "{headers:?}");
        }
        assert_eq!(with("HTTP/1.0", "Transfer-Encoding: chunked\r\n").unwrap_err(), 400);
        assert_eq!(with("HTTP/1.0", "Transfer-Encoding: gzip, chunked\r\n").unwrap_err(), 400);
    }

    #[test]
    fn connections_are_kept_as_asked() {
        for (version, headers, keep) in [
            ("HTTP/1.1", "", true),
            ("HTTP/1.1", "Connection: close\r\n", false),
            ("HTTP/1.1", "Connection: foo, CLOSE\r\n", false),
            ("HTTP/1.1", "Connection: foo\r\nConnection: ,close\t, bar\r\n", false),
            ("HTTP/1.1", "Connection: closed, not-close\r\n", true),
            ("HTTP/1.1", "Connection: keep-alive, close\r\n", false),
            ("HTTP/1.1", "Connection:\r\n", true),
            ("HTTP/1.3", "Connection: upgrade\r\n", true),
            ("HTTP/1.0", "", false),
            ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
            ("HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n", false),
            ("HTTP/1.0", "Keep-Alive: timeout=5\r\n", false),
        ] {
            let head = with(version, &format!("Host: a\r\n{headers}")).unwrap();
            assert_eq!(head.keep_alive, keep, "{version} {headers:?}");
        }
    }

    #[test]
    fn expectations() {
        let body = "Content-Length: 1\r\n";
        assert!(new(&format!("{body}Expect: 100-Continue\r\n")).unwrap().expects_continue);
        assert!(new("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n").unwrap().expects_continue);
        assert!(!new("Expect: 100-continue\r\n").unwrap().expects_continue);
        assert!(!new("Expect: 100-continue\r\nContent-Length: 0\r\n").unwrap().expects_continue);
        assert!(!with("HTTP/1.0", &format!("{body}Expect: 100-continue\r\n")).unwrap().expects_continue);
        assert!(!with("HTTP/1.0", &format!("{body}Expect: wonders\r\n")).unwrap().expects_continue);
        for value in ["wonders", "100-continue, wonders", "100-continue;q=1", "", "100"] {
            assert_eq!(new(&format!("Expect: {value}\r\n")).unwrap_err(), 417, "{value}");
        }
        assert_eq!(new("Expect: 100-continue\r\nExpect: wonders\r\n").unwrap_err(), 417);
    }

    #[test]
    fn trailers_are_wanted_by_their_name() {
        for (value, wants) in
            [("trailers", true), ("gzip, Trailers", true), ("trailers;q=1", false), ("gzip", false), ("", false)]
        {
            assert_eq!(new(&format!("TE: {value}\r\n")).unwrap().wants_trailers, wants, "{value}");
        }
    }
}
