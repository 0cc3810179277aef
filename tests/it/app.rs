//! How an app behaves: through its public face and the test client.

mod blueprints;
mod client;
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
#[cfg(feature = "templates")]
mod templates_context;
#[cfg(feature = "templates")]
mod templates_engine;
#[cfg(all(feature = "templates", feature = "sessions", feature = "static_files"))]
mod templates_jinja;
#[cfg(feature = "templates")]
mod templates_stream;
