//! Blueprints: parts of an app, put together when it is frozen.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
#[cfg(any(feature = "static_files", feature = "templates"))]
use std::path::PathBuf;

use super::App;
use super::handler::{AfterHook, BeforeHook, Caught, ErrorHandler, TeardownHook};
use super::scaffold::Scaffold;
use crate::error::HttpError;
use crate::response::IntoStatus;
use crate::routing::ViewArg;
#[cfg(feature = "static_files")]
use crate::static_files::StaticSetup;
#[cfg(feature = "templates")]
use crate::templates::ContextValues;

/// A part of an app: routes, hooks and error handlers of its own, below a URL prefix (Flask's `Blueprint`).
///
/// It is used as an app is, and becomes part of one by
/// [`register_blueprint`](Scaffold::register_blueprint). Its endpoints are `name.endpoint`; inside of it, `url_for`
/// takes `.endpoint`. Its hooks and error handlers are for its own rules; those whose names have `app` in them are for
/// the whole app.
///
/// ```
/// use dewar::{App, Blueprint, Result, url_for};
///
/// fn show(id: i64) -> Result<String> {
///     Ok(url_for!(".show", id = id + 1)?)
/// }
///
/// let mut blog = Blueprint::new("blog").url_prefix("/blog");
/// blog.get("/<int:id>", show);
///
/// let mut app = App::new("site");
/// app.register_blueprint(blog);
/// assert_eq!(app.test_client().get("/blog/7").text(), "/blog/8");
/// ```
#[derive(Debug)]
pub struct Blueprint {
    pub(super) name: String,
    pub(super) url_prefix: String,
    #[cfg(feature = "static_files")]
    pub(super) static_files: StaticSetup,
    #[cfg(feature = "cli")]
    pub(super) cli_group: super::commands::CliGroup,
    pub(super) subdomain: Option<String>,
    /// Of all its rules.
    pub(super) url_default: Vec<(String, ViewArg)>,
    pub(super) scaffold: Scaffold,
    #[cfg(feature = "templates")]
    pub(super) template_folder: Option<(PathBuf, &'static Location<'static>)>,
}

impl Blueprint {
    /// A blueprint of this name.
    ///
    /// # Panics
    /// At the caller's line, when the name is empty or has a dot: dots are between the names of nested blueprints.
    #[track_caller]
    pub fn new(name: &str) -> Blueprint {
        check_name(name);
        Blueprint {
            name: name.to_owned(),
            url_prefix: String::new(),
            #[cfg(feature = "static_files")]
            static_files: StaticSetup::default(),
            #[cfg(feature = "cli")]
            cli_group: Default::default(),
            subdomain: None,
            url_default: Vec::new(),
            scaffold: Scaffold::default(),
            #[cfg(feature = "templates")]
            template_folder: None,
        }
    }

    /// Puts its rules below this path.
    pub fn url_prefix(mut self, prefix: &str) -> Blueprint {
        self.url_prefix = prefix.to_owned();
        self
    }

    /// Puts its rules below this subdomain, where they do not say one themselves: see
    /// [`RouteMut::subdomain`](crate::RouteMut::subdomain). Inside of a blueprint that has one, it is `child.parent`.
    pub fn subdomain(mut self, subdomain: &str) -> Blueprint {
        self.subdomain = Some(subdomain.to_owned());
        self
    }

    /// Gives each of its rules this default, where the rule has none of the name (Flask's `Blueprint(url_defaults=…)`):
    /// a view argument, or a variable's value for building URLs.
    pub fn url_default(mut self, name: &str, value: impl Into<ViewArg>) -> Blueprint {
        set_default(&mut self.url_default, name, value.into());
        self
    }

