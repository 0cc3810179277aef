//! Decorators: functions around a single view, as Python's are.

use std::fmt;
use std::sync::Arc;

use super::handler::View;
use super::scaffold::RouteMut;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::respond::IntoResponse;
use crate::response::Response;

/// The view that a decorator is around, and whatever other decorators are in between.
pub struct Next<'a> {
    ctx: &'a Arc<Ctx>,
    view: &'a View,
}

impl Next<'_> {
    /// Runs it.
    ///
    /// # Errors
    /// The view's, such as an `abort!`; what the decorator does not take goes on to the error handlers.
    pub fn run(self) -> Result<Response> {
        (self.view)(self.ctx)
    }

    /// The context of the request.
    pub fn context(&self) -> &Arc<Ctx> {
        self.ctx
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("ctx", self.ctx).finish_non_exhaustive()
    }
}

impl RouteMut<'_> {
    /// Puts a function around the view, as a Python decorator is: it runs the view, or answers in its place. The one
    /// that is added last is the outermost.
    ///
    /// Where a view needs what the decorator finds (the user, say), an extractor is better: see
    /// [`FromRequest`](crate::FromRequest).
    ///
    /// ```
    /// use dewar::{App, IntoResponse, Next, Response, Result, redirect, request};
    ///
    /// fn login_required(next: Next<'_>) -> Result<Response> {
    ///     match request().header("x-user") {
    ///         Some(_) => next.run(),
    ///         None => redirect("/login").into_response(),
    ///     }
    /// }
    ///
    /// let mut app = App::new("demo");
    /// app.get("/me", || "you").endpoint("me").decorate(login_required);
    /// assert_eq!(app.test_client().get("/me").header("location"), Some("/login"));
    /// ```
    pub fn decorate<R: IntoResponse>(self, decorator: impl Fn(Next<'_>) -> R + Send + Sync + 'static) -> Self {
        let view = self.route.view.run.clone();
        self.route.view.run = Arc::new(move |ctx| decorator(Next { ctx, view: &view }).into_response());
        self
    }
}
