//! How an app behaves: through its public face and the test client.

mod blueprints;
mod client;
mod conditions;
mod context;
mod cookies;
mod errors;
mod forms;
mod guests;
mod handlers;
mod hooks;
mod hostile;
mod json;
mod json_provider;
mod lookup;
mod loop_policy;
mod paths;
mod properties;
mod queries;
mod responses;
mod setup;
#[cfg(feature = "static_files")]
mod static_files;
mod streams;
#[cfg(feature = "templates")]
mod templates;