    /// Where this blueprint's templates are, relative to the app's root path. They are looked for after the app's own, and
    /// after those of blueprints that were registered before; there is one space of names for all of them.
    ///
    /// ```no_run
    /// use dewar::Blueprint;
    ///
    /// let mut admin = Blueprint::new("admin").template_folder("admin/templates");
    /// ```
    #[cfg(feature = "templates")]
    #[track_caller]
    pub fn template_folder(mut self, path: impl Into<PathBuf>) -> Blueprint {
        self.template_folder = Some((path.into(), Location::caller()));
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Serves the files in this folder, relative to the app's root path, below the blueprint's URL prefix: by default
    /// under the folder's own name, with the endpoint `name.static`. The app's own `/static` comes before that of a
    /// blueprint without a prefix.
    #[cfg(feature = "static_files")]
    #[track_caller]
    pub fn static_folder(mut self, path: impl Into<PathBuf>) -> Blueprint {
        self.static_files.folder = Some((path.into(), Location::caller()));
        self
    }

    /// Below which path, behind the blueprint's URL prefix, its static files are served.
    #[cfg(feature = "static_files")]
    #[track_caller]
    pub fn static_url_path(mut self, path: &str) -> Blueprint {
        self.static_files.url_path = Some((path.to_owned(), Location::caller()));
        self
    }

    /// As [`before_request`](Scaffold::before_request), for the whole app that takes the blueprint in. It runs among the
    /// app's own hooks, in the order of registration, where that of a blueprint counts as the app's.
    ///
    /// ```
    /// use dewar::{App, Blueprint, g};
    ///
    /// let mut auth = Blueprint::new("auth").url_prefix("/auth");
    /// auth.before_app_request(|| g().set("user", "ada"));
    ///
    /// let mut app = App::new("site");
    /// app.register_blueprint(auth);
    /// app.get("/", || g().get::<&str>("user").unwrap_or("nobody"));
    /// assert_eq!(app.test_client().get("/").text(), "ada");
    /// ```
    #[track_caller]
    pub fn before_app_request<M, H: BeforeHook<M>>(&mut self, hook: H) -> &mut Self {
        self.app_wide().before_request(hook);
        self
    }

    /// As [`after_request`](Scaffold::after_request), for the whole app.
    pub fn after_app_request<M, H: AfterHook<M>>(&mut self, hook: H) -> &mut Self {
        self.app_wide().after_request(hook);
        self
    }

    /// As [`teardown_request`](Scaffold::teardown_request), for the whole app.
    pub fn teardown_app_request<M, H: TeardownHook<M>>(&mut self, hook: H) -> &mut Self {
        self.app_wide().teardown_request(hook);
        self
    }

    /// As [`errorhandler`](Scaffold::errorhandler), for the whole app: also for a path that no rule matches.
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn app_errorhandler<M, H>(&mut self, status: impl IntoStatus, handler: H) -> &mut Self
    where
        H: ErrorHandler<HttpError, M>,
    {
        self.app_wide().errorhandler(status, handler);
        self
    }

    /// As [`errorhandler_for`](Scaffold::errorhandler_for), for the whole app.
    pub fn app_errorhandler_for<E, M, H>(&mut self, handler: H) -> &mut Self
    where
        E: Caught,
        H: ErrorHandler<E, M>,
    {
        self.app_wide().errorhandler_for(handler);
        self
    }

    /// Runs `setup` on the app that takes the blueprint in, when that is frozen: for what only an app has, such as
    /// configuration, states and converters (Flask's `record`). Since a blueprint is registered once, by value, this is
    /// Flask's `record_once` too.
    ///
    /// Blueprints' calls run from the outermost in, in the order of registration, after everything that the program
    /// itself did to the app.
    ///
    /// ```
    /// use dewar::{App, Blueprint, State};
    ///
    /// struct Greeting(&'static str);
    ///
    /// let mut hello = Blueprint::new("hello");
    /// hello.record(|app| drop(app.state(Greeting("Hello!"))));
    /// hello.get("/", |greeting: State<Greeting>| greeting.0).endpoint("index");
    ///
    /// let mut app = App::new("site");
    /// app.register_blueprint(hello);
    /// assert_eq!(app.test_client().get("/").text(), "Hello!");
    /// ```
    pub fn record(&mut self, setup: impl FnOnce(&mut App) + 'static) -> &mut Self {
        self.scaffold.recorded.push(Box::new(setup));
        self
    }

    /// As [`context_processor`](Scaffold::context_processor), for the whole app.
    #[cfg(feature = "templates")]
    pub fn app_context_processor<F, V>(&mut self, processor: F) -> &mut Self
    where
        F: Fn() -> V + Send + Sync + 'static,
        V: ContextValues,
    {
        self.app_wide().context_processor(processor);
        self
    }

    /// As [`App::template_filter`](crate::App::template_filter): filters are the whole app's.
    #[cfg(feature = "templates")]
    pub fn app_template_filter<F, Rv, Args>(&mut self, name: &'static str, filter: F) -> &mut Self
    where
        F: minijinja::functions::Function<Rv, Args>,
        Rv: minijinja::value::FunctionResult,
        Args: for<'a> minijinja::value::FunctionArgs<'a>,
    {
        self.app_wide().change_environment(move |env| env.add_filter(name, filter));
        self
    }

    /// As [`App::template_test`](crate::App::template_test): tests are the whole app's.
    #[cfg(feature = "templates")]
    pub fn app_template_test<F, Rv, Args>(&mut self, name: &'static str, test: F) -> &mut Self
    where
        F: minijinja::functions::Function<Rv, Args>,
        Rv: minijinja::value::FunctionResult,
        Args: for<'a> minijinja::value::FunctionArgs<'a>,
    {
        self.app_wide().change_environment(move |env| env.add_test(name, test));
        self
    }

    /// As [`App::template_global`](crate::App::template_global): globals are the whole app's.
    #[cfg(feature = "templates")]
    pub fn app_template_global<F, Rv, Args>(&mut self, name: &'static str, function: F) -> &mut Self
    where
        F: minijinja::functions::Function<Rv, Args>,
        Rv: minijinja::value::FunctionResult,
        Args: for<'a> minijinja::value::FunctionArgs<'a>,
    {
        self.app_wide().change_environment(move |env| env.add_function(name, function));
        self
    }

    pub(super) fn app_wide(&mut self) -> &mut Scaffold {
        self.scaffold.app_wide.get_or_insert_default()
    }
}

#[track_caller]
fn check_name(name: &str) {
    assert!(!name.is_empty(), "a blueprint needs a name");
    assert!(!name.contains('.'), "the blueprint's name {name:?} has a dot: dots are between nested blueprints' names");
}

impl Deref for Blueprint {
    type Target = Scaffold;

    fn deref(&self) -> &Scaffold {
        &self.scaffold
    }
}

impl DerefMut for Blueprint {
    fn deref_mut(&mut self) -> &mut Scaffold {
        &mut self.scaffold
    }
}

/// A blueprint just registered: what it is named and where its rules are may be said anew.
pub struct Registration {
    pub(super) blueprint: Blueprint,
    pub(super) at: &'static Location<'static>,
}

impl Registration {
    pub(super) fn new(blueprint: Blueprint, at: &'static Location<'static>) -> Registration {
        Registration { blueprint, at }
    }

    /// Puts its rules below this path, in place of the blueprint's own prefix.
    pub fn url_prefix(&mut self, prefix: &str) -> &mut Self {
        self.blueprint.url_prefix = prefix.to_owned();
        self
    }

    /// Puts its rules below this subdomain, in place of the blueprint's own.
    pub fn subdomain(&mut self, subdomain: &str) -> &mut Self {
        self.blueprint.subdomain = Some(subdomain.to_owned());
        self
    }

    /// Gives each of its rules this default, in place of the blueprint's own of that name.
    ///
    /// ```
    /// use dewar::{App, Blueprint};
    ///
    /// fn pages() -> Blueprint {
    ///     let mut pages = Blueprint::new("pages");
    ///     pages.get("/", |lang: String| lang).endpoint("index");
    ///     pages
    /// }
    ///
    /// let mut app = App::new("site");
    /// app.register_blueprint(pages()).url_default("lang", "en");
    /// app.register_blueprint(pages()).name("german").url_prefix("/de").url_default("lang", "de");
    /// assert_eq!(app.test_client().get("/de/").text(), "de");
    /// ```
    pub fn url_default(&mut self, name: &str, value: impl Into<ViewArg>) -> &mut Self {
        set_default(&mut self.blueprint.url_default, name, value.into());
        self
    }

    /// Names it anew, so that two blueprints made by one function can both be registered.
    ///
    /// # Panics
    /// As [`Blueprint::new`].
    #[track_caller]
    pub fn name(&mut self, name: &str) -> &mut Self {
        check_name(name);
        self.blueprint.name = name.to_owned();
        self
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("name", &self.blueprint.name).finish_non_exhaustive()
    }
}

fn set_default(defaults: &mut Vec<(String, ViewArg)>, name: &str, value: ViewArg) {
    match defaults.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => *old = value,
        None => defaults.push((name.to_owned(), value)),
    }
}

/// Joins a prefix and a rule with one slash; an empty rule is the prefix itself.
pub(super) fn join(prefix: &str, rule: &str) -> String {
    match (prefix, rule) {
        ("", rule) => rule.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, rule) => format!("{}/{}", prefix.trim_end_matches('/'), rule.trim_start_matches('/')),
    }
}
