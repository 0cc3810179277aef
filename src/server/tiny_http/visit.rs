//! Who asked, and what the access log says of it.

use std::net::SocketAddr;
use std::time::Instant;

use ::tiny_http as tiny;
use http::Method;

use super::head::{self, Terms};
use super::send::Tally;
use crate::server::access;

/// A request as its answer is accounted for.
pub(super) struct Visit {
    pub(super) terms: Terms,
    pub(super) addr: Option<SocketAddr>,
    /// None when nobody reads the access log.
    entry: Option<Box<Entry>>,
}

struct Entry {
    method: Method,
    target: String,
    since: Instant,
}

impl Visit {
    pub(super) fn of(request: &tiny::Request) -> Visit {
        let entry = access::enabled().then(|| {
            // What is no method is not written either; its request is refused.
            let method =
                head::method(request.method()).unwrap_or_else(|_| Method::from_bytes(b"-").unwrap_or_default());
            Box::new(Entry { method, target: request.url().to_owned(), since: Instant::now() })
        });
        Visit { terms: Terms::of(request), addr: request.remote_addr().copied(), entry }
    }

    /// Writes its line.
    pub(super) fn answered(&self, tally: Tally) {
        let Some(entry) = &self.entry else { return };
        let line = access::Line {
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
