//! What tiny_http has parsed, checked and turned into our words.

use std::net::SocketAddr;

use ::tiny_http as tiny;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};

use super::lease::Rest;
use crate::body::Body;
use crate::error::HttpError;
use crate::proto::Framing;
use crate::request::Request;
use crate::server::Limits;

/// Bodies up to this are read whole by tiny_http before it hands out the request.
const READ_AHEAD: u64 = 1024;

/// `HeaderMap` panics at some 24,000.
const MOST_HEADERS: usize = 20_000;
/// What `http::Uri` takes.
const LONGEST_TARGET: usize = 65_534;

/// A request's head, and what tiny_http does with the bytes behind it.
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) place: Place,
}

/// Where tiny_http has the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// There is none.
    Nowhere,
    /// In memory.
    Memory(u64),
    /// On the socket.
    Socket(Rest),
}

/// What the answer has to know of the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) version: Version,
    pub(super) head_only: bool,
    /// The client sends nothing after this request, and the connection ends with the answer.
    pub(super) last: bool,
    /// tiny_http gives the bytes behind the head on to the next request only when the body's reader is dropped, and
    /// what is left of the body then is allocated (sized) or misread (chunked). Otherwise dropping it is harmless.
    pub(super) reader_matters: bool,
}

impl Terms {
    /// As tiny_http's `client.rs` and `request.rs` decide them, by the first header of each name.
    pub(super) fn of(request: &tiny::Request) -> Terms {
        let connection = first(request, "connection").unwrap_or("").to_ascii_lowercase();
        let old = *request.http_version() < (1, 1);
        let upgrade = connection.contains("upgrade");
        let last = connection.contains("close") || upgrade || (old && !connection.contains("keep-alive"));
        let long = request.body_length().is_some_and(|length| length as u64 > READ_AHEAD);
        let expects = first(request, "expect").is_some() && request.body_length().is_some_and(|length| length > 0);
        let chunked = first(request, "transfer-encoding").is_some();
        Terms {
            version: if old { Version::HTTP_10 } else { Version::HTTP_11 },
            head_only: *request.method() == tiny::Method::Head,
            last,
            reader_matters: !upgrade && (long || expects || chunked),
        }
    }
}

fn first<'r>(request: &'r tiny::Request, name: &'static str) -> Option<&'r str> {
    request.headers().iter().find(|h| h.field.equiv(name)).map(|h| h.value.as_str())
}

/// Reads the head, or says what is wrong with it. tiny_http is lenient where leniency lets one request hide in
/// another (RFC 9112 sections 6.3 and 11.2), so what it lets through is looked at again.
pub(super) fn read(request: &tiny::Request, terms: Terms, limits: &Limits) -> Result<Head, HttpError> {
    if request.url().len() > limits.target.min(LONGEST_TARGET) {
        return Err(HttpError::new(414));
    }
    let fields = request.headers();
    let first_line = request.method().as_str().len() + request.url().len() + " HTTP/1.1\r\n".len() + 1;
    let lines: usize = fields.iter().map(|h| h.field.as_str().as_str().len() + h.value.as_str().len() + 4).sum();
    if fields.len() > limits.headers.min(MOST_HEADERS) || first_line + lines + 2 > limits.head {
        return Err(HttpError::new(431));
    }
    parse(request, terms)
        .map_err(|what| HttpError::new(400).with_description(format!("The request is malformed: {what}.")))
}

fn parse(request: &tiny::Request, terms: Terms) -> Result<Head, &'static str> {
    let method = method(request.method())?;
    let uri = Uri::try_from(request.url()).map_err(|_| "the request target is not a URI")?;
    if uri.scheme().is_none() && uri.authority().is_some() && method != Method::CONNECT {
        return Err("the request target is not a path");
    }
    let mut headers = HeaderMap::with_capacity(request.headers().len());
    for header in request.headers() {
        let name =
            HeaderName::from_bytes(header.field.as_str().as_bytes()).map_err(|_| "a header's name is malformed")?;
        let value = HeaderValue::from_bytes(header.value.as_bytes()).map_err(|_| "a header's value is malformed")?;
        headers.append(name, value);
    }
    if terms.version == Version::HTTP_11 && headers.get_all(HOST).iter().count() != 1 {
        return Err("there is not exactly one Host");
    }
    let framing = Framing::of(&headers, terms.version).map_err(|refusal| refusal.why)?;
    let place = place(framing, terms)?;
    Ok(Head { method, uri, headers, place })
}

pub(super) fn method(method: &tiny::Method) -> Result<Method, &'static str> {
    Ok(match method {
        tiny::Method::Get => Method::GET,
        tiny::Method::Head => Method::HEAD,
        tiny::Method::Post => Method::POST,
        tiny::Method::Put => Method::PUT,
        tiny::Method::Delete => Method::DELETE,
        tiny::Method::Connect => Method::CONNECT,
        tiny::Method::Options => Method::OPTIONS,
        tiny::Method::Trace => Method::TRACE,
        tiny::Method::Patch => Method::PATCH,
        tiny::Method::NonStandard(name) => {
            Method::from_bytes(name.as_bytes()).map_err(|_| "the method is not a token")?
        }
    })
}

fn place(framing: Framing, terms: Terms) -> Result<Place, &'static str> {
    match framing {
        Framing::Empty => Ok(Place::Nowhere),
        Framing::Chunked if !terms.reader_matters => Err("a chunked body cannot come with an upgrade"),
        Framing::Chunked => Ok(Place::Socket(Rest::Chunks)),
        // A number that does not fit is no number to tiny_http, which then sees no body at all.
        Framing::Sized(length) if usize::try_from(length).is_err() => Err("the Content-Length is beyond all bounds"),
        Framing::Sized(length) if terms.reader_matters || length > READ_AHEAD => Ok(Place::Socket(Rest::Sized(length))),
        // With an upgrade the bytes are on the socket, but they are so few that waiting for them is no harm.
        Framing::Sized(length) => Ok(Place::Memory(length)),
    }
}

impl Head {
    /// The request with this body.
    pub(super) fn into_request(self, addr: Option<SocketAddr>, terms: Terms, body: Body) -> Request {
        let mut request = http::Request::new(body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.version_mut() = terms.version;
        *request.headers_mut() = self.headers;
        let request = Request::from(request);
        match addr {
            Some(addr) => request.with_remote_addr(addr),
            None => request,
        }
    }
}
