//! HTTP/1.1 as bytes (RFC 9112): how a request's body is framed, and how a response is written. No sockets, no threads.

mod chunk;
mod framing;
mod head;

pub(crate) use chunk::{LAST_CHUNK, put_chunk};
pub(crate) use framing::Framing;
pub(crate) use head::{Delivery, HeadWriter};
