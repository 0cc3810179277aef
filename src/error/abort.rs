//! Ending a request with an error: `abort`, and what turns other results into one.

use std::fmt;

use http::StatusCode;

use super::{Error, HttpError, Result};
use crate::response::Response;

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
