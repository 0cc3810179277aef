//! Who asked, and what the access log says of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ::tiny_http as tiny;
use http::Method;

use super::head::{self, Terms};
use super::send::Tally;
use crate::server::{AccessLog, access};

/// A request as its answer is accounted for.
pub(super) struct Visit {
    pub(super) terms: Terms,
    pub(super) addr: Option<SocketAddr>,
    /// None when nobody reads the access log.
    entry: Option<Box<Entry>>,
}

struct Entry {
    format: Arc<AccessLog>,
    headers: Vec<Option<Vec<u8>>>,
    method: Method,
    target: String,
    since: Instant,
}

impl Visit {
    pub(super) fn of(request: &tiny::Request) -> Visit {
        let entry = access::wanted().map(|format| {
            // What is no method is not written either; its request is refused.
            let method =
                head::method(request.method()).unwrap_or_else(|_| Method::from_bytes(b"-").unwrap_or_default());
            let headers = access::headers(&format, |name| {
                let found =
                    request.headers().iter().find(|h| h.field.as_str().as_str().eq_ignore_ascii_case(name.as_str()));
                found.map(|header| header.value.as_bytes().to_owned())
            });
            Box::new(Entry { format, headers, method, target: request.url().to_owned(), since: Instant::now() })
        });
        Visit { terms: Terms::of(request), addr: request.remote_addr().copied(), entry }
    }

    /// Writes its line.
    pub(super) fn answered(&self, tally: Tally) {
        let Some(entry) = &self.entry else { return };
        let line = access::Line {
            format: &entry.format,
            headers: &entry.headers,
            peer: self.addr,
            method: &entry.method,
            target: &entry.target,
            version: self.terms.version,
            status: tally.status,
            bytes: tally.bytes,
            took: entry.since.elapsed(),
        };
        line.log();
    }
}
