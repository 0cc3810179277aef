//! A line of the access log, from the request to the end of its response.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Method, StatusCode, Version};

use crate::server::{AccessLog, access};

/// A line that is logged when it is dropped, so that there is one for each response, however that ended.
pub(super) struct Entry {
    format: Arc<AccessLog>,
    headers: Vec<Option<Vec<u8>>>,
    peer: Option<SocketAddr>,
    method: Method,
    target: String,
    version: Version,
    since: Instant,
    /// What the client was told; nothing is logged of what was never answered.
    pub(super) status: Option<StatusCode>,
    /// Bytes of the body.
    pub(super) bytes: u64,
}

impl Entry {
    /// Made when somebody reads the log.
    pub(super) fn begin(
        peer: Option<SocketAddr>,
        method: &Method,
        target: impl ToString,
        version: Version,
        headers: &HeaderMap,
    ) -> Option<Box<Entry>> {
        let format = access::wanted()?;
        let headers = access::headers(&format, |name| headers.get(name).map(|value| value.as_bytes().to_owned()));
        let (method, target, since) = (method.clone(), target.to_string(), Instant::now());
        Some(Box::new(Entry { format, headers, peer, method, target, version, since, status: None, bytes: 0 }))
    }

    /// Of what is no request: by what its first line looks like.
    pub(super) fn of_malformed(peer: Option<SocketAddr>, input: &[u8]) -> Option<Box<Entry>> {
        access::wanted()?;
        let line = input.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut words = line.split(|byte| *byte == b' ');
        let method = words.next().and_then(|word| Method::from_bytes(word).ok());
        let method = method.unwrap_or_else(|| Method::from_bytes(b"-").unwrap_or_default());
        let target = words.next().map_or("-".into(), |word| String::from_utf8_lossy(word));
        Entry::begin(peer, &method, target.trim_end(), Version::HTTP_11, &HeaderMap::new())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Some(status) = self.status else { return };
        access::Line {
            format: &self.format,
            headers: &self.headers,
            peer: self.peer,
            method: &self.method,
            target: &self.target,
            version: self.version,
            status,
            bytes: self.bytes,
            took: self.since.elapsed(),
        }
        .log();
    }
}
