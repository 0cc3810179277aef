//! Statuses: as numbers, and as the line that they are sent in.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;

use super::Response;

/// What can be given as a status: a `u16` or a [`StatusCode`].
pub trait IntoStatus {
    /// The status.
    ///
    /// # Panics
    /// When a number is outside of 100 to 999.
    fn into_status(self) -> StatusCode;
}

impl IntoStatus for StatusCode {
    fn into_status(self) -> StatusCode {
        self
    }
}

impl IntoStatus for u16 {
    #[track_caller]
    fn into_status(self) -> StatusCode {
        let Ok(status) = StatusCode::from_u16(self) else {
            panic!("{self} is not an HTTP status: those have three digits");
        };
        status
    }
}

/// The words of a status as Werkzeug has them, on pages and in [`Response::status_line`]: RFC 9110's, but for seven, of which
/// some are an older RFC's. The engines write the RFC's.
pub(crate) fn phrase(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        207 => Some("Multi Status"),
        306 => Some("Switch Proxy"),
        413 => Some("Request Entity Too Large"),
        414 => Some("Request URI Too Long"),
        416 => Some("Requested Range Not Satisfiable"),
        449 => Some("Retry With"),
        511 => Some("Network Authentication Failed"),
        _ => status.canonical_reason(),
    }
}

/// The words behind the status, where they are not the usual ones: in the extensions, since hardly any response has them.
#[derive(Debug, Clone)]
pub(crate) struct Reason(pub(crate) Arc<str>);

/// A text that cannot be a status line, such as `404 Not Found` is.
#[derive(Debug, Clone)]
pub struct BadStatus(String);

impl fmt::Display for BadStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a status: write three digits, and words without control characters if you like", self.0)
    }
}

impl std::error::Error for BadStatus {}

impl Response {
    /// The status as a number (Flask's `status_code`).
    pub fn status_code(&self) -> u16 {
        self.status.as_u16()
    }

    /// The status with its words, as Flask 3.1 has them: `404 NOT FOUND` (its `status`); or as they were set.
    ///
    /// The engines send the usual words in their usual case.
    ///
    /// ```
    /// use dewar::Response;
    ///
    /// let mut response = Response::empty(404);
    /// assert_eq!(response.status_line(), "404 NOT FOUND");
    /// response.set_status_line("404 nothing here")?;
    /// assert_eq!((response.status_code(), &*response.status_line()), (404, "404 nothing here"));
    /// # Ok::<(), dewar::BadStatus>(())
    /// ```
    pub fn status_line(&self) -> String {
        match self.extensions.get::<Reason>() {
            Some(Reason(words)) => format!("{} {words}", self.status.as_str()),
            None => {
                let words = phrase(self.status).unwrap_or("Unknown");
                format!("{} {}", self.status.as_str(), words.to_ascii_uppercase())
            }
        }
    }

    /// Sets the status with words of your own: `"404 nothing here"`. Without words they are the usual ones.
    ///
    /// # Errors
    /// When it does not begin with three digits, of which the first is no zero, or has control characters.
    pub fn set_status_line(&mut self, line: &str) -> Result<(), BadStatus> {
        let bad = || BadStatus(line.to_owned());
        let (code, words) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let status = StatusCode::from_bytes(code.as_bytes()).map_err(|_| bad())?;
        if words.chars().any(char::is_control) {
            return Err(bad());
        }
        self.set_status(status);
        if !words.trim().is_empty() {
            self.extensions.insert(Reason(words.trim().into()));
        }
        Ok(())
    }
}
