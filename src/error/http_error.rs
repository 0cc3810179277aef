//! Errors that say how they are answered.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::Error;
use super::descriptions::usual_description;
use crate::body::{BodyStopped, BodyTooLarge};
use crate::response::{IntoStatus, Response, escape_html, phrase};

/// An error that says how it is answered: a status, a description, headers.
///
/// Made by [`abort`](fn@crate::abort); found again by `errorhandler(404, …)`.
pub struct HttpError(pub(super) Box<HttpRepr>);

pub(super) struct HttpRepr {
    status: StatusCode,
    description: Option<Cow<'static, str>>,
    /// What the client is told instead when the app's `DEBUG` is set.
    debug_description: Option<String>,
    headers: HeaderMap,
    original: Option<Arc<Error>>,
    /// The field that a 400 misses.
    missing: Option<String>,
    /// Behind a lock because a body is `Send` only, and an error must be `Sync`.
    pub(super) response: Mutex<Option<Response>>,
}

impl HttpError {
    /// An error with this status. See [`abort`](fn@crate::abort).
    ///
    /// # Panics
    /// At the caller's line, when the status is a number outside of 100 to 999.
    #[track_caller]
    pub fn new(status: impl IntoStatus) -> HttpError {
        HttpError(Box::new(HttpRepr {
            status: status.into_status(),
            description: None,
            debug_description: None,
            headers: HeaderMap::new(),
            original: None,
            missing: None,
            response: Mutex::new(None),
        }))
    }

