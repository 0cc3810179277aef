//! A request: its head, who sent it, and the lease on its body.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};

use crate::body::Body;
use crate::cookie::parse_cookies;
use crate::error::HttpError;
use crate::form::{FormData, FormLimits};
use crate::multidict::MultiDict;

/// A request.
///
/// It is a handle: cloning it costs a count, and all clones share what was read of the body and parsed. It owns all it
/// has (`Send + 'static`), so it may go into threads and closures.
///
/// ```
/// use dewar::Request;
///
/// let request = Request::get("/search?q=dewar&page=2").with_header("accept-language", "en");
/// assert_eq!(request.path(), "/search");
/// assert_eq!(request.args().get("q"), Some("dewar"));
/// assert_eq!(request.args().get_as::<u32>("page"), Some(2));
/// assert_eq!(request.header("Accept-Language"), Some("en"));
/// ```
#[derive(Clone)]
pub struct Request(Arc<Inner>);

struct Inner {
    head: Parts,
    remote_addr: Option<SocketAddr>,
    secure: bool,
    body: Mutex<Body>,
    trailers: Option<Arc<OnceLock<HeaderMap>>>,
    // What was parsed, once.
    data: OnceLock<Result<Bytes, Unread>>,
    args: OnceLock<MultiDict>,
    form: OnceLock<Result<FormData, Unread>>,
    form_limits: OnceLock<FormLimits>,
}

impl Request {
    /// A request made by hand: for tests and middleware.
    pub fn new(method: Method, uri: Uri, body: impl Into<Body>) -> Request {
        let mut request = http::Request::new(body.into());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        request.into()
    }

    /// GET this path, for tests.
    ///
    /// # Panics
    /// At the caller's line, when it is not a URI.
    #[track_caller]
    pub fn get(uri: &str) -> Request {
        Request::new(Method::GET, parse_uri(uri), ())
    }

    /// POST this body to this path, for tests.
    ///
    /// # Panics
    /// At the caller's line, when it is not a URI.
    #[track_caller]
    pub fn post(uri: &str, body: impl Into<Body>) -> Request {
        Request::new(Method::POST, parse_uri(uri), body)
    }

    /// The same with a header set.
    ///
    /// # Panics
    /// At the caller's line, when name or value cannot be a header.
    #[track_caller]
    pub fn with_header(mut self, name: &str, value: &str) -> Request {
        let Ok(name) = http::HeaderName::try_from(name) else { panic!("{name:?} is not a header's name") };
        let Ok(value) = HeaderValue::try_from(value) else { panic!("{value:?} cannot be the header {name}") };
        self.head_mut().headers.insert(name, value);
        self
    }

    /// The same, from this client.
    pub fn with_remote_addr(mut self, addr: SocketAddr) -> Request {
        self.inner_mut().remote_addr = Some(addr);
        self
    }

    /// The same, as one that came over https or not.
    pub fn with_secure(mut self, secure: bool) -> Request {
        self.inner_mut().secure = secure;
        self
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.0.head.method
    }

    /// The request target.
    pub fn uri(&self) -> &Uri {
        &self.0.head.uri
    }

    /// The path, as it was sent: percent-encoded. Rules are matched against the decoded one.
    pub fn path(&self) -> &str {
        self.0.head.uri.path()
    }

