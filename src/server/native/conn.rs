//! What is known of a connection. Whoever holds the box owns the connection.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::{Method, Version};

use super::core::Core;
use super::entry::Entry;
use super::ready::Interest;
use super::stream::Stream;
use super::table::Token;
use crate::body::Closers;
use crate::proto::{BodyDecoder, RequestHead};

/// Dropping it ends the connection, also when what a handler left panics on the way: its place is free again.
pub(super) struct Conn {
    pub(super) core: Weak<Core>,
    pub(super) stream: Arc<Stream>,
    pub(super) token: Token,
    pub(super) peer: Option<SocketAddr>,
    /// The shard that is told of its events, and of which ones.
    pub(super) shard: usize,
    pub(super) interest: Interest,
    /// Its last request was slow, so the next one will be: so many quick ones are to come before that is forgotten.
    pub(super) slow: u8,
    pub(super) stage: Stage,
    /// Bytes that have come and were not looked at.
    pub(super) input: Input,
    /// Answers to earlier requests that were to be sent together with the next one.
    pub(super) unsent: Vec<u8>,
    /// The kernel may have more of them: it told so, or the last read was full.
    pub(super) more: bool,
    /// The client was told to send no more: read until the end, which comes with no event of its own.
    pub(super) half: bool,
    /// The client has sent its last byte, and we have it.
    pub(super) ended: bool,
    /// A response broke off: its end is not to look like one in order.
    pub(super) broken: bool,
    /// Requests answered.
    pub(super) served: u32,
    /// When the present stage must be over, or must have come on, in milliseconds since the start of the server.
    pub(super) due: u64,
}

impl Drop for Conn {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            core.vacate(self);
        }
    }
}

/// What happens on the connection while nobody owns it.
pub(super) enum Stage {
    /// Client and server agree on keys.
    Handshake,
    /// The head of the next request is awaited; the beginning of it may be there.
    Head,
    /// A small body is taken in, before a worker gets the request.
    Ahead(Box<Ahead>),
    /// What is left of a response is sent.
    Sending(Box<Outgoing>),
    /// A body that nobody wanted is read and thrown away, at most so many bytes of it.
    Draining(BodyDecoder, u64),
    /// The last response is out. What the client still sends is thrown away until it has seen that: to close at once
    /// would reset the connection, and the response with it. At most so many bytes, and not beyond this time.
    Lingering(u64, u64),
}

pub(super) struct Ahead {
    pub(super) head: RequestHead,
    pub(super) decoder: BodyDecoder,
    pub(super) body: Vec<u8>,
    pub(super) pace: Pace,
}

/// A response whose rest does not need a worker.
pub(super) struct Outgoing {
    pub(super) first: Bytes,
    pub(super) second: Bytes,
    /// A file, and how many bytes of it are left.
    pub(super) file: Option<(File, u64)>,
    /// Run when all is sent or given up.
    pub(super) closers: Option<Closers>,
    pub(super) after: After,
    pub(super) pace: Pace,
}

impl Outgoing {
    pub(super) fn is_done(&self) -> bool {
        self.first.is_empty() && self.second.is_empty() && self.file.is_none()
    }
}

/// How a client that is waited for gets on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) began: u64,
    pub(super) bytes: u64,
}

impl Pace {
    /// For so long nothing is said about a slow one.
    const GRACE: u64 = 10_000;

    pub(super) fn from(now: u64) -> Pace {
        Pace { began: now, bytes: 0 }
    }

    /// Whether it has sent or taken fewer bytes than `min_rate` a second.
    pub(super) fn is_too_slow(&self, now: u64, min_rate: u64) -> bool {
        let took = now.saturating_sub(self.began);
        took > Pace::GRACE && self.bytes < (took / 1000).saturating_mul(min_rate)
    }
}

/// What comes after a response.
pub(super) struct After {
    /// The connection ends.
    pub(super) close: bool,
    /// The part of the request's body that was not read.
    pub(super) unread: Option<BodyDecoder>,
    /// Logged when it is dropped.
    pub(super) entry: Option<Box<Entry>>,
}

/// What the answer has to know of its request.
pub(super) struct Terms {
    pub(super) method: Method,
    pub(super) version: Version,
    pub(super) keep_alive: bool,
    pub(super) wants_trailers: bool,
    /// The client asks for another protocol.
    pub(super) upgradable: bool,
    /// For the access log, when somebody reads it.
    pub(super) entry: Option<Box<Entry>>,
}

impl Terms {
    /// For the last answer on a connection.
    pub(super) fn last(method: Method, version: Version) -> Terms {
        Terms { method, version, keep_alive: false, wants_trailers: false, upgradable: false, entry: None }
    }
}

/// Bytes that were received, and how far they have been used up.
#[derive(Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
}

impl Input {
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.bytes.len());
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// An idle connection keeps no memory for it.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() && self.bytes.capacity() > 0 {
            *self = Input::default();
        }
    }
}
