//! How an app behaves: through its public face and the test client.

mod accept;
mod app_context;
mod authorization;
mod blueprints;
mod client;
mod client_requests;
#[cfg(feature = "sessions")]
mod client_sessions;
mod conditions;
mod config;
mod context;
mod cookies;
mod errors;
mod forms;
mod fuzzed;
mod guests;
mod handlers;
mod hooks;
mod hostile;
mod json;
mod json_provider;
mod lookup;
mod loop_policy;
mod mounted;
mod paths;
mod properties;
mod queries;
mod request;
mod responses;
mod route_hosts;
mod routes;
mod setup;
mod signals;
#[cfg(feature = "static_files")]
mod static_files;
mod streams;
#[cfg(feature = "templates")]
mod templates;
#[cfg(feature = "templates")]
mod templates_context;
#[cfg(feature = "templates")]
mod templates_dates;
#[cfg(feature = "templates")]
mod templates_engine;
#[cfg(all(feature = "templates", feature = "sessions", feature = "static_files"))]
mod templates_jinja;
#[cfg(feature = "templates")]
mod templates_stream;
mod trapped;
#[cfg(feature = "multipart")]
mod uploads;
mod url_hooks;
mod urls;
mod views;
