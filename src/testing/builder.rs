//! A request that the test client will send, step by step.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde::Serialize;

use super::base::Base;
use super::client::{Sent, TestClient};
use super::form::{File, Payload, base64, guessed_type};
use super::response::TestResponse;
use crate::request::Request;

/// A request that the test client will send.
#[derive(Debug)]
#[must_use = "nothing is sent before `.send()`"]
pub struct RequestBuilder<'c> {
    client: &'c TestClient,
    method: Method,
    base: Base,
    uri: Uri,
    headers: HeaderMap,
    /// Said by hand, so it wins over what follows of the body.
    content_type: Option<HeaderValue>,
    payload: Payload,
    follow: bool,
}

impl<'c> RequestBuilder<'c> {
    #[track_caller]
    pub(super) fn new(client: &'c TestClient, method: &str, path: &str) -> RequestBuilder<'c> {
        let Ok(method) = method.parse() else { panic!("{method:?} is not a method") };
        let mut base = client.base().clone();
        let whole = path.starts_with("http://") || path.starts_with("https://");
        let target = if whole || path.starts_with('/') || path == "*" { path.to_owned() } else { format!("/{path}") };
        let uri: Uri = match target.parse() {
            Ok(uri) => uri,
            Err(error) => panic!("{path:?} is not a path: {error}; percent-encode what a URL cannot hold"),
        };
        if let Some(host) = uri.authority() {
            base.host = host.as_str().to_owned();
            base.secure = uri.scheme_str() == Some("https");
        }
        // As a server is asked: by the path alone.
        let uri = uri.path_and_query().map_or_else(|| Uri::from_static("/"), |target| Uri::from(target.clone()));
        RequestBuilder {
            client,
            method,
            base,
            uri,
            headers: HeaderMap::new(),
            content_type: None,
            payload: Payload::Bytes(Bytes::new()),
            follow: false,
        }
    }

    /// Sends it to another host, or over https: `.base_url("https://example.org")`. A path in it is what a proxy takes off
    /// on the way; the app itself knows of that by `APPLICATION_ROOT`.
    ///
    /// Otherwise it is made of the configuration's `PREFERRED_URL_SCHEME`, `SERVER_NAME` and `APPLICATION_ROOT`:
    /// `http://localhost` where there are none.
    ///
    /// # Panics
    /// At the caller's line, when it has not scheme and host.
    #[track_caller]
    pub fn base_url(mut self, url: &str) -> Self {
        self.base = Base::parse(url);
        self
    }

    /// With these arguments in the query string.
    ///
    /// # Panics
    /// At the caller's line, when the path has a query string already.
    #[track_caller]
    pub fn query_string<N: AsRef<str>, V: AsRef<str>>(mut self, args: impl IntoIterator<Item = (N, V)>) -> Self {
        if let Some(query) = self.uri.query() {
            panic!("the path has the query string {query:?}: give the arguments there, or by `query_string`, not both");
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(args);
        let target = format!("{}?{}", self.uri.path(), query.finish());
        self.uri = target.parse().expect("what is urlencoded can be in a URL");
        self
    }

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

    /// Adds headers.
    ///
    /// # Panics
    /// At the caller's line, when a name or a value cannot be a header.
    #[track_caller]
    pub fn headers<'h>(mut self, headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> Self {
        for (name, value) in headers {
            self = self.header(name, value);
        }
        self
    }

    /// Says what the body is, whatever it was made of.
    ///
    /// # Panics
    /// At the caller's line, when it cannot be a header.
    #[track_caller]
    pub fn content_type(mut self, content_type: &str) -> Self {
        let Ok(value) = HeaderValue::try_from(content_type) else { panic!("{content_type:?} is not a header's value") };
        self.content_type = Some(value);
        self
    }

    /// With this name and password (`Authorization: Basic`, RFC 7617).
    ///
    /// ```
    /// use dewar::{App, request};
    ///
    /// let mut app = App::new("demo");
    /// app.get("/", || request().header("authorization").unwrap_or("").to_owned());
    /// let client = app.test_client();
    /// let response = client.request("GET", "/").auth("Aladdin", "open sesame").send();
    /// assert_eq!(response.text(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    /// ```
    ///
    /// # Panics
    /// At the caller's line, when the name has a colon.
    #[track_caller]
    pub fn auth(mut self, username: &str, password: &str) -> Self {
        assert!(!username.contains(':'), "{username:?} has a colon, where the password would begin");
        let value = format!("Basic {}", base64(format!("{username}:{password}").as_bytes()));
        self.headers.insert(AUTHORIZATION, HeaderValue::try_from(value).expect("base64 is visible ASCII"));
        self
    }

    /// Sends these bytes.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.payload = Payload::Bytes(body.into());
        self
    }

