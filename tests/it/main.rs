//! All tests through the public API.

#[cfg(feature = "tiny_http")]
mod pool;
#[cfg(feature = "tiny_http")]
mod server;
