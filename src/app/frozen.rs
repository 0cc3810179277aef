//! The app once it is frozen: tables that any number of threads read, and the [`Service`] over them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::dispatch;
use super::guarded::told;
use super::handler::{After, Before, ByStatus, Teardown, View};
use super::route::RedirectTo;
use super::scaffold::TypedHandler;
use super::url_hooks::Preprocessor;
use crate::bridge::{self, LoopPolicy, luggage};
use crate::ctx::{Ctx, Site};
use crate::error::HttpError;
use crate::quiet::quietly;
use crate::request::Request;
use crate::response::Response;
use crate::service::Service;
use crate::signals;

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
    pub(super) teardown_appcontext: Vec<Teardown>,
    /// By rule: where it redirects to. Empty if none does.
    pub(super) redirects: Vec<Option<RedirectTo>>,
    /// Whether a request's host is looked at: rules are for hosts, or hosts must be trusted.
    pub(super) looks_at_hosts: bool,
    pub(super) loop_policy: Option<LoopPolicy>,
    /// Whether errors that nothing handled pass the 500 handlers and after-request hooks by.
    pub(super) propagate: bool,
    /// Whether the client is told more of an error, such as which field a 400 misses.
    pub(super) tell_details: bool,
    #[cfg(feature = "cli")]
    pub(super) commands: Vec<super::commands::Listed>,
}

impl Frozen {
    /// Whether an HTTP error that no handler took counts as a fault of the app's: `TRAP_HTTP_EXCEPTIONS`,
    /// `TRAP_BAD_REQUEST_ERRORS`.
    pub(super) fn traps(&self, error: &HttpError) -> bool {
        let settings = self.site.settings();
        let bad_request = match settings.trap_bad_request_errors {
            Some(trap) => trap && error.status() == 400,
            None => settings.debug && error.missing_key().is_some(),
        };
        settings.trap_http_exceptions || bad_request
    }

    /// The app, then the blueprints of the rule that matched, from the outermost in.
    pub(super) fn scopes_outer_first(&self, ctx: &Ctx) -> impl DoubleEndedIterator<Item = &Scope> {
        let chain: &[usize] = ctx.matched().map_or(&[], |matched| &self.chains[matched.rule.index()]);
        std::iter::once(&self.scopes[0]).chain(chain.iter().map(|scope| &self.scopes[*scope]))
    }

    pub(super) fn scopes_inner_first(&self, ctx: &Ctx) -> impl Iterator<Item = &Scope> {
        self.scopes_outer_first(ctx).rev()
    }

    /// The page of an error that no handler took.
    pub(super) fn page(&self, error: HttpError) -> Response {
        if self.site.settings().json_errors { error.into_json_response() } else { error.into_response() }
    }
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
pub struct AppService {
    pub(super) frozen: Arc<Frozen>,
    /// The middleware around it, the outermost: `None` without any.
    pub(super) outer: Option<Arc<dyn Service>>,
}

impl AppService {
    /// What every request may read of the app.
    pub fn site(&self) -> &Arc<Site> {
        &self.frozen.site
    }

    #[cfg(feature = "cli")]
    pub(crate) fn commands(&self) -> &[super::commands::Listed] {
        &self.frozen.commands
    }

    /// Runs `work` in the context of a request, without hooks and views but for those of its teardown: for tests of what
    /// needs one (Flask's `test_request_context`).
    ///
    /// ```
    /// use dewar::{App, Request, request};
    ///
    /// let service = App::new("demo").into_service()?;
    /// let q = service.with_context(Request::get("/?q=1"), || request().args().get_as::<i64>("q"));
    /// assert_eq!(q, Some(1));
    /// # Ok::<(), dewar::Error>(())
    /// ```
    ///
    /// # Panics
    /// When `work` does; the teardown hooks have run by then.
    pub fn with_context<T>(&self, request: Request, work: impl FnOnce() -> T) -> T {
        self.within(dispatch::context(&self.frozen, request), work)
    }

    /// Runs `work` in a context of the app, without a request: for commands, jobs and scripts (Flask's
    /// `app.app_context()`). It has a [`g`](crate::g()) and a [`current_app`](crate::current_app) of its own, `url_for`
    /// builds whole URLs by the configuration's `SERVER_NAME`, and at its end the
    /// [`teardown_appcontext`](crate::App::teardown_appcontext) hooks run. [`request`](crate::request()) and
    /// `session` panic in it.
    ///
    /// ```
    /// use dewar::{App, current_app, g, has_request_context};
    ///
    /// let service = App::new("shop").into_service()?;
    /// let name = service.app_context(|| {
    ///     g().set("connection", 7);
    ///     assert!(!has_request_context());
    ///     current_app().name().to_owned()
    /// });
    /// assert_eq!(name, "shop");
    /// # Ok::<(), dewar::Error>(())
    /// ```
    ///
    /// # Panics
    /// When `work` does; the teardown hooks have run by then.
    pub fn app_context<T>(&self, work: impl FnOnce() -> T) -> T {
        self.within(Ctx::without_request(self.frozen.site.clone()), work)
    }

    fn within<T>(&self, ctx: Ctx, work: impl FnOnce() -> T) -> T {
        let ctx = Arc::new(ctx);
        let packed = luggage::pack(Some(ctx.clone()));
        told(&ctx, || signals::APPCONTEXT_PUSHED.send(&ctx, &()));
        let done = catch_unwind(AssertUnwindSafe(work));
        dispatch::teardown(&self.frozen, &ctx);
        drop(packed);
        told(&ctx, || signals::APPCONTEXT_POPPED.send(&ctx, &()));
        if quietly(|| drop(ctx)).is_none() {
            // A value in `g`; a second panic on top of that of `work` would end the process.
            quietly(|| log::error!("a context panicked when it was dropped"));
        }
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Service for AppService {
    #[inline]
    fn call(&self, request: Request) -> Response {
        match &self.outer {
            None => self.frozen.call(request),
            Some(outer) => outer.call(request),
        }
    }
}

impl Service for Frozen {
    fn call(&self, request: Request) -> Response {
        match self.loop_policy {
            None => dispatch::answer(self, request),
            Some(policy) => bridge::with_policy(policy, || dispatch::answer(self, request)),
        }
    }
}

impl fmt::Debug for AppService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AppService").field(&self.frozen.site).finish()
    }
}
