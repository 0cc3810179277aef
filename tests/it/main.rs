//! All integration tests, in one binary.

mod app;
mod layers;
mod routing;
mod support;
