//! The access log: one line for each response.

use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, StatusCode, Version};
use log::Level;

use crate::quiet::quietly;

const TARGET: &str = "dewar::access";
/// Bytes of a target that are written. One that is refused for its length shall not fill the log either.
const LONGEST: usize = 8192;

/// Whether anybody reads it. Costs a look at a number unless it is so.
pub(super) fn enabled() -> bool {
    log::log_enabled!(target: TARGET, Level::Info)
}

/// A response that was sent, and what it was sent for.
///
/// `127.0.0.1 "GET /hello?x=1 HTTP/1.1" 200 13 0.42ms`
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Who asked; none for a Unix socket.
    pub(super) peer: Option<SocketAddr>,
    pub(super) method: &'a Method,
    /// As the client sent it.
    pub(super) target: &'a str,
    pub(super) version: Version,
    pub(super) status: StatusCode,
    /// Bytes of the body as they went over the wire.
    pub(super) bytes: u64,
    /// From when the request was taken until the response was sent.
    pub(super) took: Duration,
}

impl Line<'_> {
    /// A logger that panics does no harm.
    pub(super) fn log(self) {
        quietly(|| log::info!(target: TARGET, "{self}"));
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Some(peer) => write!(f, "{} \"", peer.ip())?,
            None => f.write_str("unix \"")?,
        }
        write!(f, "{} {} {:?}\" ", self.method, Escaped(self.target), self.version)?;
        write!(f, "{} {} {:.2}ms", self.status.as_u16(), self.bytes, self.took.as_secs_f64() * 1000.0)
    }
}

/// What a client sent, in which nothing can end the line or the quotes, or speak to a terminal.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0.as_bytes().iter().take(LONGEST) {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", byte as char)?,
                b' '..=b'~' => f.write_char(byte as char)?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        if self.0.len() > LONGEST { f.write_str("...") } else { Ok(()) }
    }
}
