//! Errors: any error by `?`, HTTP errors by [`abort`], each found again by its status or its type.

mod abort;
mod descriptions;
mod http_error;

use std::any::TypeId;
use std::backtrace::Backtrace;
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;

pub use abort::{AbortWith, Or500, OrAbort, abort};
pub use http_error::HttpError;
pub(crate) use http_error::allow_value;

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
