//! What handlers may return: everything that is [`IntoResponse`].

mod stream_body;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::body::Body;
use crate::cookie::Cookie;
use crate::error::{AbortWith, Error, Here, HttpError, Result};
use crate::response::{IntoStatus, Response};

pub use self::stream_body::StreamBody;

/// What a handler may return (Flask's view return values).
///
/// | returned | answered |
/// | --- | --- |
/// | `String`, `&'static str`, `Cow<'static, str>` | `text/html; charset=utf-8` |
/// | `Vec<u8>`, `Bytes`, `&'static [u8]` | the same, as Flask does with bytes |
/// | [`Json<T>`](crate::Json), [`serde_json::Value`], maps | `application/json` |
/// | [`Body`] | as it is, streamed where it is a stream |
/// | [`StreamBody`] | an async stream, as `text/html` unless it says otherwise |
/// | `()` | 200, empty |
/// | `(body, status)`, `(body, headers)`, `(body, status, headers)` | the body with them; headers replace what it had; a status is a number, or text such as `"404 nothing here"` |
/// | [`Redirect`], [`Response`], `http::Response<B>` | that |
/// | `Option<T>` | `None` is 404 |
/// | `Result<T, E>` | `Err` goes to the error handlers |
///
/// ```
/// use dewar::{App, IntoResponse, Json};
///
/// fn created() -> impl IntoResponse {
///     (Json([1, 2, 3]), 201, [("x-total", "3")])
/// }
/// let mut app = App::new("demo");
/// app.get("/", created);
/// let response = app.test_client().get("/");
/// assert_eq!(response.status(), 201);
/// assert_eq!(response.header("x-total"), Some("3"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be turned into a response",
    label = "not a response",
    note = "a handler returns text, bytes, `Json<T>`, `Body`, a tuple `(body, status)` or `(body, status, headers)`, `Option`, or `dewar::Result` of these",
    note = "the error of a `Result` must be `Into<dewar::Error>`: derive `std::error::Error` for it, or use `.or_500()`"
)]
pub trait IntoResponse {
    /// Makes the response.
    ///
    /// # Errors
    /// What the error handlers are to see: the `Err` of a `Result`, JSON that cannot be written, a header that cannot
    /// be one.
    fn into_response(self) -> Result<Response>;
}

impl IntoResponse for Response {
    fn into_response(self) -> Result<Response> {
        Ok(self)
    }
}

impl<B: Into<Body>> IntoResponse for http::Response<B> {
    fn into_response(self) -> Result<Response> {
        Ok(self.into())
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Result<Response> {
        Ok(Response::new(self))
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Result<Response> {
        Ok(Response::html(()))
    }
}

macro_rules! html {
    ($($t:ty),*) => { $(
        impl IntoResponse for $t {
            fn into_response(self) -> Result<Response> {
                Ok(Response::html(self))
            }
        }
    )* };
}
html!(String, &'static str, Vec<u8>, &'static [u8], Bytes);

impl IntoResponse for Cow<'static, str> {
    fn into_response(self) -> Result<Response> {
        match self {
            Cow::Borrowed(text) => text.into_response(),
            Cow::Owned(text) => text.into_response(),
        }
    }
}

impl<T: IntoResponse> IntoResponse for Option<T> {
    fn into_response(self) -> Result<Response> {
        match self {
            Some(value) => value.into_response(),
            None => Err(HttpError::new(404).into()),
        }
    }
}

impl<T: IntoResponse, E: Into<Error>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Result<Response> {
        self.map_err(Into::into)?.into_response()
    }
}

/// The error as the error handlers see it; useful where one function returns either.
impl IntoResponse for HttpError {
    fn into_response(self) -> Result<Response> {
        Err(self.into())
    }
}

impl<T: IntoResponse> IntoResponse for (T, u16) {
    fn into_response(self) -> Result<Response> {
        Ok(self.0.into_response()?.with_status(status(self.1)?))
    }
}

