//! The context of a request, as a value: what was asked, what matched, what hooks left for one another.

mod g;
mod host;
mod site;
mod url;

#[cfg(feature = "sessions")]
use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use g::G;
pub(crate) use host::HostRules;
pub use site::Site;
#[cfg(any(feature = "static_files", feature = "templates"))]
pub(crate) use site::missing_folder;
pub(crate) use site::{ArgsLeft, RuleInfo, TypeMap, open_in};
pub(crate) use url::{BuildErrorHandler, UrlDefaults, UrlHooks};

use crate::error::{Error, Here, HttpError, Result};
use crate::request::Request;
use crate::response::Response;
use crate::routing::{ArgRef, Args, NamedArgs, RuleId, UrlValue};

/// Everything that belongs to one request, or to a command or test that runs in the app's name.
///
/// Inside the framework it is handed on as a value; hooks, extractors and handlers get it from
/// [`current_context`](crate::current_context) or as an argument. It lives as long as anyone holds it.
pub struct Ctx {
    site: Arc<Site>,
    request: Request,
    /// Whether the request is one: a command's or a job's context has a stand-in.
    has_request: bool,
    matched: OnceLock<Matched>,
    /// Why nothing matched. In a box, since most requests have none.
    routing_exception: OnceLock<Box<HttpError>>,
    g: g::Namespace,
    after_this_request: Mutex<Vec<AfterThis>>,
    /// The first error that no error handler took, for the teardown hooks and the test client.
    unhandled: OnceLock<Arc<Error>>,
    /// The session, from when it is first asked for. Its type belongs to the room `session`, which knows this one.
    #[cfg(feature = "sessions")]
    session: OnceLock<Box<dyn Any + Send + Sync>>,
}

pub(crate) type AfterThis = Box<dyn FnOnce(Response) -> Response + Send>;

/// The rule that matched, with the values of its variables.
#[derive(Debug)]
pub(crate) struct Matched {
    pub(crate) rule: RuleId,
    pub(crate) args: Args,
    /// The decoded path, where it is not the one that was sent, behind the host, where that counts: text arguments are
    /// ranges of it.
    pub(crate) path: Option<String>,
}

impl Ctx {
    /// The context of `request`, not yet matched against the rules.
    pub(crate) fn new(site: Arc<Site>, request: Request) -> Ctx {
        Ctx {
            site,
            request,
            has_request: true,
            matched: OnceLock::new(),
            routing_exception: OnceLock::new(),
            g: g::Namespace::default(),
            after_this_request: Mutex::new(Vec::new()),
            unhandled: OnceLock::new(),
            #[cfg(feature = "sessions")]
            session: OnceLock::new(),
        }
    }

    /// A context of the app alone: for commands, jobs and scripts.
    pub(crate) fn without_request(site: Arc<Site>) -> Ctx {
        Ctx { has_request: false, ..Ctx::new(site, Request::get("/")) }
    }

    /// What every request may read of the app.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// The request. In a context of the app alone ([`has_request`](Ctx::has_request) is false) it is an empty stand-in.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Whether this is a request's context, and not one of the app alone as
    /// [`AppService::app_context`](crate::AppService::app_context) makes it.
    pub fn has_request(&self) -> bool {
        self.has_request
    }

    /// The namespace for whatever hooks and handlers of one request leave for one another (Flask's `g`).
    pub fn g(self: &Arc<Self>) -> G {
        G::new(self.clone())
    }

    pub(crate) fn namespace(&self) -> &g::Namespace {
        &self.g
    }

