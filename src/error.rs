//! Errors: any error by `?`, HTTP errors by [`abort`], each found again by its status or its type.

use std::any::TypeId;
use std::backtrace::Backtrace;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::body::{BodyStopped, BodyTooLarge};
use crate::response::{IntoStatus, Response, escape_html};

/// What handlers return: `Result<T>` with an [`Error`] that `?` makes of any error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error, with the line at which it became one; a single word wide.
///
/// `?` turns every `std::error::Error + Send + Sync + 'static` into one and keeps the caller's line. It is answered with
/// 500 and logged, unless it is an [`HttpError`] or an error handler takes it (by type: [`Error::downcast`]).
/// What is no `std::error::Error`, such as `anyhow::Error` or a poisoned lock's, is turned into one by [`Or500::or_500`].
///
/// `{}` is one line; `{:#}` adds what caused it, and where.
///
/// ```
/// use dewar::{Error, Result};
///
/// fn number(text: &str) -> Result<i64> {
///     Ok(text.parse()?)
/// }
///
/// let error: Error = number("x").unwrap_err();
/// assert!(error.is::<std::num::ParseIntError>());
/// assert_eq!(error.status(), 500);
/// assert_eq!(error.at().file(), file!());
/// ```
pub struct Error(Box<Repr>);

struct Repr {
    source: Box<dyn StdError + Send + Sync>,
    at: &'static Location<'static>,
    /// How the program came there: in debug mode only, for the error page.
    backtrace: Option<Backtrace>,
}

/// Whether errors keep a backtrace, which takes long to make. An app with `DEBUG` turns it on, for the whole process.
static BACKTRACES: AtomicBool = AtomicBool::new(false);

/// From now on errors keep a backtrace.
pub(crate) fn keep_backtraces() {
    BACKTRACES.store(true, Ordering::Relaxed);
}

/// Of an error of type `E`: those that are made to be answered (an [`HttpError`]) need none.
fn backtrace<E: 'static>() -> Option<Backtrace> {
    let wanted = BACKTRACES.load(Ordering::Relaxed) && TypeId::of::<E>() != TypeId::of::<HttpError>();
    wanted.then(Backtrace::force_capture)
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Error {
        Error(Box::new(Repr { source: Box::new(error), at: Location::caller(), backtrace: backtrace::<E>() }))
    }
}

impl Error {
    /// An error that is only a message.
    #[track_caller]
    pub fn msg(message: impl Into<String>) -> Error {
        Message(message.into()).into()
    }

    /// An error that is reported at another line than the one that makes it.
    pub(crate) fn located(error: impl StdError + Send + Sync + 'static, at: &'static Location<'static>) -> Error {
        Error(Box::new(Repr { source: Box::new(error), at, backtrace: None }))
    }

    /// The same, at the line that called the framework's own function: where it was made inside is nobody's business.
    #[track_caller]
    pub(crate) fn here(mut self) -> Error {
        self.0.at = Location::caller();
        self
    }

    /// The line at which it became an [`Error`]: the `?` of a handler, or its call of the function of Dewar's that failed.
    pub fn at(&self) -> &'static Location<'static> {
        self.0.at
    }

    /// The status it is answered with when no error handler takes it: an [`HttpError`]'s own, or 500.
    pub fn status(&self) -> StatusCode {
        self.downcast_ref::<HttpError>().map_or(StatusCode::INTERNAL_SERVER_ERROR, HttpError::status)
    }

    /// Whether it was made of an `E`.
    pub fn is<E: StdError + 'static>(&self) -> bool {
        self.0.source.is::<E>()
    }

    /// The `E` that it was made of.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.source.downcast_ref()
    }

    /// The `E` that it was made of, by value.
    ///
    /// # Errors
    /// The error itself, when it was made of something else.
    pub fn downcast<E: StdError + 'static>(self) -> Result<E, Error> {
        let Repr { source, at, backtrace } = *self.0;
        let repr = |source| Error(Box::new(Repr { source, at, backtrace }));
        source.downcast::<E>().map(|error| *error).map_err(repr)
    }

    /// How the program came to the line at which it became an [`Error`]: kept where an app with `DEBUG` was frozen.
    pub fn backtrace(&self) -> Option<&Backtrace> {
        self.0.backtrace.as_ref()
    }

    /// What it was made of.
    pub fn source(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0.source
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.source.fmt(f)?;
        if f.alternate() {
            let mut cause = self.0.source.source();
            while let Some(error) = cause {
                write!(f, "\n  caused by: {error}")?;
                cause = error.source();
            }
            write!(f, "\n  at {}", self.0.at)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What `main` prints when it returns the error, and what `unwrap` shows.
        write!(f, "{self:#}")
    }
}

