//! All integration tests, in one binary.

mod routing;
mod tour;
