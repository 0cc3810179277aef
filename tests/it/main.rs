//! The integration tests: one binary, one module per noun, all through the public API.

mod bridge;
mod examples;
mod routing;
mod support;