    /// The shared value of type `T` that was given to the app, if one was.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.site.states().get()
    }

    /// The endpoint of the rule that matched, where its view has one.
    pub fn endpoint(&self) -> Option<&str> {
        Some(self.rule_info()?.endpoint.as_str()).filter(|endpoint| !endpoint.is_empty())
    }

    /// The rule that matched, as it was registered: `/post/<int:id>`.
    pub fn url_rule(&self) -> Option<&str> {
        Some(self.rule_info()?.text.as_str())
    }

    /// The blueprint that the rule belongs to: `outer.inner` for a nested one.
    pub fn blueprint(&self) -> Option<&str> {
        Some(self.rule_info()?.blueprint.as_str()).filter(|blueprint| !blueprint.is_empty())
    }

    /// The blueprint that the rule belongs to, then those that it is nested in, outwards (Flask's `request.blueprints`).
    pub fn blueprints(&self) -> Vec<&str> {
        let mut found = Vec::new();
        let mut rest = self.blueprint();
        while let Some(name) = rest {
            found.push(name);
            rest = name.rsplit_once('.').map(|(outer, _)| outer);
        }
        found
    }

    /// Why no rule matched: 404, 405 with the methods that would have, 400 for a path that cannot be read. Hooks run
    /// all the same, and may look (Flask's `request.routing_exception`).
    pub fn routing_exception(&self) -> Option<&HttpError> {
        self.routing_exception.get().map(|error| &**error)
    }

    pub(crate) fn set_routing_exception(&self, error: HttpError) {
        let _ = self.routing_exception.set(Box::new(error));
    }

    fn rule_info(&self) -> Option<&RuleInfo> {
        Some(self.site.rule(self.matched.get()?.rule.index()))
    }

    /// The number of view arguments.
    pub fn view_arg_count(&self) -> usize {
        let Some(matched) = self.matched.get() else { return 0 };
        match &self.site.rule(matched.rule.index()).left {
            None => matched.args.len(),
            Some(left) => left.places.len(),
        }
    }

    /// The view argument at this place: the rule's variables in order (the outer blueprint's first), then its defaults,
    /// without those that a url-value preprocessor takes.
    pub fn view_arg(&self, i: usize) -> Option<ArgRef<'_>> {
        let matched = self.matched.get()?;
        let i = match &self.site.rule(matched.rule.index()).left {
            None => i,
            Some(left) => *left.places.get(i)?,
        };
        matched.args.get(i, matched.path.as_deref().unwrap_or_else(|| self.request.path()))
    }

    /// The view argument of this name (Flask: `request.view_args["name"]`).
    pub fn view_arg_named(&self, name: &str) -> Option<ArgRef<'_>> {
        self.view_arg(self.rule_info()?.view_args().iter().position(|arg| arg == name)?)
    }

    /// The names of the view arguments, in order.
    pub fn view_arg_names(&self) -> &[String] {
        self.rule_info().map_or(&[], RuleInfo::view_args)
    }

    /// All arguments of the rule that matched, for url-value preprocessors.
    pub(crate) fn named_args(&self) -> NamedArgs<'_> {
        match (self.matched.get(), self.rule_info()) {
            (Some(matched), Some(rule)) => {
                let text = matched.path.as_deref().unwrap_or_else(|| self.request.path());
                NamedArgs::new(&rule.args, &matched.args, text)
            }
            _ => NamedArgs::none(),
        }
    }

    pub(crate) fn matched(&self) -> Option<&Matched> {
        self.matched.get()
    }

    pub(crate) fn set_matched(&self, matched: Matched) {
        let fresh = self.matched.set(matched).is_ok();
        debug_assert!(fresh, "a request is matched once");
    }

    /// Runs `hook` on this request's response, after the view and before the app's after-request hooks, in the order
    /// of the calls (Flask's `after_this_request`).
    pub fn after_this_request(&self, hook: impl FnOnce(Response) -> Response + Send + 'static) {
        self.after_this_request.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(hook));
    }

    pub(crate) fn take_after_this_request(&self) -> Vec<AfterThis> {
        std::mem::take(&mut *self.after_this_request.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn put_back_after_this_request(&self, hooks: impl Iterator<Item = AfterThis>) {
        self.after_this_request.lock().unwrap_or_else(PoisonError::into_inner).extend(hooks);
    }

    /// The error that no error handler took, if there was one; known once the view and the error handlers have run.
    pub fn unhandled_error(&self) -> Option<&Arc<Error>> {
        self.unhandled.get()
    }

    pub(crate) fn set_unhandled(&self, error: Arc<Error>) {
        // Of several (a hook may fail after the view did) the first is the cause.
        let _ = self.unhandled.set(error);
    }

    #[cfg(feature = "sessions")]
    pub(crate) fn session_slot(&self) -> &OnceLock<Box<dyn Any + Send + Sync>> {
        &self.session
    }

    /// The URL of an endpoint: see [`url_for`](fn@crate::url_for).
    ///
    /// # Errors
    /// When there is no such endpoint, or a variable of its rule is missing; with the nearest one that there is.
    #[track_caller]
    pub fn url_for(&self, endpoint: &str, values: &[(&str, UrlValue)]) -> Result<String> {
        self.site.build_url(endpoint, values, self.has_request.then_some(self)).here()
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("app", &self.site.name())
            .field("request", &self.request)
            .field("endpoint", &self.endpoint())
            .finish_non_exhaustive()
    }
}

/// 404 for a view argument that the rule let through but the handler's type cannot hold.
pub(crate) fn not_found() -> HttpError {
    HttpError::new(404)
}

/// In a request's extensions: leave the context in the response's, for the test client.
#[derive(Clone)]
pub(crate) struct KeepContext(pub(crate) Option<Arc<Ctx>>);
