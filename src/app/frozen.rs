//! The app once it is frozen: tables that any number of threads read, and the [`Service`] over them.

use std::fmt;
use std::sync::Arc;

use super::dispatch;
use super::handler::{After, Before, ByStatus, Teardown, View};
use super::route::RedirectTo;
use super::scaffold::TypedHandler;
use super::url_hooks::Preprocessor;
use crate::bridge::{self, LoopPolicy, luggage};
use crate::ctx::{Ctx, Site};
use crate::request::Request;
use crate::response::Response;
use crate::service::Service;

/// What dispatching reads. Scopes are numbered; 0 is the app, the others are blueprints, each once for every time that
/// it was registered.
pub(super) struct Frozen {
    pub(super) site: Arc<Site>,
    /// By rule.
    pub(super) views: Vec<View>,
    /// By rule: whether OPTIONS is answered for it.
    pub(super) automatic_options: Vec<bool>,
    /// By rule: the blueprints that it belongs to, from the outermost in.
    pub(super) chains: Vec<Box<[usize]>>,
    pub(super) scopes: Vec<Scope>,
    /// By rule: where it redirects to. Empty if none does.
    pub(super) redirects: Vec<Option<RedirectTo>>,
    /// Whether a request's host is looked at: rules are for hosts, or hosts must be trusted.
    pub(super) looks_at_hosts: bool,
    pub(super) loop_policy: Option<LoopPolicy>,
}

/// The hooks and error handlers of the app or of a blueprint: hooks in the order of registration, error handlers in the
/// order in which they are asked.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) preprocessors: Vec<Preprocessor>,
    pub(super) before: Vec<Before>,
    pub(super) after: Vec<After>,
    pub(super) teardown: Vec<Teardown>,
    pub(super) by_status: Vec<(u16, ByStatus)>,
    /// Later ones first, but those for every error last.
    pub(super) by_type: Vec<TypedHandler>,
}

/// A frozen [`App`](crate::App): a [`Service`] that is cheap to clone.
///
/// ```
/// use dewar::{App, Request, Service};
///
/// let mut app = App::new("demo");
/// app.get("/", || "hello");
/// let service = app.into_service()?;
/// assert_eq!(service.call(Request::get("/")).status(), 200);
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Clone)]
pub struct AppService(pub(super) Arc<Frozen>);

impl AppService {
    /// What every request may read of the app.
    pub fn site(&self) -> &Arc<Site> {
        &self.0.site
    }

    /// Runs `work` in the context of a request, without hooks and views: for tests of what needs one (Flask's
    /// `test_request_context`).
    ///
    /// ```
    /// use dewar::{App, Request, request};
    ///
    /// let service = App::new("demo").into_service()?;
    /// let q = service.with_context(Request::get("/?q=1"), || request().args().get_as::<i64>("q"));
    /// assert_eq!(q, Some(1));
    /// # Ok::<(), dewar::Error>(())
    /// ```
    pub fn with_context<T>(&self, request: Request, work: impl FnOnce() -> T) -> T {
        let ctx: Arc<Ctx> = Arc::new(dispatch::context(&self.0, request));
        let _packed = luggage::pack(Some(ctx));
        work()
    }
}

impl Service for AppService {
    fn call(&self, request: Request) -> Response {
        match self.0.loop_policy {
            None => dispatch::answer(&self.0, request),
            Some(policy) => bridge::with_policy(policy, || dispatch::answer(&self.0, request)),
        }
    }
}

impl fmt::Debug for AppService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AppService").field(&self.0.site).finish()
    }
}
