//! Services around services: what stands between the engine and an app.
//!
//! Middleware is any [`Service`](crate::Service) that has another one inside; [`App::middleware`](crate::App::middleware)
//! puts it around an app. Here are those that Flask's users know from Werkzeug.

mod mount;
mod proxy_fix;

pub use mount::Mount;
pub use proxy_fix::{BeforeProxyFix, ProxyFix};
