//! How an app behaves: through its public face and the test client.

mod blueprints;
mod client;
mod client_requests;
#[cfg(feature = "sessions")]
mod client_sessions;
mod context;
mod cookies;
mod errors;
mod forms;
mod guests;
mod handlers;
mod hooks;
mod hostile;
mod json;
mod lookup;
mod loop_policy;
mod paths;
mod properties;
mod queries;
mod setup;
#[cfg(feature = "static_files")]
mod static_files;
mod streams;
#[cfg(feature = "templates")]
mod templates;
