//! The test client: requests to an app with no socket in between.

mod client;
mod jar;
mod response;

pub use client::{RequestBuilder, TestClient};
pub use response::TestResponse;