    /// The path decoded, as rules see it.
    ///
    /// # Errors
    /// 400 when an escape is not two hexadecimal digits, or what they make is not UTF-8.
    pub fn decoded_path(&self) -> Result<Cow<'_, str>, HttpError> {
        let path = self.path();
        if !path.as_bytes().contains(&b'%') {
            return Ok(Cow::Borrowed(path));
        }
        check_escapes(path, "path")?;
        percent_encoding::percent_decode_str(path).decode_utf8().map_err(|_| bad_escapes("path"))
    }

    /// The query string, without its `?`; empty when there is none.
    pub fn query_string(&self) -> &str {
        self.0.head.uri.query().unwrap_or("")
    }

    /// Path and query, always with a `?` (Flask's `full_path`).
    pub fn full_path(&self) -> String {
        format!("{}?{}", self.path(), self.query_string())
    }

    /// The query string's arguments. Bad escapes are read as Flask does, leniently: see [`Query`](crate::Query) for
    /// typed ones, which answers 400.
    pub fn args(&self) -> &MultiDict {
        self.0.args.get_or_init(|| MultiDict::parse(self.query_string()))
    }

    /// The query string, once it is known to be percent-encoded UTF-8.
    pub(crate) fn checked_query(&self) -> Result<&str, HttpError> {
        let query = self.query_string();
        check_escapes(query, "query")?;
        let decoded = percent_encoding::percent_decode_str(query).decode_utf8();
        decoded.map(|_| query).map_err(|_| bad_escapes("query"))
    }

    /// The HTTP version.
    pub fn version(&self) -> Version {
        self.0.head.version
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.head.headers
    }

    /// A header's first value, where it is visible ASCII. Case does not count.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.head.headers.get(name)?.to_str().ok()
    }

    /// Values that middleware or the engine sent along.
    pub fn extensions(&self) -> &Extensions {
        &self.0.head.extensions
    }

    /// The head, to change: for middleware. The handle becomes one of its own where others share it; those keep the
    /// body.
    pub fn head_mut(&mut self) -> &mut Parts {
        &mut self.inner_mut().head
    }

    fn inner_mut(&mut self) -> &mut Inner {
        if Arc::get_mut(&mut self.0).is_none() {
            self.0 = Arc::new(Inner {
                head: self.0.head.clone(),
                remote_addr: self.0.remote_addr,
                secure: self.0.secure,
                body: Mutex::new(Body::empty()),
                trailers: self.0.trailers.clone(),
                data: self.0.data.clone(),
                args: OnceLock::new(),
                form: self.0.form.clone(),
                form_limits: self.0.form_limits.clone(),
            });
        }
        let inner = Arc::get_mut(&mut self.0).expect("it was made unique just above");
        inner.args = OnceLock::new(); // the target may change
        inner
    }

    /// The client's address, where the engine knows it. Behind a proxy it is the proxy's.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.remote_addr
    }

    /// Whether it came over https.
    pub fn is_secure(&self) -> bool {
        self.0.secure
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.0.secure { "https" } else { "http" }
    }

    /// The host it was sent to, with its port where that is not the scheme's own.
    pub fn host(&self) -> &str {
        let host = self.uri().authority().map(|a| a.as_str()).or_else(|| self.header("host")).unwrap_or("localhost");
        let usual = if self.0.secure { ":443" } else { ":80" };
        host.strip_suffix(usual).unwrap_or(host)
    }

    /// `http://host`, without a final slash.
    pub fn host_url(&self) -> String {
        format!("{}://{}", self.scheme(), self.host())
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        let target = self.uri().path_and_query().map_or("/", |t| t.as_str());
        format!("{}{target}", self.host_url())
    }

    /// A cookie's value; of several with one name the first.
    pub fn cookie(&self, name: &str) -> Option<String> {
        // Most requests of programs have none.
        if !self.headers().contains_key(http::header::COOKIE) {
            return None;
        }
        self.cookies().get(name).map(str::to_owned)
    }

    /// All cookies, in the order they came.
    pub fn cookies(&self) -> MultiDict {
        let headers = self.headers().get_all(http::header::COOKIE);
        let mut cookies = MultiDict::default();
        for header in headers {
            // A script's cookie may be raw UTF-8 or worse; the others in the header are good all the same.
            for (name, value) in parse_cookies(&String::from_utf8_lossy(header.as_bytes())) {
                cookies.push(name, value);
            }
        }
        cookies
    }

    /// The `Content-Type`.
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    /// The `Content-Type` in lower case and without its parameters; empty when there is none.
    pub fn mimetype(&self) -> String {
        let content_type = self.content_type().unwrap_or("");
        content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
    }

    /// Whether the body is said to be JSON: `application/json` or `application/…+json`.
    pub fn is_json(&self) -> bool {
        let mimetype = self.mimetype();
        mimetype == "application/json" || (mimetype.starts_with("application/") && mimetype.ends_with("+json"))
    }

    /// The number of bytes that the body is said to have.
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// The whole body, read once and kept.
    ///
    /// # Errors
    /// 413 when it is longer than allowed, 400 when the client went away before its end, each time that it is asked
    /// for. Empty when [`take_body`](Request::take_body) took it.
    pub fn data(&self) -> Result<Bytes, HttpError> {
        // The lock is held while reading, so that a second caller waits for the first one's bytes.
        let mut body = self.0.body.lock().unwrap_or_else(PoisonError::into_inner);
        let mut panic = None;
        let read = || {
            let body = std::mem::take(&mut *body);
            match catch_unwind(AssertUnwindSafe(|| body.into_bytes())) {
                Ok(read) => read.map_err(|error| HttpError::from(error).into()),
                Err(payload) => {
                    panic = Some(payload);
                    Err(HttpError::new(500).with_description("Reading the body panicked.").into())
                }
            }
        };
        let data = self.0.data.get_or_init(read).clone();
        drop(body);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
        data.map_err(HttpError::from)
    }

    /// The body as a stream, for whoever comes first; after that it is empty.
    ///
    /// It is a lease on the connection: void once the response is written.
    pub fn take_body(&self) -> Body {
        // The lock first: another thread may be reading at this moment, and what it reads is kept.
        let mut body = self.0.body.lock().unwrap_or_else(PoisonError::into_inner);
        match self.0.data.get() {
            Some(data) => data.clone().unwrap_or_default().into(),
            None => std::mem::take(&mut *body),
        }
    }

    /// The fields that came behind a body in chunks, once that has been read to its end; none before. Fields that may be
    /// no trailers, such as `Host`, are left out. From the native engine.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.0.trailers.as_ref()?.get().filter(|trailers| !trailers.is_empty())
    }

    /// A request as an engine has received it.
    pub(crate) fn received(received: Received, body: Body) -> Request {
        let Received { method, uri, version, headers, remote_addr, secure, trailers } = received;
        let (mut head, ()) = http::Request::new(()).into_parts();
        head.method = method;
        head.uri = uri;
        head.version = version;
        head.headers = headers;
        Request(Arc::new(Inner {
            head,
            remote_addr,
            secure,
            body: Mutex::new(body),
            trailers,
            data: OnceLock::new(),
            args: OnceLock::new(),
            form: OnceLock::new(),
            form_limits: OnceLock::new(),
        }))
    }

    /// How large a form it may carry; the first call counts.
    pub fn limit_form(&self, limits: FormLimits) {
        let _ = self.0.form_limits.set(limits);
    }

    pub(crate) fn form_limits(&self) -> FormLimits {
        self.0.form_limits.get().copied().unwrap_or_default()
    }

    pub(crate) fn form_slot(&self) -> &OnceLock<Result<FormData, Unread>> {
        &self.0.form
    }

    /// Bounds the body to so many bytes; more of them are answered with 413. What was read before stays.
    pub fn limit_body(&self, bytes: u64) {
        let mut body = self.0.body.lock().unwrap_or_else(PoisonError::into_inner);
        if !body.is_empty() {
            *body = std::mem::take(&mut *body).limited(bytes);
        }
    }
}

