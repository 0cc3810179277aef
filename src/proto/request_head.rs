//! A request's head (RFC 9112 sections 2, 3, 5, 6 and 9).

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRANSFER_ENCODING};
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
    fields::each(&head.slice(line.len..), section.fields, |name, value| {
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
    let expects = told.expect && new;
    if expects && !headers.get_all(EXPECT).iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Err(EXPECTATION);
    }
    let expects_continue = expects && framing != Framing::Empty;
    let wants_trailers =
        told.te && fields::list(headers.get_all(TE)).any(|token| token.eq_ignore_ascii_case(b"trailers"));
    Ok(RequestHead { method, uri, version, headers, framing, keep_alive, expects_continue, wants_trailers, len })
}

fn keeps_alive(headers: &HeaderMap, by_default: bool) -> bool {
    let asks =
        |wanted: &[u8]| fields::list(headers.get_all(CONNECTION)).any(|token| token.eq_ignore_ascii_case(wanted));
    !asks(b"close") && (by_default || asks(b"keep-alive"))
}

#[cfg(test)]
#[path = "request_head_tests.rs"]
mod tests;