impl<T: IntoResponse> IntoResponse for (T, StatusCode) {
    fn into_response(self) -> Result<Response> {
        Ok(self.0.into_response()?.with_status(self.1))
    }
}

macro_rules! status_lines {
    ($($line:ty),*) => { $(
        /// With words of one's own behind the status: `("gone fishing", "404 nothing here")`.
        impl<T: IntoResponse> IntoResponse for (T, $line) {
            fn into_response(self) -> Result<Response> {
                let mut response = self.0.into_response()?;
                response.set_status_line(&self.1)?;
                Ok(response)
            }
        }

        /// With words of one's own behind the status, and headers.
        impl<T: IntoResponse, H: IntoHeaders> IntoResponse for (T, $line, H) {
            fn into_response(self) -> Result<Response> {
                let mut response = (self.0, self.2).into_response()?;
                response.set_status_line(&self.1)?;
                Ok(response)
            }
        }
    )* };
}
status_lines!(&'static str, String);

impl<T: IntoResponse, H: IntoHeaders> IntoResponse for (T, H) {
    fn into_response(self) -> Result<Response> {
        let mut response = self.0.into_response()?;
        self.1.replace_in(response.headers_mut())?;
        Ok(response)
    }
}

impl<T: IntoResponse, H: IntoHeaders> IntoResponse for (T, u16, H) {
    fn into_response(self) -> Result<Response> {
        Ok((self.0, self.2).into_response()?.with_status(status(self.1)?))
    }
}

impl<T: IntoResponse, H: IntoHeaders> IntoResponse for (T, StatusCode, H) {
    fn into_response(self) -> Result<Response> {
        Ok((self.0, self.2).into_response()?.with_status(self.1))
    }
}

fn status(code: u16) -> Result<StatusCode> {
    // A number that a handler computed is a handler's error: 500, not a panic.
    StatusCode::from_u16(code).map_err(|_| Error::msg(format!("{code} is not an HTTP status")))
}

/// Makes a response of whatever a view may return, to be changed before it is returned (Flask's `make_response`);
/// `make_response(())` is an empty 200.
///
/// ```
/// use dewar::{App, Response, Result, make_response};
///
/// fn index() -> Result<Response> {
///     let mut response = make_response(("hello", 201))?;
///     response.set_header("x-parrot", "dead");
///     Ok(response)
/// }
///
/// let mut app = App::new("demo");
/// app.get("/", index);
/// assert_eq!(app.test_client().get("/").header("x-parrot"), Some("dead"));
/// ```
///
/// # Errors
/// As [`IntoResponse::into_response`].
#[track_caller]
pub fn make_response(value: impl IntoResponse) -> Result<Response> {
    value.into_response().here()
}

/// What can stand as the headers of a tuple: pairs in an array or a `Vec`, a map, or a [`HeaderMap`].
pub trait IntoHeaders {
    /// Puts them in place of those that are there.
    ///
    /// # Errors
    /// When a name or a value cannot be a header.
    fn replace_in(self, headers: &mut HeaderMap) -> Result<()>;
}

impl IntoHeaders for HeaderMap {
    fn replace_in(self, headers: &mut HeaderMap) -> Result<()> {
        headers.extend(self);
        Ok(())
    }
}

impl<N: AsRef<str>, V: AsRef<str>, const LEN: usize> IntoHeaders for [(N, V); LEN] {
    fn replace_in(self, headers: &mut HeaderMap) -> Result<()> {
        replace(self, headers)
    }
}

impl<N: AsRef<str>, V: AsRef<str>> IntoHeaders for Vec<(N, V)> {
    fn replace_in(self, headers: &mut HeaderMap) -> Result<()> {
        replace(self, headers)
    }
}

impl<N: AsRef<str>, V: AsRef<str>> IntoHeaders for std::collections::BTreeMap<N, V> {
    fn replace_in(self, headers: &mut HeaderMap) -> Result<()> {
        replace(self, headers)
    }
}

impl<N: AsRef<str>, V: AsRef<str>, S> IntoHeaders for std::collections::HashMap<N, V, S> {
    fn replace_in(self, headers: &mut HeaderMap) -> Result<()> {
        replace(self, headers)
    }
}

fn replace<N: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (N, V)>,
    headers: &mut HeaderMap,
) -> Result<()> {
    let mut new = HeaderMap::new();
    for (name, value) in pairs {
        // Appended, so that a name given twice comes twice.
        new.append(HeaderName::try_from(name.as_ref())?, HeaderValue::try_from(value.as_ref())?);
    }
    headers.extend(new);
    Ok(())
}

