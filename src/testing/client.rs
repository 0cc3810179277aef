//! The client.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, LOCATION, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Uri};

use super::base::Base;
use super::builder::RequestBuilder;
use super::jar::Jar;
use super::response::TestResponse;
use crate::app::{App, AppService};
use crate::body::Body;
use crate::cookie::Cookie;
use crate::ctx::{Ctx, KeepContext};
use crate::request::Request;
use crate::response::Response;
use crate::service::Service;

/// A client of an app, or of any [`Service`], that calls it without a socket and keeps its cookies.
///
/// `get`, `head`, `delete` and `options` send at once; `post`, `put`, `patch` and `request` make a
/// [`RequestBuilder`], which takes headers and a body.
///
/// An error that nothing handled is answered with 500 as ever, and given by [`TestResponse::error`]. It is also written to
/// standard error, when there is no logger that was told of it. With the configuration's `TESTING`, or
/// `PROPAGATE_EXCEPTIONS`, it panics in the test instead, with the error's own words.
///
/// ```
/// use dewar::{App, request};
///
/// let mut app = App::new("demo");
/// app.get("/", || "hello");
/// app.post("/echo", || request().data());
///
/// let client = app.test_client();
/// assert_eq!(client.get("/").text(), "hello");
/// assert_eq!(client.post("/echo").body("twice").send().text(), "twice");
/// ```
#[derive(Clone)]
pub struct TestClient {
    service: Arc<dyn Service>,
    /// The same, when it is an app.
    #[cfg_attr(not(feature = "sessions"), allow(dead_code, reason = "only sessions need it"))]
    app: Option<AppService>,
    base: Base,
    /// `None`: without cookies.
    jar: Option<Arc<Mutex<Jar>>>,
    subdomains: bool,
}

impl App {
    /// Freezes the app and makes a client of it.
    ///
    /// # Panics
    /// At the caller's line, with every mistake of the set-up; see [`App::into_service`] for an error instead.
    #[track_caller]
    pub fn test_client(self) -> TestClient {
        match self.into_service() {
            Ok(service) => TestClient::new(service),
            Err(mistakes) => panic!("{mistakes}"),
        }
    }
}

impl AppService {
    /// A client of the app, with cookies of its own. Where a test needs the app itself too, for
    /// [`app_context`](AppService::app_context) or the runner of commands, or several clients at once, it freezes the app
    /// first and asks here.
    ///
    /// ```
    /// use dewar::{App, current_app, request};
    ///
    /// let mut app = App::new("shop");
    /// app.get("/", || request().cookie("name").unwrap_or_default()).endpoint("index");
    /// let service = app.into_service()?;
    /// let (ada, bob) = (service.test_client(), service.test_client());
    /// ada.set_cookie("name", "ada");
    /// assert_eq!((&*ada.get("/").text(), &*bob.get("/").text()), ("ada", ""));
    /// assert_eq!(service.app_context(|| current_app().name().to_owned()), "shop");
    /// # Ok::<(), dewar::SetupErrors>(())
    /// ```
    #[must_use]
    pub fn test_client(&self) -> TestClient {
        TestClient::new(self.clone())
    }
}

/// One request of several, when redirects are followed.
pub(super) struct Sent {
    pub(super) method: Method,
    pub(super) base: Base,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl TestClient {
    /// A client of any service.
    pub fn new(service: impl Service + 'static) -> TestClient {
        let app = (&service as &dyn Any).downcast_ref::<AppService>().cloned();
        let base = app.as_ref().map_or_else(Base::default, |app| Base::of(app.site()));
        TestClient { service: Arc::new(service), app, base, jar: Some(Arc::default()), subdomains: false }
    }

    /// Whether it keeps cookies; it does unless you say otherwise. A change begins with none.
    #[must_use]
    pub fn use_cookies(mut self, yes: bool) -> TestClient {
        self.jar = yes.then(Arc::default);
        self
    }

    /// Whether it follows redirects to subdomains of the host, as well; it does not unless you say so.
    #[must_use]
    pub fn allow_subdomain_redirects(mut self, yes: bool) -> TestClient {
        self.subdomains = yes;
        self
    }

    /// GET, at once.
    #[track_caller]
    pub fn get(&self, path: &str) -> TestResponse {
        self.request("GET", path).send()
    }

    /// HEAD, at once.
    #[track_caller]
    pub fn head(&self, path: &str) -> TestResponse {
        self.request("HEAD", path).send()
    }

    /// DELETE, at once.
    #[track_caller]
    pub fn delete(&self, path: &str) -> TestResponse {
        self.request("DELETE", path).send()
    }

    /// OPTIONS, at once.
    #[track_caller]
    pub fn options(&self, path: &str) -> TestResponse {
        self.request("OPTIONS", path).send()
    }

    /// A POST to be given a body.
    #[track_caller]
    pub fn post(&self, path: &str) -> RequestBuilder<'_> {
        self.request("POST", path)
    }

