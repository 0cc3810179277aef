//! Dewar.

mod body;
mod conditional;
mod cookie;
mod error;
mod multidict;
// What runs on it is an engine, and there may be none.
#[cfg_attr(not(feature = "tiny_http"), allow(dead_code))]
mod pool;
mod request;
mod response;
pub mod server;
mod service;

pub use body::{Body, BodyTooLarge};
pub use cookie::{Cookie, SameSite, parse_cookies};
pub use error::{AbortWith, Error, HttpError, Or500, OrAbort, Result, abort};
pub use multidict::MultiDict;
pub use pool::PoolStats;
pub use request::Request;
pub use response::{IntoStatus, Response, escape_html};
pub use service::Service;
