//! HTTP/1.1 as bytes (RFC 9112): how a request is read, how its body is framed, and how a response is written. No
//! sockets, no threads.

mod body;
mod chunk;
mod chunk_line;
mod fields;
mod framing;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod head;
mod host;
mod refusal;
mod request_head;
mod request_line;

pub(crate) use body::{BodyDecoder, Progress};
#[cfg(any(feature = "tiny_http", test, fuzzing))]
pub(crate) use chunk::LAST_CHUNK;
pub(crate) use chunk::{put_chunk, put_last_chunk};
pub(crate) use framing::Framing;
pub(crate) use head::{Delivery, HeadWriter};
pub(crate) use refusal::Refusal;
pub(crate) use request_head::{HeadLimits, RequestHead, parse_head};