    /// A PUT to be given a body.
    #[track_caller]
    pub fn put(&self, path: &str) -> RequestBuilder<'_> {
        self.request("PUT", path)
    }

    /// A PATCH to be given a body.
    #[track_caller]
    pub fn patch(&self, path: &str) -> RequestBuilder<'_> {
        self.request("PATCH", path)
    }

    /// Any request. The path may be a whole URL, with another host.
    ///
    /// # Panics
    /// At the caller's line, when the method or the path cannot be one.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder<'_> {
        RequestBuilder::new(self, method, path)
    }

    pub(super) fn base(&self) -> &Base {
        &self.base
    }

    /// Sets a cookie for all paths of the host.
    ///
    /// # Panics
    /// At the caller's line, when the client keeps no cookies, or the name cannot be a cookie's.
    #[track_caller]
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.store_cookie(&Cookie::new(name, value));
    }

    /// Sets a cookie with all that it says: its domain, whose subdomains get it too, its path, and its end.
    ///
    /// ```
    /// use dewar::{App, Cookie, request};
    ///
    /// let mut app = App::new("demo");
    /// app.get("/shop", || request().cookie("cart").unwrap_or_default());
    /// let client = app.test_client();
    /// client.store_cookie(&Cookie::new("cart", "7").domain("example.org").path("/shop"));
    /// assert_eq!(client.get("/shop").text(), "");
    /// assert_eq!(client.request("GET", "/shop").base_url("http://www.example.org").send().text(), "7");
    /// ```
    ///
    /// # Panics
    /// At the caller's line, when the client keeps no cookies.
    #[track_caller]
    pub fn store_cookie(&self, cookie: &Cookie) {
        self.jar().set(self.base.host_name(), cookie);
    }

    /// Forgets a cookie, of whatever domain and path.
    ///
    /// # Panics
    /// At the caller's line, when the client keeps no cookies.
    #[track_caller]
    pub fn delete_cookie(&self, name: &str) {
        self.jar().remove(name);
    }

    /// Forgets the cookie of this domain and path.
    ///
    /// # Panics
    /// At the caller's line, when the client keeps no cookies.
    #[track_caller]
    pub fn delete_cookie_at(&self, name: &str, domain: &str, path: &str) {
        self.jar().remove_at(name, domain, path);
    }

    /// A cookie's value, of whatever domain and path.
    ///
    /// # Panics
    /// At the caller's line, when the client keeps no cookies.
    #[track_caller]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar().get(name).map(str::to_owned)
    }

    /// The value of the cookie of this domain and path (Flask's `get_cookie`).
    ///
    /// # Panics
    /// At the caller's line, when the client keeps no cookies.
    #[track_caller]
    pub fn cookie_at(&self, name: &str, domain: &str, path: &str) -> Option<String> {
        self.jar().get_at(name, domain, path).map(str::to_owned)
    }

    #[track_caller]
    fn jar(&self) -> MutexGuard<'_, Jar> {
        let Some(jar) = &self.jar else {
            panic!("this client keeps no cookies: make one without `use_cookies(false)`");
        };
        jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the session that the next request has, before there is any request (Flask's `session_transaction`). What
    /// `change` returns is handed back.
    ///
    /// The session is opened with the client's cookies and saved into them, as with a request for `/` that does no more
    /// than that; `session()` is there meanwhile.
    ///
    /// ```
    /// use dewar::{App, session};
    ///
    /// let mut app = App::new("demo");
    /// app.config_mut().set("SECRET_KEY", "dev");
    /// app.get("/", || session().get::<String>("user").unwrap_or_default());
    /// let client = app.test_client();
    /// client.session_transaction(|session| session.set("user", "ada")).unwrap();
    /// assert_eq!(client.get("/").text(), "ada");
    /// assert_eq!(client.session_transaction(|session| session.len()), 1);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, when the service is no app, the client keeps no cookies, the app has no session, because its
    /// `SECRET_KEY` is missing, for instance, or it could not be saved.
    #[cfg(feature = "sessions")]
    #[track_caller]
    pub fn session_transaction<T>(&self, change: impl FnOnce(&crate::session::Session) -> T) -> T {
        let Some(app) = &self.app else { panic!("this client's service is no app, and has no sessions") };
        drop(self.jar());
        let done = app.with_context(self.request("GET", "/").into_request(), || {
            let ctx = crate::globals::current_context().expect("a context was just put in place");
            let session = crate::session::Session::of(&ctx);
            if let Some(why) = session.unavailable() {
                return Err(format!("there is no session: {why}"));
            }
            let result = change(&session);
            let mut response = Response::default();
            match crate::session::save(&ctx, &mut response) {
                Ok(()) => Ok((result, response)),
                Err(error) => Err(format!("the session could not be saved: {error:#}")),
            }
        });
        match done {
            Ok((result, response)) => {
                self.jar().store(self.base.host_name(), &self.base.whole_path("/"), response.headers());
                result
            }
            Err(why) => panic!("{why}"),
        }
    }

    /// A request as a server would have received it.
    pub(super) fn request_for(&self, sent: &Sent) -> Request {
        let mut request = http::Request::new(Body::from(sent.body.clone()));
        *request.method_mut() = sent.method.clone();
        *request.uri_mut() = sent.uri.clone();
        let headers = request.headers_mut();
        *headers = sent.headers.clone();
        if !headers.contains_key(HOST) {
            let host = HeaderValue::try_from(sent.base.host.as_str()).expect("a URL's host is visible ASCII");
            headers.insert(HOST, host);
        }
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static("dewar-test"));
        if !sent.body.is_empty() {
            headers.entry(CONTENT_LENGTH).or_insert(sent.body.len().into());
        }
        if self.jar.is_some() && !headers.contains_key(COOKIE) {
            let path = sent.base.whole_path(sent.uri.path());
            if let Some(cookies) = self.jar().header(sent.base.host_name(), &path) {
                headers.insert(COOKIE, HeaderValue::try_from(cookies).expect("cookies are quoted"));
            }
        }
        Request::from(request).with_remote_addr(([127, 0, 0, 1], 0).into()).with_secure(sent.base.secure)
    }

    #[track_caller]
    pub(super) fn send(&self, mut sent: Sent, follow: bool) -> TestResponse {
        let mut history = Vec::new();
        let mut seen: Vec<(u16, String)> = Vec::new();
        loop {
            let mut response = self.send_one(&sent);
            let redirect = follow && matches!(response.status(), 301 | 302 | 303 | 305 | 307 | 308);
            let location = response.header(LOCATION.as_str()).map(str::to_owned);
            let Some(location) = location.filter(|_| redirect) else {
                response.history = history;
                return response;
            };
            let step = (response.status(), location);
            assert!(!seen.contains(&step), "a circle of redirects: it was at {} with {} before", step.1, step.0);
            assert!(seen.len() < 20, "more than 20 redirects, the last to {}", step.1);
            if !matches!(step.0, 307 | 308) {
                if sent.method != Method::HEAD {
                    sent.method = Method::GET;
                }
                sent.body = Bytes::new();
                for header in [CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING] {
                    sent.headers.remove(header);
                }
            }
            (sent.base, sent.uri) = sent.base.resolve(sent.uri.path(), &step.1, self.subdomains);
            // One that was given by hand was for the first request's host.
            sent.headers.remove(HOST);
            history.push(response);
            seen.push(step);
        }
    }

    #[track_caller]
    fn send_one(&self, sent: &Sent) -> TestResponse {
        let mut request = self.request_for(sent);
        // A copy: the handle itself goes to the service, whose middleware may want it to be the only one.
        let copy = self.request_for(sent);
        request.head_mut().extensions.insert(KeepContext(None));
        let mut response = self.service.call(request);
        let ctx = response.extensions_mut().remove::<KeepContext>().and_then(|kept| kept.0);
        if self.jar.is_some() {
            let path = sent.base.whole_path(sent.uri.path());
            self.jar().store(sent.base.host_name(), &path, response.headers());
        }
        if let Some(ctx) = &ctx {
            tell(ctx, sent);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let bodiless = sent.method == Method::HEAD || matches!(status.as_u16(), 100..=199 | 204 | 304);
        let (body, body_error) = if bodiless { (Bytes::new(), None) } else { read(response) };
        let location = sent.uri.to_string();
        TestResponse { status, headers, body, body_error, ctx, request: copy, location, history: Vec::new() }
    }
}