#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Message {}

/// An error that says how it is answered: a status, a description, headers.
///
/// Made by [`abort`]; found again by `errorhandler(404, …)`.
pub struct HttpError(Box<HttpRepr>);

struct HttpRepr {
    status: StatusCode,
    description: Option<Cow<'static, str>>,
    /// What the client is told instead when the app's `DEBUG` is set.
    debug_description: Option<String>,
    headers: HeaderMap,
    original: Option<Arc<Error>>,
    /// The field that a 400 misses.
    missing: Option<String>,
    /// Behind a lock because a body is `Send` only, and an error must be `Sync`.
    response: Mutex<Option<Response>>,
}

impl HttpError {
    /// An error with this status. See [`abort`].
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

    /// The status's phrase, such as `Not Found`; for three of them the older one that Werkzeug has.
    pub fn name(&self) -> &'static str {
        match self.0.status.as_u16() {
            413 => "Request Entity Too Large",
            414 => "Request URI Too Long",
            416 => "Requested Range Not Satisfiable",
            _ => self.0.status.canonical_reason().unwrap_or("Unknown Error"),
        }
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

    /// The response that was given to [`abort`], if one was: it goes out as it is, past the error handlers.
    pub(crate) fn take_given(&self) -> Option<Response> {
        self.0.response.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// The response: the one given to [`abort`], or a small HTML page as Flask's.
    pub fn into_response(self) -> Response {
        if let Some(response) = self.take_given() {
            return response;
        }
        let name = self.name();
        let description = escape_html(self.description()).replace('\n', "<br>");
        let page = format!(
            "<!doctype html>\n<html lang=en>\n<title>{} {name}</title>\n<h1>{name}</h1>\n<p>{description}</p>\n",
            self.0.status.as_u16()
        );
        self.with_body(Response::html(page))
    }

    /// The response as JSON: `{"code": 404, "description": "…", "name": "Not Found"}`, as Flask's documentation does it;
    /// the one given to [`abort`] as it is. The configuration's `JSON_ERRORS` has all errors answered so.
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

/// As [`Error::here`], of a result.
pub(crate) trait Here {
    #[track_caller]
    fn here(self) -> Self;
}

impl<T> Here for Result<T> {
    #[track_caller]
    fn here(self) -> Result<T> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(error.here()),
        }
    }
}

/// Makes the error that ends a request with this status: `return Err(abort(404).into())`, or `Err(abort(404))?`.
/// The macro [`abort!`](crate::abort!) returns it at once.
///
/// Takes a status, or a whole [`Response`] or redirect, which is then sent as it is: no error handler sees it.
///
/// ```
/// use dewar::{Result, abort};
///
/// fn only_even(n: i64) -> Result<String> {
///     if n % 2 == 1 {
///         abort!(404, "no odd numbers here");
///     }
///     let half = n.checked_div(2).ok_or_else(|| abort(400))?;
///     Ok(half.to_string())
/// }
/// assert_eq!(only_even(3).unwrap_err().status(), 404);
/// ```
///
/// # Panics
/// At the caller's line, when a status number is not 400 to 599: an answer that is no error is returned, not aborted
/// with (Flask: `LookupError`). A panic in a handler is a logged 500.
#[must_use = "abort() only makes the error; to end the request with it write `abort!(…)` or `Err(abort(…))?`"]
#[track_caller]
pub fn abort(with: impl AbortWith) -> HttpError {
    with.into_http_error()
}

/// What [`abort`] takes: a status (`u16` or [`StatusCode`]), a [`Response`], or a [`Redirect`](crate::Redirect).
pub trait AbortWith {
    /// The error.
    fn into_http_error(self) -> HttpError;
}

impl AbortWith for u16 {
    #[track_caller]
    fn into_http_error(self) -> HttpError {
        assert!((400..600).contains(&self), "abort({self}): only 400 to 599 are errors; return a response instead");
        HttpError::new(self)
    }
}

impl AbortWith for StatusCode {
    #[track_caller]
    fn into_http_error(self) -> HttpError {
        self.as_u16().into_http_error()
    }
}

impl AbortWith for Response {
    fn into_http_error(self) -> HttpError {
        let error = HttpError::new(self.status());
        *error.0.response.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(self);
        error
    }
}

