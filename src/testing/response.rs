//! What the test client gets.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::request::Request;

/// A response that the test client has read to its end.
pub struct TestResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) body_error: Option<std::io::Error>,
    pub(super) ctx: Option<Arc<Ctx>>,
    pub(super) request: Request,
    pub(super) location: String,
    pub(super) history: Vec<TestResponse>,
}

impl TestResponse {
    /// The status, as a number.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body's bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body as text; what is no UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// At the caller's line, when it is not a `T`.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is not the JSON that was expected: {error}: {}", self.text()),
        }
    }

    /// Why the body broke off, if it did: a reader or an iterator failed.
    pub fn body_error(&self) -> Option<&std::io::Error> {
        self.body_error.as_ref()
    }

    /// The context of the request, kept for looking into `g` and, by `Session::of`, the session; `None` when the service
    /// is no app.
    pub fn context(&self) -> Option<&Arc<Ctx>> {
        self.ctx.as_ref()
    }

    /// The session as the request left it; `None` when the service is no app.
    ///
    /// ```
    /// use dewar::{App, session};
    ///
    /// let mut app = App::new("demo");
    /// app.config_mut().set("SECRET_KEY", "dev");
    /// app.get("/", || session().set("n", 7));
    /// let response = app.test_client().get("/");
    /// assert_eq!(response.session().unwrap().get::<u8>("n"), Some(7));
    /// ```
    #[cfg(feature = "sessions")]
    pub fn session(&self) -> Option<crate::session::Session> {
        self.ctx.as_ref().map(crate::session::Session::of)
    }

    /// The request that was answered, as it was sent: after redirects, the last one.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The error that no error handler took, if that is why the status is 500.
    pub fn error(&self) -> Option<&Error> {
        self.ctx.as_ref()?.unhandled_error().map(|error| &**error)
    }

    /// The path and query that were answered, after redirects.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The redirects that were followed, the first one first.
    pub fn history(&self) -> &[TestResponse] {
        &self.history
    }
}

impl fmt::Debug for TestResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("text", &self.text())
            .field("error", &self.error())
            .finish_non_exhaustive()
    }
}
