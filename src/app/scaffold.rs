//! What an app and a blueprint have in common: routes, hooks, error handlers and blueprints of their own.

use std::any::{TypeId, type_name};
use std::fmt;
use std::panic::Location;

use http::Method;

use super::blueprint::{Blueprint, Registration};
use super::handler::{
    After, AfterHook, Before, BeforeHook, ByStatus, ByType, Caught, ErrorHandler, Handler, Teardown, TeardownHook,
};
use super::route::{RouteOptions, ViewDef};
use super::url_hooks::UrlScope;
use crate::bridge::LoopPolicy;
use crate::error::{Error, HttpError};
use crate::extract::Shape;
use crate::response::IntoStatus;
use crate::routing::ViewArg;
#[cfg(feature = "templates")]
use crate::templates::{ContextProcessor, ContextValues, EnvironmentChange};

/// The part that [`App`](crate::App) and [`Blueprint`] share; both are used as one.
///
/// Registering never fails at once: mistakes are collected, and reported all together, each with the line of its
/// registration, when the app is frozen.
#[derive(Default)]
pub struct Scaffold {
    pub(super) routes: Vec<RouteDef>,
    pub(super) before: Vec<Hook<Before>>,
    pub(super) after: Vec<After>,
    pub(super) teardown: Vec<Teardown>,
    pub(super) by_status: Vec<(u16, ByStatus)>,
    pub(super) by_type: Vec<TypedHandler>,
    pub(super) blueprints: Vec<Registration>,
    #[cfg(feature = "cli")]
    pub(super) commands: Vec<std::sync::Arc<super::commands::CommandDef>>,
    /// Views by endpoint, for rules that were added without one.
    pub(super) endpoint_views: Vec<(String, ViewDef)>,
    pub(super) urls: UrlScope,
    /// Of the async fragments of what is registered here.
    pub(super) loop_policy: Option<LoopPolicy>,
    pub(super) mistakes: Vec<Mistake>,
    /// What a blueprint does to the app that takes it in.
    pub(super) recorded: Vec<Recorded>,
    /// Whether this is an app's, which takes what blueprints have for the whole app; a blueprint hands it on.
    pub(super) is_app: bool,
    /// A blueprint's hooks and error handlers for the whole app.
    pub(super) app_wide: Option<Box<Scaffold>>,
    #[cfg(feature = "templates")]
    pub(super) context_processors: Vec<ContextProcessor>,
    /// Filters, tests and globals of templates, in the order of registration.
    #[cfg(feature = "templates")]
    pub(super) environment_changes: Vec<EnvironmentChange>,
}

/// Setting up that waits for the app.
pub(super) type Recorded = Box<dyn FnOnce(&mut super::App)>;

/// A route as it was registered.
pub(super) struct RouteDef {
    pub(super) rule: String,
    pub(super) methods: Vec<Method>,
    pub(super) endpoint: Option<String>,
    pub(super) defaults: Vec<(String, ViewArg)>,
    pub(super) options: RouteOptions,
    pub(super) automatic_options: Option<bool>,
    pub(super) loop_policy: Option<LoopPolicy>,
    pub(super) view: ViewDef,
}

/// A hook that takes arguments, which are checked when the app is frozen.
pub(super) struct Hook<F> {
    pub(super) run: F,
    pub(super) shape: Shape,
    pub(super) name: &'static str,
    pub(super) at: &'static Location<'static>,
}

/// An error handler for a type of error.
pub(super) struct TypedHandler {
    /// Whether it takes every error: it comes after those for one type.
    pub(super) general: bool,
    pub(super) run: ByType,
}

/// What is wrong with the set-up, and where.
#[derive(Debug, Clone)]
pub(super) struct Mistake {
    pub(super) at: &'static Location<'static>,
    pub(super) what: String,
}

impl Scaffold {
    /// How async fragments run: for an app in all that happens in its requests (async views and hooks, and every
    /// [`block_on`](crate::bridge::block_on)), for a blueprint in its views. A route's own, and that of the innermost
    /// blueprint, comes before those around it.
    ///
    /// ```
    /// use dewar::App;
    /// use dewar::bridge::LoopPolicy;
    ///
    /// let mut app = App::new("shop");
    /// app.loop_policy(LoopPolicy::per_request());
    /// app.get("/", || format!("{:?}", LoopPolicy::current().scope)).endpoint("index");
    /// app.get("/own", || format!("{:?}", LoopPolicy::current().scope)).endpoint("own").loop_policy(LoopPolicy::per_thread());
    /// let client = app.test_client();
    /// assert_eq!(client.get("/").text(), "PerRequest");
    /// assert_eq!(client.get("/own").text(), "PerThread");
    /// ```
    pub fn loop_policy(&mut self, policy: LoopPolicy) -> &mut Self {
        self.loop_policy = Some(policy);
        self
    }

