//! A request: its head, who sent it, and the lease on its body.

mod headers;
mod reading;
mod url;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, Uri, Version};

use crate::body::Body;
use crate::form::FormData;
use crate::multidict::MultiDict;

pub(crate) use reading::FormLimits;
use reading::Source;
pub(crate) use reading::Unread;

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
    /// What the app is mounted below; most are not.
    script_root: Option<Box<str>>,
    source: Mutex<Source>,
    trailers: Option<Arc<OnceLock<HeaderMap>>>,
    // What was parsed, once.
    data: OnceLock<Result<Bytes, Unread>>,
    args: OnceLock<MultiDict>,
    form: OnceLock<Result<FormData, Unread>>,
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

    /// The query string's arguments. Bad escapes are read as Flask does, leniently: see [`Query`](crate::Query) for
    /// typed ones, which answers 400.
    pub fn args(&self) -> &MultiDict {
        self.0.args.get_or_init(|| MultiDict::parse(self.query_string()))
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
            let emptied = self.source().emptied();
            self.0 = Arc::new(Inner {
                head: self.0.head.clone(),
                remote_addr: self.0.remote_addr,
                secure: self.0.secure,
                script_root: self.0.script_root.clone(),
                source: Mutex::new(emptied),
                trailers: self.0.trailers.clone(),
                data: self.0.data.clone(),
                args: OnceLock::new(),
                form: self.0.form.clone(),
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
            script_root: None,
            source: Mutex::new(Source::of(body)),
            trailers,
            data: OnceLock::new(),
            args: OnceLock::new(),
            form: OnceLock::new(),
        }))
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

impl From<http::Request<Body>> for Request {
    fn from(request: http::Request<Body>) -> Request {
        let (head, body) = request.into_parts();
        Request(Arc::new(Inner {
            head,
            remote_addr: None,
            secure: false,
            script_root: None,
            source: Mutex::new(Source::of(body)),
            trailers: None,
            data: OnceLock::new(),
            args: OnceLock::new(),
            form: OnceLock::new(),
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
