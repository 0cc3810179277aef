//! Every bound that a server sets, with its default.

use std::time::Duration;

/// What a server allows. Every limit has a default; change one with `Limits { body: 1 << 20, ..Limits::default() }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that a request's body may have: 16 MiB. One that says it is longer is answered with 413 before the handler
    /// runs; one that turns out longer makes reading it fail with [`BodyTooLarge`](crate::BodyTooLarge).
    pub body: u64,
    /// Bytes of a body that nobody wants, because the handler left it unread or it is over the limit, which are read
    /// and thrown away: 64 MiB. It keeps the connection usable, and clients that look at an answer only when they have
    /// sent everything see it. It is not the worker that does it.
    pub unread_body: u64,
    /// How long a request may wait for a free worker: 10 seconds. After that it is answered with 503 and `Retry-After`,
    /// outside of the pool.
    pub queue_deadline: Duration,
    /// How long a client may take nothing of a response while the server wants to send: 30 seconds. Then the connection
    /// is given up. (On Unix.)
    pub write_timeout: Duration,
    /// How long requests in flight may take to finish at a shutdown: 30 seconds. What is not finished then is cut.
    pub shutdown_deadline: Duration,
    /// Worker threads that there may be at most, which is how many handlers can block at once: 256.
    pub max_workers: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body: 16 << 20,
            unread_body: 64 << 20,
            queue_deadline: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            shutdown_deadline: Duration::from_secs(30),
            max_workers: 256,
        }
    }
}