    /// Sends JSON.
    ///
    /// # Panics
    /// At the caller's line, when the value cannot be JSON.
    #[track_caller]
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.payload = Payload::Bytes(body.into()),
            Err(error) => panic!("the value cannot be JSON: {error}"),
        }
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    /// Sends a form with these fields, behind those that it has: urlencoded, or multipart where there are files.
    pub fn form<N: AsRef<str>, V: AsRef<str>>(mut self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value.as_ref().to_owned()));
        self.payload.form().0.extend(fields);
        self
    }

    /// Sends a file in the form, which is multipart then. Its type is guessed by its name, where the feature
    /// `static_files` is there for that.
    ///
    /// ```
    /// # #[cfg(feature = "multipart")] {
    /// use dewar::{App, HttpError, request};
    ///
    /// let mut app = App::new("demo");
    /// app.post("/", || {
    ///     let request = request();
    ///     let form = request.form()?;
    ///     Ok::<_, HttpError>(format!("{} {}", form.require("title")?, form.file("doc").is_some()))
    /// });
    /// let client = app.test_client();
    /// let response = client.post("/").form([("title", "Tea")]).file("doc", "tea.txt", "Earl Grey").send();
    /// assert_eq!(response.text(), "Tea true");
    /// # }
    /// ```
    pub fn file(self, field: &str, filename: &str, bytes: impl Into<Bytes>) -> Self {
        let content_type = guessed_type(filename);
        self.file_with_type(field, filename, bytes, &content_type)
    }

    /// As [`file`](RequestBuilder::file), of this type.
    ///
    /// # Panics
    /// At the caller's line, when the type cannot be a header.
    #[track_caller]
    pub fn file_with_type(mut self, field: &str, filename: &str, bytes: impl Into<Bytes>, content_type: &str) -> Self {
        assert!(HeaderValue::try_from(content_type).is_ok(), "{content_type:?} is not a header's value");
        self.payload.form().1.push(File {
            field: field.to_owned(),
            filename: filename.to_owned(),
            content_type: content_type.to_owned(),
            bytes: bytes.into(),
        });
        self
    }

    /// Sends a multipart form: fields, and files as `(field, filename, bytes)`, whose type nobody knows.
    pub fn multipart(mut self, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Self {
        *self.payload.form().2 = true;
        for (field, filename, bytes) in files {
            self = self.file_with_type(field, filename, bytes.to_vec(), "application/octet-stream");
        }
        self.form(fields.iter().copied())
    }

    /// Follows redirects: as they were after 307 and 308, to GET without the body after the others (to HEAD where it was
    /// one).
    pub fn follow_redirects(mut self) -> Self {
        self.follow = true;
        self
    }

    /// The request, not sent: for [`AppService::with_context`](crate::AppService::with_context), Flask's
    /// `test_request_context`. It has the client's cookies.
    ///
    /// ```
    /// use dewar::{App, TestClient, request};
    ///
    /// let service = App::new("demo").into_service()?;
    /// let client = TestClient::new(service.clone());
    /// let request_of_mine = client.post("/mail").json(&7).into_request();
    /// assert_eq!(service.with_context(request_of_mine, || request().path().to_owned()), "/mail");
    /// # Ok::<(), dewar::SetupErrors>(())
    /// ```
    pub fn into_request(self) -> Request {
        let client = self.client;
        let (sent, _) = self.into_sent();
        client.request_for(&sent)
    }

    fn into_sent(self) -> (Sent, bool) {
        let RequestBuilder { method, mut base, uri, mut headers, content_type, payload, follow, .. } = self;
        let (body, its_type) = payload.into_body();
        let its_type = its_type.map(|text| HeaderValue::try_from(text).expect("forms' types are visible ASCII"));
        if let Some(value) = content_type.or(its_type) {
            headers.insert(CONTENT_TYPE, value);
        }
        if let Some(host) = headers.get(http::header::HOST).and_then(|host| host.to_str().ok()) {
            base.host = host.to_owned();
        }
        (Sent { method, base, uri, headers, body }, follow)
    }

    /// Sends it.
    ///
    /// # Panics
    /// At the caller's line, when a redirect leads to another host, or in a circle, or more than 20 follow one another;
    /// and with an error that nothing handled, where the configuration says so: see [`TestClient`].
    #[track_caller]
    pub fn send(self) -> TestResponse {
        let client = self.client;
        let (sent, follow) = self.into_sent();
        client.send(sent, follow)
    }
}