    /// 405 with the methods that the path does answer.
    pub fn method_not_allowed<'m>(allowed: impl IntoIterator<Item = &'m Method>) -> HttpError {
        HttpError::new(405).with_header_value(ALLOW, allow_value(allowed))
    }

    /// 500 for an error that nothing handled, as the handler for 500 sees it (Flask: `InternalServerError`).
    pub fn internal(original: Arc<Error>) -> HttpError {
        let mut error = HttpError::new(500);
        error.0.original = Some(original);
        error
    }

    /// 401 that says how to authenticate: `Basic realm="shop"`, `Bearer` (Werkzeug's `Unauthorized(www_authenticate=…)`;
    /// RFC 9110 section 11.6.1). May be said several times.
    ///
    /// ```
    /// use dewar::{HttpError, Result};
    ///
    /// fn secret() -> Result<&'static str> {
    ///     Err(HttpError::unauthorized("Basic realm=\"shop\""))?
    /// }
    /// assert_eq!(secret().unwrap_err().status(), 401);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, when the challenge cannot be a header.
    #[track_caller]
    pub fn unauthorized(challenge: &str) -> HttpError {
        HttpError::new(401).with_header("www-authenticate", challenge)
    }

    /// 416 with the length in bytes that ranges have to be within, where it is known (Werkzeug's
    /// `RequestedRangeNotSatisfiable(length)`; RFC 9110 section 15.5.17).
    pub fn range_not_satisfiable(length: Option<u64>) -> HttpError {
        let error = HttpError::new(416);
        match length {
            Some(length) => error.with_header("content-range", &format!("bytes */{length}")),
            None => error,
        }
    }

    /// 400 for a key that a form or a query string lacks (Werkzeug: `BadRequestKeyError`). The key is named to the client
    /// when the app's `DEBUG` is set.
    pub fn bad_request_key(key: &str) -> HttpError {
        let error = HttpError::new(400);
        let named = format!("{}\nKeyError: '{key}'", error.description());
        let mut error = error.with_debug_description(named);
        error.0.missing = Some(key.to_owned());
        error
    }

    /// The key that was missing, of an error made by [`bad_request_key`](HttpError::bad_request_key).
    pub fn missing_key(&self) -> Option<&str> {
        self.0.missing.as_deref()
    }

    /// The same with what the client is told in place of the description when the app's `DEBUG` is set: details for
    /// those who build the app.
    #[must_use]
    pub fn with_debug_description(mut self, description: impl Into<String>) -> HttpError {
        self.0.debug_description = Some(description.into());
        self
    }

    /// What the client is told when `DEBUG` is set, where that is something else.
    pub fn debug_description(&self) -> Option<&str> {
        self.0.debug_description.as_deref()
    }

    /// As an app with `DEBUG` set tells it.
    pub(crate) fn in_debug(mut self) -> HttpError {
        if let Some(description) = self.0.debug_description.take() {
            self.0.description = Some(description.into());
        }
        self
    }

    /// The same with a `Retry-After` header of whole seconds (Werkzeug's `retry_after` of 429 and 503).
    ///
    /// ```
    /// use dewar::abort;
    /// use std::time::Duration;
    ///
    /// let error = abort(429).with_retry_after(Duration::from_secs(30));
    /// assert_eq!(error.headers()["retry-after"], "30");
    /// ```
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> HttpError {
        self.with_header("retry-after", &wait.as_secs().to_string())
    }

    /// The same with a `Retry-After` header that names a moment. One before 1970 is told as 1970.
    #[must_use]
    pub fn with_retry_at(self, at: SystemTime) -> HttpError {
        // The formatter knows the years up to 9999 only.
        let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        self.with_header("retry-after", &httpdate::fmt_http_date(at.clamp(SystemTime::UNIX_EPOCH, last)))
    }

    /// A copy of what it says, without the error behind it and without a response that was given.
    pub(crate) fn twin(&self) -> HttpError {
        let mut twin = HttpError::new(self.0.status).with_headers(self.0.headers.clone());
        twin.0.description.clone_from(&self.0.description);
        twin.0.debug_description.clone_from(&self.0.debug_description);
        twin.0.missing.clone_from(&self.0.missing);
        twin
    }

    /// The same with a description, shown to the client.
    pub fn with_description(mut self, description: impl Into<Cow<'static, str>>) -> HttpError {
        self.0.description = Some(description.into());
        self
    }

    /// The same with a header on its response.
    ///
    /// # Panics
    /// At the caller's line, when name or value cannot be a header.
    #[track_caller]
    pub fn with_header(self, name: &'static str, value: &str) -> HttpError {
        let Ok(value) = HeaderValue::try_from(value) else {
            panic!("the value {value:?} for the header {name} has a character that a header cannot carry");
        };
        self.with_header_value(HeaderName::from_static(name), value)
    }

    fn with_header_value(mut self, name: HeaderName, value: HeaderValue) -> HttpError {
        self.0.headers.insert(name, value);
        self
    }

    /// With these headers, and no others.
    pub(crate) fn with_headers(mut self, headers: HeaderMap) -> HttpError {
        self.0.headers = headers;
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The status's phrase as Werkzeug has it, such as `Not Found`; of 413, 414 and 416 it is an older one than RFC 9110's.
    pub fn name(&self) -> &'static str {
        phrase(self.0.status).unwrap_or("Unknown Error")
    }

    /// What the client is told: the description given, or the status's usual one.
    pub fn description(&self) -> &str {
        self.0.description.as_deref().unwrap_or_else(|| usual_description(self.0.status))
    }

    /// The error that was not handled, for a 500 that stands for one.
    pub fn original(&self) -> Option<&Error> {
        self.0.original.as_deref()
    }

    /// The headers that its response has.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The response that was given to [`abort`](fn@crate::abort), if one was: it goes out as it is, past the error handlers.
    pub(crate) fn take_given(&self) -> Option<Response> {
        self.0.response.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// The response: the one given to [`abort`](fn@crate::abort), or a small HTML page as Flask's.
    pub fn into_response(self) -> Response {
        if let Some(response) = self.take_given() {
            return response;
        }
        let name = escape_html(self.name()); // of 418 it has an apostrophe
        let description = escape_html(self.description()).replace('\n', "<br>");
        let page = format!(
            "<!doctype html>\n<html lang=en>\n<title>{} {name}</title>\n<h1>{name}</h1>\n<p>{description}</p>\n",
            self.0.status.as_u16()
        );
        self.with_body(Response::html(page))
    }

    /// The response as JSON: `{"code": 404, "description": "…", "name": "Not Found"}`, as Flask's documentation does it;
    /// the one given to [`abort`](fn@crate::abort) as it is. The configuration's `JSON_ERRORS` has all errors answered so.
    pub fn into_json_response(self) -> Response {
        if let Some(response) = self.take_given() {
            return response;
        }
        let told = serde_json::json!({
            "code": self.0.status.as_u16(), "description": self.description(), "name": self.name(),
        });
        self.with_body(Response::typed("application/json", format!("{told}\n")))
    }

    fn with_body(self, response: Response) -> Response {
        let mut response = response.with_status(self.0.status);
        let mut headers = self.0.headers;
        headers.remove(CONTENT_TYPE); // the page's own stays
        response.headers_mut().extend(headers);
        response
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.status.as_u16(), self.name(), self.description())
    }
}

impl fmt::Debug for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpError").field("status", &self.0.status).field("description", &self.description()).finish()
    }
}

impl StdError for HttpError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.original().map(|error| error.source() as &(dyn StdError + 'static))
    }
}

/// Reading a request's body failed: 413 when it was too large, 408 when the client was too slow, 503 when there are too
/// many such clients, 400 when it went away or sent nonsense.
impl From<std::io::Error> for HttpError {
    fn from(error: std::io::Error) -> HttpError {
        match BodyStopped::of(&error) {
            _ if BodyTooLarge::caused(&error) => HttpError::new(413),
            Some(BodyStopped::TooSlow) => HttpError::new(408),
            Some(BodyStopped::Overloaded) => HttpError::new(503).with_header("retry-after", "1"),
            None => HttpError::new(400).with_description(format!("The request's body could not be read: {error}")),
        }
    }
}

/// The value of an `Allow` header: `GET, HEAD, OPTIONS`.
pub(crate) fn allow_value<'m>(allowed: impl IntoIterator<Item = &'m Method>) -> HeaderValue {
    let list = allowed.into_iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(list).expect("methods are tokens, which a header can carry")
}
