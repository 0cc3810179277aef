//! The answer to a request: a status, headers and a body.

mod content_type;
mod cross_origin;
mod data;
mod headers;
mod location;
mod status;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};

#[cfg(feature = "static_files")]
pub(crate) use self::content_type::content_type_of;
pub use self::cross_origin::{CrossOriginEmbedderPolicy, CrossOriginOpenerPolicy, CrossOriginResourcePolicy};
pub use self::data::ResponseStream;
pub use self::headers::RetryAfter;
pub use self::status::{BadStatus, IntoStatus};
pub(crate) use self::status::{Reason, phrase};
use crate::body::Body;
use crate::cookie::Cookie;
use crate::upgrade::{OnUpgrade, Upgraded};

/// The answer to a request.
///
/// Handlers seldom make one: whatever is [`IntoResponse`](crate::IntoResponse) becomes one.
///
/// ```
/// use dewar::{Cookie, Response};
///
/// let mut response = Response::html("<h1>Hello</h1>").with_status(201).with_header("x-made-by", "hand");
/// response.set_cookie(Cookie::new("theme", "dark"));
/// assert_eq!(response.status(), 201);
/// assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
/// ```
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    extensions: Extensions,
    body: Body,
    /// Whether the body is JSON as serde_json wrote it, which an app with a JSON provider prints anew.
    plain_json: bool,
}

impl Response {
    /// 200 with this body and no `Content-Type`.
    pub fn new(body: impl Into<Body>) -> Response {
        Response {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            extensions: Extensions::new(),
            body: body.into(),
            plain_json: false,
        }
    }

    /// An empty answer with this status.
    ///
    /// # Panics
    /// As [`Response::set_status`].
    #[track_caller]
    pub fn empty(status: impl IntoStatus) -> Response {
        Response::new(()).with_status(status)
    }

    /// `text/html; charset=utf-8`, as whatever Flask's views return as text.
    pub fn html(body: impl Into<Body>) -> Response {
        const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
        Response::of_type(HTML, body)
    }

    /// `text/plain; charset=utf-8`.
    pub fn text(body: impl Into<Body>) -> Response {
        const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
        Response::of_type(TEXT, body)
    }

    /// A body of this type.
    pub fn typed(content_type: &'static str, body: impl Into<Body>) -> Response {
        Response::of_type(HeaderValue::from_static(content_type), body)
    }

    pub(crate) fn of_type(content_type: HeaderValue, body: impl Into<Body>) -> Response {
        let mut response = Response::new(body);
        response.headers.insert(CONTENT_TYPE, content_type);
        response
    }

    /// Sends the client to `location`, which is percent-encoded where it must be, and otherwise left as it is, relative
    /// ones too. See [`redirect`](crate::redirect) for the usual 302.
    #[track_caller]
    pub fn redirect(location: &str, status: impl IntoStatus) -> Response {
        let link = escape_html(location);
        let page = format!(
            "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be \
             redirected automatically to the target URL: <a href=\"{link}\">{link}</a>. If not, click the link.\n"
        );
        let mut response = Response::html(page).with_status(status);
        let value = HeaderValue::try_from(location::encode(location)).expect("it leaves visible ASCII only");
        response.headers.insert(LOCATION, value);
        response
    }

    /// Takes the connection over: the client gets 101 and the name of the protocol, and then `job` runs, on a thread of
    /// its own. Only the native engine can do that, and only for a request that asks for it with HTTP/1.1 and an
    /// `Upgrade`; otherwise the client gets 500 or 426.
    ///
    /// ```
    /// use dewar::Response;
    /// use std::io::{Read, Write};
    ///
    /// let shout = Response::switching_protocols("shout", |mut connection| {
    ///     let mut block = [0; 1024];
    ///     while let Ok(n @ 1..) = connection.read(&mut block) {
    ///         block[..n].make_ascii_uppercase();
    ///         let _ = connection.write_all(&block[..n]);
    ///     }
    /// });
    /// assert_eq!(shout.status(), 101);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, when the name cannot be a header's value.
    #[track_caller]
    pub fn switching_protocols(protocol: &str, job: impl FnOnce(Upgraded) + Send + 'static) -> Response {
        let mut response = Response::empty(StatusCode::SWITCHING_PROTOCOLS).with_header("upgrade", protocol);
        response.extensions.insert(OnUpgrade::new(job));
        response
    }