/// An answer that sends the client elsewhere. Made by [`redirect`].
#[derive(Debug, Clone)]
pub struct Redirect {
    location: String,
    status: StatusCode,
    cookies: Vec<Cookie>,
}

/// Sends the client to `location` with 302, which makes it GET that.
///
/// A location that a client gave (`?next=…`) may name another site, also as `//host` or with a scheme such as
/// `javascript:`; follow it only when it is one of your own.
///
/// A view that answers with a page or a redirect makes a [`Response`] of both:
///
/// ```
/// use dewar::{App, Response, Result, redirect, request};
///
/// fn edit() -> Result<Response> {
///     if request().method() == "POST" {
///         return Ok(redirect("/").into());
///     }
///     Ok("<form method=post><button>Save</button></form>".into())
/// }
///
/// let mut app = App::new("demo");
/// app.get("/old", || redirect("/edit"));
/// app.route("/edit", edit).methods(["GET", "POST"]);
/// let client = app.test_client();
/// assert_eq!(client.get("/old").header("location"), Some("/edit"));
/// assert_eq!(client.post("/edit").send().header("location"), Some("/"));
/// ```
pub fn redirect(location: impl Into<String>) -> Redirect {
    Redirect { location: location.into(), status: StatusCode::FOUND, cookies: Vec::new() }
}

impl Redirect {
    /// With another status: 301, 303, 307 or 308.
    ///
    /// # Panics
    /// At the caller's line, when the status is none of 300 to 399.
    #[track_caller]
    pub fn status(mut self, status: impl IntoStatus) -> Redirect {
        let status = status.into_status();
        assert!(status.is_redirection(), "{status} does not send a client elsewhere: use 301, 302, 303, 307 or 308");
        self.status = status;
        self
    }

    /// 303: what to look at after a form was sent.
    pub fn see_other(self) -> Redirect {
        self.status(StatusCode::SEE_OTHER)
    }

    /// Sets a cookie along the way.
    pub fn with_cookie(mut self, cookie: Cookie) -> Redirect {
        self.cookies.push(cookie);
        self
    }

    /// 308: for good, with the same method and body.
    pub fn permanent(self) -> Redirect {
        self.status(StatusCode::PERMANENT_REDIRECT)
    }

    /// Where to.
    pub fn location(&self) -> &str {
        &self.location
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Result<Response> {
        Ok(self.into())
    }
}

/// For a view that answers with a page or a redirect: `Ok(redirect("/").into())`.
impl From<Redirect> for Response {
    fn from(redirect: Redirect) -> Response {
        let mut response = Response::redirect(&redirect.location, redirect.status);
        redirect.cookies.into_iter().for_each(|cookie| response.set_cookie(cookie));
        response
    }
}

/// `text/html`, as a view that returns text is answered.
impl From<String> for Response {
    fn from(html: String) -> Response {
        Response::html(html)
    }
}

/// `text/html`, as a view that returns text is answered.
impl From<&'static str> for Response {
    fn from(html: &'static str) -> Response {
        Response::html(html)
    }
}

/// `abort!(redirect("/login"))` sends the client there from wherever it is, such as an extractor.
impl AbortWith for Redirect {
    fn into_http_error(self) -> HttpError {
        Response::from(self).into_http_error()
    }
}
