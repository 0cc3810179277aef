//! Every bound that a server sets, with its default.

use std::time::Duration;

/// What a server allows. Every limit has a default; change one with `Limits { body: 1 << 20, ..Limits::default() }`.
///
/// Engines differ in what they can hold a client to: their docs name the limits that they do not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that a request's head may have, from its first line to the empty one: 64 KiB. A longer one is answered with
    /// 431 before it has come in whole, and its connection is closed.
    pub head: usize,
    /// Header lines that a request may have: 100. With more it is answered with 431, before the handler runs, and its
    /// connection is closed. Above 20,000 it makes no difference.
    pub headers: usize,
    /// Bytes that a request's target may have, which is its path and query as they are sent: 8192. A longer one is
    /// answered with 414, before the handler runs, and its connection is closed. Above 65,534 it makes no difference.
    pub target: usize,
    /// Bytes that a request's body may have: 16 MiB. One that says it is longer is answered with 413 before the handler
    /// runs; one that turns out longer makes reading it fail with [`BodyTooLarge`](crate::BodyTooLarge).
    pub body: u64,
    /// Bytes of a body that are taken in before a worker gets the request: 64 KiB. A body up to this never keeps a worker
    /// waiting for a slow client; of a longer one, the handler reads the rest from the connection.
    pub body_ahead: u64,
    /// Bytes of a body that nobody wants, because the handler left it unread or it is over the limit, which are read
    /// and thrown away: 64 MiB. It keeps the connection usable, and clients that look at an answer only when they have
    /// sent everything see it. It is not the worker that does it.
    pub unread_body: u64,
    /// Connections that there may be at once, idle ones included: 20,000. One beyond them is answered with 503 when it is
    /// accepted, and closed. An idle one takes less than a kilobyte; one that has half-sent a head and a small body at most
    /// [`head`](Limits::head) and [`body_ahead`](Limits::body_ahead), so all of them 2.6 GB. The native engine raises the
    /// process's limit of descriptors as far as the system allows without asking, if that is lower.
    pub connections: usize,
    /// How long a request's head may take to come in whole: 30 seconds, from its first byte on, or from connecting for
    /// the first request of a connection. After that it is answered with 408 and the connection is closed; one on which
    /// nothing has come is closed silently.
    pub head_timeout: Duration,
    /// How long a client may send nothing of a body that is waited for, between two reads: 30 seconds. Then reading it
    /// fails in the handler, or the request is answered with 408 if none runs yet, and the connection is closed.
    pub body_timeout: Duration,
    /// How long a connection may be idle between two requests: 75 seconds. After that it is closed silently.
    pub keep_alive: Duration,
    /// Bytes per second that a client must send of a body, or take of a response: 256, on average, looked at from the
    /// tenth second on. While a worker waits for it, what it did long ago does not count. Slower ones are treated as
    /// those that are silent for too long ([`body_timeout`](Limits::body_timeout),
    /// [`write_timeout`](Limits::write_timeout)). 0 sets no rate.
    pub min_rate: u64,
    /// How long a request may wait for a free worker: 10 seconds. After that it is answered with 503 and `Retry-After`,
    /// outside of the pool.
    pub queue_deadline: Duration,
    /// How long a handler may run before it is named in the log: 30 seconds. It is not stopped, which no thread can be:
    /// the warning tells what to look at when workers are short. Zero never warns.
    pub slow_handler: Duration,
    /// How long a client may take nothing of a response while the server wants to send: 30 seconds. Then the connection
    /// is given up. (On Unix.)
    pub write_timeout: Duration,
    /// How long a server goes on accepting when a shutdown begins: 0 seconds. Requests are answered with
    /// `Connection: close` meanwhile, so that a load balancer that still sends some can notice. It is taken from the
    /// time that the shutdown has.
    pub drain_grace: Duration,
    /// How long requests in flight may take to finish at a shutdown: 30 seconds. What is not finished then is cut.
    pub shutdown_deadline: Duration,
    /// Worker threads that there may be at most, which is how many handlers can block at once: 256.
    pub max_workers: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head: 64 << 10,
            headers: 100,
            target: 8192,
            body: 16 << 20,
            body_ahead: 64 << 10,
            unread_body: 64 << 20,
            connections: 20_000,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            min_rate: 256,
            queue_deadline: Duration::from_secs(10),
            slow_handler: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            drain_grace: Duration::ZERO,
            shutdown_deadline: Duration::from_secs(30),
            max_workers: 256,
        }
    }
}