/// Ends the request: `abort!(404)`, `abort!(404, "no such {thing}")`, `abort!(response)`. It returns from the function,
/// whose error type must be made of an [`HttpError`]; see [`abort`](fn@crate::abort) for the error alone.
#[macro_export]
macro_rules! abort {
    ($with:expr) => {
        return ::core::result::Result::Err($crate::abort($with).into())
    };
    ($with:expr, $($description:tt)+) => {
        return ::core::result::Result::Err($crate::abort($with).with_description(::std::format!($($description)+)).into())
    };
}

/// Turns errors that are no `std::error::Error` into an [`Error`], which is answered with 500.
///
/// ```
/// use dewar::{Or500, Result};
/// use std::sync::{Arc, Mutex};
///
/// fn count(visits: &Mutex<u64>) -> Result<u64> {
///     Ok(*visits.lock().or_500()?) // a poisoned lock
/// }
/// # assert_eq!(count(&Mutex::new(1)).unwrap(), 1);
/// ```
pub trait Or500<T> {
    /// The value, or an [`Error`] with the error's text (`{:#}`, which is `anyhow`'s whole chain) and the caller's line.
    ///
    /// # Errors
    /// The error, as an [`Error`].
    fn or_500(self) -> Result<T>;
}

impl<T, E: fmt::Display> Or500<T> for std::result::Result<T, E> {
    #[track_caller]
    fn or_500(self) -> Result<T> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(Error::msg(format!("{error:#}"))),
        }
    }
}

/// Turns a missing value into an HTTP error: `posts.get(id).or_404()?`.
pub trait OrAbort<T> {
    /// The value, or 404.
    ///
    /// # Errors
    /// 404, when there is none.
    fn or_404(self) -> Result<T>;

    /// The value, or this error.
    ///
    /// # Errors
    /// [`abort(with)`](abort), when there is none.
    fn or_abort(self, with: impl AbortWith) -> Result<T>;
}

impl<T> OrAbort<T> for Option<T> {
    #[track_caller]
    fn or_404(self) -> Result<T> {
        self.or_abort(404)
    }

    #[track_caller]
    fn or_abort(self, with: impl AbortWith) -> Result<T> {
        match self {
            Some(value) => Ok(value),
            None => Err(abort(with).into()),
        }
    }
}

/// The value of an `Allow` header: `GET, HEAD, OPTIONS`.
pub(crate) fn allow_value<'m>(allowed: impl IntoIterator<Item = &'m Method>) -> HeaderValue {
    let list = allowed.into_iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(list).expect("methods are tokens, which a header can carry")
}

fn usual_description(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "The server could not understand what this browser (or proxy) sent.",
        401 => "This page needs credentials that were missing or wrong.",
        403 => "You may not see this page: it is there, but not for you.",
        404 => {
            "The requested URL was not found on the server. If you entered the URL manually please check your spelling \
             and try again."
        }
        405 => "The method is not allowed for the requested URL.",
        406 => "There is no form of this resource that your browser says it accepts.",
        408 => "The server closed the connection because the browser did not finish its request in time.",
        409 => "The request conflicts with the present state of this resource.",
        410 => "This URL was once here and is gone for good.",
        411 => "This resource can only be sent to with a valid Content-Length header.",
        412 => "A precondition that the request set does not hold.",
        413 => "The data that was sent is more than the server accepts.",
        414 => "The requested URL is longer than the server accepts.",
        415 => "The server does not take data of this media type.",
        416 => "The server cannot give the range that was asked for.",
        417 => "The server cannot do what the request's Expect header asks for.",
        418 => "This is a teapot: there is no coffee to be had from it.",
        421 => "The request went to a server that does not answer for this host.",
        422 => "The request was well-formed, but what it says makes no sense here.",
        423 => "This resource is locked.",
        424 => "Another request, which this one depends on, has failed.",
        428 => "This request must be conditional: try it with If-Match.",
        429 => "There were too many requests from you in a short time.",
        431 => "The request's headers are larger than the server accepts.",
        451 => "This resource may not be shown, for legal reasons.",
        500 => {
            "The server has met an error of its own and could not answer. It may be overloaded, or the application has \
             a fault."
        }
        501 => "The server does not know how to do what this request asks for.",
        502 => "A server behind this one gave an answer that could not be used.",
        503 => "The server cannot answer just now. Please try again a little later.",
        504 => "A server behind this one did not answer in time.",
        505 => "The server does not speak the version of HTTP that the request used.",
        _ => "The request was not answered as it asked.",
    }
}
