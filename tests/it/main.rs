//! The integration tests: one binary, one module per noun, all through the public API.
#![allow(clippy::duplicate_mod, reason = "the lab is a program, and a page of another: here both are modules")]

mod app;
mod bridge;
#[cfg(feature = "cli")]
mod cli;
mod cookbook;
mod examples;
#[cfg(all(feature = "templates", feature = "static_files", feature = "tiny_http"))]
mod lab;
mod layers;
#[cfg(all(unix, feature = "tiny_http"))]
mod native;
#[cfg(feature = "passwords")]
mod passwords;
#[cfg(feature = "tiny_http")]
mod pool;
mod routing;
#[cfg(feature = "cli")]
mod run;
#[cfg(feature = "tiny_http")]
mod server;
#[cfg(feature = "sessions")]
mod session;
#[cfg(feature = "sessions")]
mod signing;
mod support;
#[cfg(all(feature = "templates", feature = "static_files", feature = "tiny_http"))]
mod tour;
mod wire;
