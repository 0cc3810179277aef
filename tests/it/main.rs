//! The integration tests: one binary, one module per room, all through the public API.

mod bridge;
mod support;
