//! The one seam between an engine and an application.

use std::sync::Arc;

use crate::request::Request;
use crate::response::Response;

/// Answers requests, one blocking call each: what WSGI is for Flask.
///
/// An app is a service, an engine drives any service, and the test client calls one with no socket at all. Closures
/// and `Arc`s of services are services, so middleware is a closure around one.
///
/// ```
/// use dewar::{Request, Response, Service};
///
/// let hello = |request: Request| Response::text(format!("you asked for {}", request.path()));
/// let stamped = move |request: Request| hello.call(request).with_header("x-stamp", "1");
///
/// let response = stamped.call(Request::get("/there"));
/// assert_eq!(response.header("x-stamp"), Some("1"));
/// ```
pub trait Service: Send + Sync {
    /// Answers one request. A panic is the engine's to catch; it answers 500 and goes on.
    fn call(&self, request: Request) -> Response;
}

impl<F> Service for F
where
    F: Fn(Request) -> Response + Send + Sync,
{
    fn call(&self, request: Request) -> Response {
        self(request)
    }
}

impl<S: Service + ?Sized> Service for Arc<S> {
    fn call(&self, request: Request) -> Response {
        (**self).call(request)
    }
}
