//! The test client: requests to an app with no socket in between.

mod base;
mod builder;
mod client;
mod form;
mod jar;
mod response;

pub use builder::RequestBuilder;
pub use client::TestClient;
pub use response::TestResponse;