    /// Answers GET (and with it HEAD and OPTIONS) on a rule.
    ///
    /// The endpoint is the function's name; a closure has none until [`RouteMut::endpoint`] gives it one.
    ///
    /// ```
    /// use dewar::App;
    ///
    /// fn post(id: i64) -> String {
    ///     format!("post {id}")
    /// }
    ///
    /// let mut app = App::new("blog");
    /// app.get("/post/<int:id>", post);
    /// assert_eq!(app.test_client().get("/post/7").text(), "post 7");
    /// ```
    #[track_caller]
    pub fn get<M, H: Handler<M>>(&mut self, rule: &str, view: H) -> RouteMut<'_> {
        self.route(rule, view).only(Method::GET)
    }

    /// Answers POST on a rule.
    #[track_caller]
    pub fn post<M, H: Handler<M>>(&mut self, rule: &str, view: H) -> RouteMut<'_> {
        self.route(rule, view).only(Method::POST)
    }

    /// Answers PUT on a rule.
    #[track_caller]
    pub fn put<M, H: Handler<M>>(&mut self, rule: &str, view: H) -> RouteMut<'_> {
        self.route(rule, view).only(Method::PUT)
    }

    /// Answers PATCH on a rule.
    #[track_caller]
    pub fn patch<M, H: Handler<M>>(&mut self, rule: &str, view: H) -> RouteMut<'_> {
        self.route(rule, view).only(Method::PATCH)
    }

    /// Answers DELETE on a rule.
    #[track_caller]
    pub fn delete<M, H: Handler<M>>(&mut self, rule: &str, view: H) -> RouteMut<'_> {
        self.route(rule, view).only(Method::DELETE)
    }

    /// Answers a rule: GET, until [`RouteMut::methods`] says otherwise (Flask's `@app.route`).
    #[track_caller]
    pub fn route<M, H: Handler<M>>(&mut self, rule: &str, view: H) -> RouteMut<'_> {
        let view = ViewDef::new(view);
        self.add_route(rule, function_name(view.name).map(str::to_owned), view)
    }

    /// A route with everything else as it is from the start.
    pub(super) fn add_route(&mut self, rule: &str, endpoint: Option<String>, view: ViewDef) -> RouteMut<'_> {
        self.routes.push(RouteDef {
            rule: rule.to_owned(),
            methods: vec![Method::GET],
            endpoint,
            loop_policy: None,
            defaults: Vec::new(),
            options: RouteOptions::default(),
            automatic_options: None,
            view,
        });
        RouteMut { route: self.routes.last_mut().expect("one was just pushed"), mistakes: &mut self.mistakes }
    }

    /// Runs `hook` before each view. What it returns, if it is a response, ends the request: the view does not run.
    ///
    /// An app's hooks run first, then the outer blueprint's, then the inner one's, each in the order of registration.
    /// They run for a 404 and a 405 as well; a blueprint's only when one of its rules matched, but for
    /// [`before_app_request`](Blueprint::before_app_request).
    ///
    /// ```
    /// use dewar::{App, request};
    ///
    /// let mut app = App::new("demo");
    /// app.before_request(|| (request().header("x-key") != Some("secret")).then(|| ("go away", 403)));
    /// app.get("/", || "welcome");
    /// assert_eq!(app.test_client().get("/").status(), 403);
    /// ```
    #[track_caller]
    pub fn before_request<M, H: BeforeHook<M>>(&mut self, hook: H) -> &mut Self {
        self.before.push(Hook {
            run: Box::new(move |ctx| hook.call(ctx)),
            shape: H::shape(),
            name: type_name::<H>(),
            at: Location::caller(),
        });
        self
    }

    /// Runs `hook` on each response, an error's too. Inner blueprints' hooks run first, the app's last, each in the
    /// reverse order of registration.
    ///
    /// One that fails is answered with 500, on which all of them run again. What fails then is logged, and ends the hooks:
    /// the response stays as it was given to the hook that failed, unless its body is a stream, in whose place there is
    /// the plain page.
    ///
    /// ```
    /// use dewar::{App, Response};
    ///
    /// let mut app = App::new("demo");
    /// app.after_request(|response: Response| response.with_header("x-frame-options", "DENY"));
    /// assert_eq!(app.test_client().get("/").header("x-frame-options"), Some("DENY"));
    /// ```
    pub fn after_request<M, H: AfterHook<M>>(&mut self, hook: H) -> &mut Self {
        self.after.push(Box::new(move |response| hook.call(response)));
        self
    }

    /// Runs `hook` at the end of each request, whatever happened, with the error that nothing handled. All of them
    /// run, in the order of after-request hooks, even when one fails.
    ///
    /// ```
    /// use dewar::{App, Error};
    ///
    /// let mut app = App::new("demo");
    /// app.teardown_request(|error: Option<&Error>| println!("ended with {error:?}"));
    /// # app.test_client().get("/");
    /// ```
    pub fn teardown_request<M, H: TeardownHook<M>>(&mut self, hook: H) -> &mut Self {
        self.teardown.push(Box::new(move |error| hook.call(error)));
        self
    }

    /// Answers errors of this status: those made by [`abort`](fn@crate::abort), and the framework's own. The handler
    /// for 500 gets the error that nothing handled as [`HttpError::original`].
    ///
    /// As in Flask the status is not implied: return it with the body. A blueprint's handlers come before the app's,
    /// and see errors of its own rules only. Of two for one status the later counts. A handler that
    /// gives the error back, or another [`HttpError`], has its page sent.
    ///
    /// ```
    /// use dewar::{App, HttpError};
    ///
    /// let mut app = App::new("demo");
    /// app.errorhandler(404, |_: HttpError| ("nothing here", 404));
    /// assert_eq!(app.test_client().get("/nowhere").text(), "nothing here");
    /// ```
    ///
    /// # Panics
    /// At the caller's line, when the status is a number that does not have three digits.
    #[track_caller]
    pub fn errorhandler<M, H>(&mut self, status: impl IntoStatus, handler: H) -> &mut Self
    where
        H: ErrorHandler<HttpError, M>,
    {
        let status = status.into_status().as_u16();
        if !(400..600).contains(&status) {
            let what = format!("an error handler for {status}, which is no error: only 400 to 599 are");
            self.mistakes.push(Mistake { at: Location::caller(), what });
        }
        self.by_status.push((status, Box::new(move |error| handler.call(error))));
        self
    }

    /// Answers errors of a type: whatever `?` made an [`Error`] of. For [`HttpError`] the handler gets every HTTP
    /// error that no handler by status took, for [`Error`] every error whatever.
    ///
    /// ```
    /// use dewar::{App, Result};
    /// use std::num::ParseIntError;
    ///
    /// let mut app = App::new("demo");
    /// app.get("/<n>", |n: String| -> Result<String> { Ok((n.parse::<i64>()? * 2).to_string()) });
    /// app.errorhandler_for(|error: ParseIntError| (format!("not a number: {error}"), 400));
    /// assert_eq!(app.test_client().get("/x").status(), 400);
    /// ```
    pub fn errorhandler_for<E, M, H>(&mut self, handler: H) -> &mut Self
    where
        E: Caught,
        H: ErrorHandler<E, M>,
    {
        self.by_type.push(TypedHandler {
            general: TypeId::of::<E>() == TypeId::of::<Error>(),
            run: Box::new(move |error| E::catch(error).map(|error| handler.call(error))),
        });
        self
    }

    /// Gives values to every template: an app's to all that are rendered, a blueprint's to those that are rendered for its
    /// own rules (Flask's `context_processor`). The app's are asked first, then the outer blueprint's, then the inner
    /// one's; of two values for one name the later counts, and what is given to `render` comes before all of them.
    ///
    /// `processor` runs once for each rendering. It gives what `context!` makes, or a `Result` of it.
    ///
    /// ```
    /// use dewar::{App, context, render_template_string};
    ///
    /// let mut app = App::new("demo");
    /// app.context_processor(|| context! { site => "Demo", year => 2026 });
    /// app.get("/", || render_template_string("{{ site }} {{ year }}", context! { year => 1999 }));
    /// assert_eq!(app.test_client().get("/").text(), "Demo 1999");
    /// ```
    #[cfg(feature = "templates")]
    pub fn context_processor<F, V>(&mut self, processor: F) -> &mut Self
    where
        F: Fn() -> V + Send + Sync + 'static,
        V: ContextValues,
    {
        self.context_processors.push(Box::new(move || processor().into_values()));
        self
    }

    #[cfg(feature = "templates")]
    pub(super) fn change_environment(
        &mut self,
        change: impl FnOnce(&mut minijinja::Environment<'static>) + Send + 'static,
    ) {
        self.environment_changes.push(Box::new(change));
    }

    /// Takes a blueprint's routes, hooks and handlers in, below its URL prefix. A blueprint may take in others.
    ///
    /// ```
    /// use dewar::{App, Blueprint};
    ///
    /// let mut admin = Blueprint::new("admin").url_prefix("/admin");
    /// admin.get("/users", || "users").endpoint("users");
    ///
    /// let mut app = App::new("shop");
    /// app.register_blueprint(admin);
    /// assert_eq!(app.test_client().get("/admin/users").text(), "users");
    /// ```
    #[track_caller]
    pub fn register_blueprint(&mut self, mut blueprint: Blueprint) -> &mut Registration {
        if let Some(app_wide) = blueprint.scaffold.app_wide.take() {
            // Now, so that they come in the order of registration among the app's own.
            let takes = if self.is_app { &mut *self } else { &mut **self.app_wide.get_or_insert_default() };
            takes.take_hooks(*app_wide);
        }
        self.blueprints.push(Registration::new(blueprint, Location::caller()));
        self.blueprints.last_mut().expect("one was just pushed")
    }

    fn take_hooks(&mut self, other: Scaffold) {
        self.before.extend(other.before);
        self.after.extend(other.after);
        self.teardown.extend(other.teardown);
        self.by_status.extend(other.by_status);
        self.by_type.extend(other.by_type);
        self.mistakes.extend(other.mistakes);
        self.urls.extend(other.urls);
        #[cfg(feature = "templates")]
        {
            self.context_processors.extend(other.context_processors);
            self.environment_changes.extend(other.environment_changes);
        }
    }
}