/// Tells of an error that nothing handled: by a panic, where the configuration wants to have errors propagated.
#[track_caller]
fn tell(ctx: &Ctx, sent: &Sent) {
    let Some(error) = ctx.unhandled_error() else { return };
    let what = format!("Exception on {} [{}]: {error:#}", sent.uri.path(), sent.method);
    if propagates(ctx) {
        panic!("{what}");
    }
    if !log::log_enabled!(log::Level::Error) {
        // Otherwise a test would only see a 500. The test harness shows this when the test fails.
        eprintln!("{what}");
    }
}

/// `PROPAGATE_EXCEPTIONS`, or as `TESTING` says where that is not set.
fn propagates(ctx: &Ctx) -> bool {
    let config = ctx.site().config();
    let said = |key: &str| config.get(key).and_then(serde_json::Value::as_bool);
    said("PROPAGATE_EXCEPTIONS").or_else(|| said("TESTING")).unwrap_or(false)
}

impl std::fmt::Debug for TestClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestClient").finish_non_exhaustive()
    }
}

/// What came before a stream broke off is kept beside the error.
fn read(mut response: Response) -> (Bytes, Option<std::io::Error>) {
    let mut body = Vec::new();
    loop {
        match response.body_mut().next_block() {
            Ok(Some(block)) => body.extend_from_slice(&block),
            Ok(None) => return (body.into(), None),
            Err(error) => return (body.into(), Some(error)),
        }
    }
}