    /// Sends these fields behind the body: for what is known only then, such as a checksum. `make` is called when the body
    /// has been sent.
    ///
    /// They are sent by the native engine, to HTTP/1.1 clients that ask for them (`TE: trailers`), behind a body whose length
    /// is not known beforehand; others do not get them (RFC 9110 section 6.5.1). Fields that may be no trailers, such as
    /// `Content-Length`, are left out.
    ///
    /// ```
    /// use dewar::{Body, Response, http::HeaderMap};
    ///
    /// let mut response = Response::new(Body::blocks(["a", "b"]));
    /// response.set_trailers(|| HeaderMap::from_iter([("x-sum".parse().unwrap(), "195".parse().unwrap())]));
    /// ```
    pub fn set_trailers(&mut self, make: impl FnOnce() -> HeaderMap + Send + 'static) {
        self.extensions.insert(MakeTrailers(Arc::new(Mutex::new(Some(Box::new(make))))));
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Sets the status.
    ///
    /// # Panics
    /// At the caller's line, when it is a number outside of 100 to 999.
    #[track_caller]
    pub fn set_status(&mut self, status: impl IntoStatus) {
        self.status = status.into_status();
        self.extensions.remove::<Reason>();
    }

    /// The same with another status.
    #[track_caller]
    pub fn with_status(mut self, status: impl IntoStatus) -> Response {
        self.set_status(status);
        self
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers, to change.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// A header's first value, where it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Sets a header, in place of what it had.
    ///
    /// # Panics
    /// At the caller's line, when the name or the value cannot be a header: a line break in a value taken from a
    /// client would otherwise start a header of the client's choice. For values that are not your own, use
    /// [`headers_mut`](Response::headers_mut) with [`HeaderValue::try_from`] and answer its error.
    #[track_caller]
    pub fn set_header(&mut self, name: &str, value: &str) {
        let Ok(name) = HeaderName::try_from(name) else { panic!("{name:?} is not a header's name") };
        let Ok(header) = HeaderValue::try_from(value) else {
            panic!("the value {value:?} for the header {name} has a character that a header cannot carry");
        };
        self.headers.insert(name, header);
    }

    /// The same with a header set. Panics as [`Response::set_header`].
    #[track_caller]
    pub fn with_header(mut self, name: &str, value: &str) -> Response {
        self.set_header(name, value);
        self
    }

    /// Adds a `Set-Cookie`.
    pub fn set_cookie(&mut self, cookie: Cookie) {
        self.headers.append(SET_COOKIE, cookie.to_header());
    }

    /// The same with a cookie set.
    pub fn with_cookie(mut self, cookie: Cookie) -> Response {
        self.set_cookie(cookie);
        self
    }

    /// Tells the client to forget a cookie that was set for the path `/`.
    pub fn delete_cookie(&mut self, name: &str) {
        self.set_cookie(Cookie::removal(name));
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The body, to change or to read.
    pub fn body_mut(&mut self) -> &mut Body {
        self.plain_json = false;
        &mut self.body
    }

    /// Puts another body in place of the present one (Flask's `set_data`). The headers stay, but for the
    /// `Content-Length`, and so does what [`call_on_close`](Response::call_on_close) was given.
    pub fn set_body(&mut self, body: impl Into<Body>) {
        self.plain_json = false;
        self.headers.remove(CONTENT_LENGTH);
        self.body.replace(body.into());
    }

    /// The same again, where the body is bytes. What is to run on close stays with the first.
    pub(crate) fn twin(&self) -> Option<Response> {
        self.body.whole()?;
        Some(Response {
            status: self.status,
            headers: self.headers.clone(),
            extensions: self.extensions.clone(),
            body: self.body.share().into(),
            plain_json: self.plain_json,
        })
    }

    /// The body alone.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Runs `job` once the response has been sent, or was given up because the client went away.
    pub fn call_on_close(&mut self, job: impl FnOnce() + Send + 'static) {
        self.body.call_on_close(job);
    }

    /// Values that ride along, for middleware and engines; they are not sent.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Values that ride along, to change.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }
}

impl Default for Response {
    fn default() -> Self {
        Response::new(())
    }
}

impl<B: Into<Body>> From<http::Response<B>> for Response {
    fn from(response: http::Response<B>) -> Response {
        let (head, body) = response.into_parts();
        Response {
            status: head.status,
            headers: head.headers,
            extensions: head.extensions,
            body: body.into(),
            plain_json: false,
        }
    }
}

impl From<Response> for http::Response<Body> {
    fn from(response: Response) -> http::Response<Body> {
        let mut converted = http::Response::new(response.body);
        *converted.status_mut() = response.status;
        *converted.headers_mut() = response.headers;
        *converted.extensions_mut() = response.extensions;
        converted
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish()
    }
}

/// What makes the trailers: in the extensions, which can be cloned; whoever takes it first has it.
#[derive(Clone)]
pub(crate) struct MakeTrailers(Arc<Mutex<Option<TrailersJob>>>);

type TrailersJob = Box<dyn FnOnce() -> HeaderMap + Send>;

impl MakeTrailers {
    pub(crate) fn take(&self) -> Option<TrailersJob> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Escapes `& < > " '` for HTML text and quoted attributes.
///
/// ```
/// assert_eq!(dewar::escape_html("<b>&</b>"), "&lt;b&gt;&amp;&lt;/b&gt;");
/// ```
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