impl fmt::Debug for Scaffold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scaffold")
            .field("routes", &self.routes.iter().map(|route| &route.rule).collect::<Vec<_>>())
            .field("blueprints", &self.blueprints)
            .finish_non_exhaustive()
    }
}

/// A route just registered, to say more of.
pub struct RouteMut<'a> {
    pub(super) route: &'a mut RouteDef,
    pub(super) mistakes: &'a mut Vec<Mistake>,
}

impl RouteMut<'_> {
    /// Answers these methods and no others; with GET goes HEAD. For a route of [`route`](Scaffold::route): those of
    /// [`get`](Scaffold::get), [`post`](Scaffold::post) and their kin have theirs, and more are a mistake.
    ///
    /// Names may be in small letters.
    #[track_caller]
    pub fn methods<I>(self, methods: I) -> Self
    where
        I: IntoIterator,
        I::Item: TryInto<Method> + fmt::Debug + Clone,
    {
        if let Some(only) = &self.route.options.only {
            let what = format!(
                "rule `{}`: it was registered by `.{}(…)`, which says the method; with `.methods(…)` register it by \
                 `.route(…)`",
                self.route.rule,
                only.as_str().to_ascii_lowercase()
            );
            self.mistakes.push(Mistake { at: self.route.view.at, what });
        }
        self.route.methods.clear();
        for method in methods {
            // Methods are told apart by case (RFC 9110 section 9.1), but Flask writes those of rules in capitals.
            let upper = |method: Method| Method::from_bytes(method.as_str().to_ascii_uppercase().as_bytes()).ok();
            match method.clone().try_into().ok().and_then(upper) {
                Some(method) => self.route.methods.push(method),
                None => {
                    let what = format!("rule `{}`: {method:?} is not a method", self.route.rule);
                    self.mistakes.push(Mistake { at: self.route.view.at, what });
                }
            }
        }
        self
    }

    /// Names it: what `url_for` is asked for. In a blueprint its name comes before, with a dot.
    pub fn endpoint(self, endpoint: &str) -> Self {
        self.route.endpoint = Some(endpoint.to_owned());
        self
    }

    /// Gives a view argument that the rule has no variable for, or a variable's value for building URLs.
    pub fn default(self, name: &str, value: impl Into<ViewArg>) -> Self {
        self.route.defaults.push((name.to_owned(), value.into()));
        self
    }

    /// How the async fragments of this view run: see [`Scaffold::loop_policy`].
    pub fn loop_policy(self, policy: LoopPolicy) -> Self {
        self.route.loop_policy = Some(policy);
        self
    }

    /// Whether OPTIONS is answered with the methods that there are; unless said here, the configuration's
    /// `PROVIDE_AUTOMATIC_OPTIONS` says.
    pub fn automatic_options(self, automatic: bool) -> Self {
        self.route.automatic_options = Some(automatic);
        self
    }
}

impl fmt::Debug for RouteMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteMut").field("rule", &self.route.rule).field("endpoint", &self.route.endpoint).finish()
    }
}

/// The last part of a function's path; closures have no name.
fn function_name(path: &'static str) -> Option<&'static str> {
    let path = path.split('<').next()?;
    let name = path.rsplit("::").next()?;
    (!name.is_empty() && !name.contains('{')).then_some(name)
}
