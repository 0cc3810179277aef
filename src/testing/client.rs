//! The client and the requests that it builds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde::Serialize;

use super::jar::Jar;
use super::response::TestResponse;
use crate::app::App;
use crate::body::Body;
use crate::ctx::KeepContext;
use crate::request::Request;
use crate::response::Response;
use crate::service::Service;

/// A client of an app, or of any [`Service`], that calls it without a socket and keeps its cookies.
///
/// `get`, `head`, `delete` and `options` send at once; `post`, `put`, `patch` and `request` make a
/// [`RequestBuilder`], which takes headers and a body.
///
/// An error that nothing handled is answered with 500 as ever, and given by [`TestResponse::error`]. It is also written to
/// standard error, when there is no logger that was told of it.
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
    jar: Arc<Mutex<Jar>>,
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

impl TestClient {
    /// A client of any service.
    pub fn new(service: impl Service + 'static) -> TestClient {
        TestClient { service: Arc::new(service), jar: Arc::default() }
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

    /// Any request.
    ///
    /// # Panics
    /// At the caller's line, when the method or the path cannot be one.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder<'_> {
        let Ok(method) = method.parse() else { panic!("{method:?} is not a method") };
        let uri = match path.parse() {
            Ok(uri) => uri,
            Err(error) => panic!("{path:?} is not a path: {error}; percent-encode what a URL cannot hold"),
        };
        RequestBuilder { client: self, method, uri, headers: HeaderMap::new(), body: Bytes::new(), follow: false }
    }

    /// Sets a cookie for all paths.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar().set(name, value);
    }

    /// Forgets a cookie.
    pub fn delete_cookie(&self, name: &str) {
        self.jar().remove(name);
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar().get(name).map(str::to_owned)
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send_one(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> TestResponse {
        let mut request = http::Request::new(Body::from(body.clone()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri.clone();
        let sent = request.headers_mut();
        *sent = headers.clone();
        sent.entry("host").or_insert(HeaderValue::from_static("localhost"));
        sent.entry("user-agent").or_insert(HeaderValue::from_static("dewar-test"));
        if !body.is_empty() {
            sent.entry(CONTENT_LENGTH).or_insert(body.len().into());
        }
        if let Some(cookies) = self.jar().header(uri.path()).filter(|_| !headers.contains_key(COOKIE)) {
            sent.insert(COOKIE, HeaderValue::try_from(cookies).expect("cookies are quoted"));
        }
        request.extensions_mut().insert(KeepContext(None));
        let request = Request::from(request).with_remote_addr(([127, 0, 0, 1], 0).into());

        let mut response = self.service.call(request);
        let ctx = response.extensions_mut().remove::<KeepContext>().and_then(|kept| kept.0);
        if let Some(error) = ctx.as_ref().and_then(|ctx| ctx.unhandled_error())
            && !log::log_enabled!(log::Level::Error)
        {
            // Otherwise a test would only see a 500. The test harness shows this when the test fails.
            eprintln!("Exception on {} [{method}]: {error:#}", uri.path());
        }
        self.jar().store(response.headers());
        let (status, headers) = (response.status(), response.headers().clone());
        let bodiless = *method == Method::HEAD || matches!(status.as_u16(), 100..=199 | 204 | 304);
        let (body, body_error) = if bodiless { (Bytes::new(), None) } else { read(response) };
        TestResponse { status, headers, body, body_error, ctx, location: uri.to_string(), history: Vec::new() }
    }
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

/// A request that the test client will send.
#[derive(Debug)]
#[must_use = "nothing is sent before `.send()`"]
pub struct RequestBuilder<'c> {
    client: &'c TestClient,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    follow: bool,
}

impl RequestBuilder<'_> {
    /// Adds a header.
    ///
    /// # Panics
    /// At the caller's line, when name or value cannot be a header.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let Ok(name) = HeaderName::try_from(name) else { panic!("{name:?} is not a header's name") };
        let Ok(value) = HeaderValue::try_from(value) else { panic!("{value:?} is not a header's value") };
        self.headers.append(name, value);
        self
    }

    /// Sends these bytes.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends JSON.
    ///
    /// # Panics
    /// At the caller's line, when the value cannot be JSON.
    #[track_caller]
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.typed("application/json", body),
            Err(error) => panic!("the value cannot be JSON: {error}"),
        }
    }

    /// Sends a urlencoded form.
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.typed("application/x-www-form-urlencoded", form.finish())
    }

    /// Sends a multipart form: fields, and files as `(field, filename, bytes)`.
    pub fn multipart(self, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Self {
        const BOUNDARY: &str = "dewar-test-boundary-7d1f";
        let quoted = |text: &str| text.replace('"', "%22").replace(['\r', '\n'], "%0A");
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n", quoted(name));
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value.as_bytes());
            body.extend_from_slice(b"\r\n");
        }
        for (name, filename, bytes) in files {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: \
                 application/octet-stream\r\n\r\n",
                quoted(name),
                quoted(filename)
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.typed(&format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }

    #[track_caller]
    fn typed(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let value = HeaderValue::try_from(content_type).expect("the types given here are visible ASCII");
        self.headers.insert(CONTENT_TYPE, value);
        self.body = body.into();
        self
    }

    /// Follows redirects: to GET without the body after 301, 302 and 303, as it was after 307 and 308.
    pub fn follow_redirects(mut self) -> Self {
        self.follow = true;
        self
    }

    /// Sends it.
    ///
    /// # Panics
    /// At the caller's line, when a redirect leads to another host, or more than 20 follow one another.
    #[track_caller]
    pub fn send(self) -> TestResponse {
        let RequestBuilder { client, mut method, mut uri, mut headers, mut body, follow } = self;
        let mut history = Vec::new();
        loop {
            let mut response = client.send_one(&method, &uri, &headers, body.clone());
            let location = response.header(LOCATION.as_str()).map(str::to_owned);
            let Some(location) = location.filter(|_| follow && response.status.is_redirection()) else {
                response.history = history;
                return response;
            };
            if matches!(response.status(), 301..=303) && method != Method::HEAD {
                method = Method::GET;
                body = Bytes::new();
                headers.remove(CONTENT_TYPE);
            }
            uri = resolve(&uri, &location);
            history.push(response);
            assert!(history.len() <= 20, "more than 20 redirects, the last to {location}");
        }
    }
}

/// Where a `Location` leads from here (RFC 3986 section 5.2, as far as paths of one host need it).
#[track_caller]
fn resolve(base: &Uri, location: &str) -> Uri {
    let location = location.split('#').next().unwrap_or("");
    let local = location.strip_prefix("http://localhost").or_else(|| location.strip_prefix("https://localhost"));
    let target = match local {
        Some("") => "/".to_owned(),
        Some(path) => path.to_owned(),
        None if location.contains("://") || location.starts_with("//") => {
            panic!("the redirect to {location} leads to another host, where the test client cannot follow")
        }
        None if location.starts_with('/') => location.to_owned(),
        None if location.starts_with('?') => format!("{}{location}", base.path()),
        None => {
            let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{location}")
        }
    };
    match target.parse() {
        Ok(uri) => uri,
        Err(error) => panic!("the redirect to {location:?} is not a URL: {error}"),
    }
}
