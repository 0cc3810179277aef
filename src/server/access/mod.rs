//! The access log: one line for each response.

mod format;
#[cfg(any(unix, feature = "tiny_http"))]
mod line;
mod moment;

#[cfg(any(unix, feature = "tiny_http"))]
use std::sync::Arc;

#[cfg(any(unix, feature = "tiny_http"))]
use log::Level;

pub use format::{AccessLog, Template, UnknownFormat, set_access_log};
#[cfg(any(unix, feature = "tiny_http"))]
pub(super) use line::Line;
pub(crate) use moment::Moment;

#[cfg(any(unix, feature = "tiny_http"))]
const TARGET: &str = "dewar::access";

/// How its lines look, if anybody reads it. Costs a look at a number unless it is so.
#[cfg(any(unix, feature = "tiny_http"))]
pub(super) fn wanted() -> Option<Arc<AccessLog>> {
    if !log::log_enabled!(target: TARGET, Level::Info) {
        return None;
    }
    Some(format::current()).filter(|format| **format != AccessLog::Off)
}

/// The request's headers that the lines have: of several of one name the first.
#[cfg(any(unix, feature = "tiny_http"))]
pub(super) fn headers(format: &AccessLog, of: impl Fn(&http::HeaderName) -> Option<Vec<u8>>) -> Vec<Option<Vec<u8>>> {
    format.headers().iter().map(of).collect()
}