/// What an engine knows of a request.
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) remote_addr: Option<SocketAddr>,
    pub(crate) secure: bool,
    /// Where the trailers will be, of a body in chunks.
    pub(crate) trailers: Option<Arc<OnceLock<HeaderMap>>>,
}

/// Why the body, or the form in it, could not be read: kept, so that who asks again is not given an empty one.
#[derive(Clone)]
pub(crate) struct Unread {
    status: StatusCode,
    description: String,
    headers: Box<HeaderMap>,
}

impl From<HttpError> for Unread {
    fn from(error: HttpError) -> Unread {
        let (description, headers) = (error.description().to_owned(), Box::new(error.headers().clone()));
        Unread { status: error.status(), description, headers }
    }
}

impl From<Unread> for HttpError {
    fn from(unread: Unread) -> HttpError {
        HttpError::new(unread.status).with_description(unread.description).with_headers(*unread.headers)
    }
}

impl From<http::Request<Body>> for Request {
    fn from(request: http::Request<Body>) -> Request {
        let (head, body) = request.into_parts();
        Request(Arc::new(Inner {
            head,
            remote_addr: None,
            secure: false,
            body: Mutex::new(body),
            trailers: None,
            data: OnceLock::new(),
            args: OnceLock::new(),
            form: OnceLock::new(),
            form_limits: OnceLock::new(),
        }))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", self.method()).field("uri", self.uri()).finish_non_exhaustive()
    }
}

#[track_caller]
fn parse_uri(uri: &str) -> Uri {
    match uri.parse() {
        Ok(uri) => uri,
        Err(error) => panic!("{uri:?} is not a URI: {error}"),
    }
}

/// `percent_encoding` leaves a stray `%` as it is; a request with one is malformed (RFC 3986 section 2.1).
fn check_escapes(text: &str, place: &str) -> Result<(), HttpError> {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| *b == b'%') {
        match rest[at + 1..] {
            [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest = &rest[at + 3..],
            _ => return Err(bad_escapes(place)),
        }
    }
    Ok(())
}

fn bad_escapes(place: &str) -> HttpError {
    HttpError::new(400).with_description(format!("The {place} of the URL is not percent-encoded UTF-8."))
}
