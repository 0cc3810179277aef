//! The app: what is registered, how it is frozen, and how it answers.

mod after;
mod blueprint;
#[doc(hidden)]
#[allow(missing_docs, reason = "only for the macro `check_handler!`")]
pub mod check;
#[cfg(feature = "cli")]
mod commands;
mod debug_page;
mod decorate;
mod dispatch;
mod freeze;
mod frozen;
mod guarded;
mod handler;
mod places;
mod route;
mod scaffold;
mod url_hooks;
mod url_map;
mod views;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;

pub use blueprint::{Blueprint, Registration};
#[cfg(feature = "cli")]
pub(crate) use commands::Listed;
#[cfg(feature = "cli")]
pub use commands::{CommandMut, Invocation, Outcome};
pub use decorate::Next;
pub use freeze::SetupErrors;
pub use frozen::AppService;
pub use guarded::Panicked;
pub use handler::{AfterHook, BeforeHook, Blocking, Bridged, Caught, ErrorHandler, Handler, HookAnswer, TeardownHook};
pub use scaffold::{RouteMut, Scaffold};
pub use url_hooks::UrlHookAnswer;
pub use url_map::UrlMap;
pub use views::{MethodView, View, ViewArgs};

use crate::config::Config;
use crate::ctx::TypeMap;
use crate::json_provider::JsonProvider;
use crate::service::Service;
#[cfg(feature = "static_files")]
use crate::static_files::StaticSetup;
#[cfg(feature = "templates")]
use crate::templates::{JinjaOptions, TemplateSetup};
use scaffold::Mistake;

/// An application (Flask's `Flask`): it is set up, then frozen, and from then on answers requests.
///
/// Routes, hooks, error handlers and blueprints are registered by the methods of [`Scaffold`], which a [`Blueprint`]
/// has too.
///
/// ```no_run
/// use dewar::{App, Result};
///
/// fn hello(name: String) -> String {
///     format!("Hello, {name}!")
/// }
///
/// fn main() -> Result<()> {
///     let mut app = App::new("hello");
///     app.get("/hello/<name>", hello);
///     app.run() // http://127.0.0.1:5000
/// }
/// ```
pub struct App {
    name: String,
    #[cfg(feature = "static_files")]
    made_at: &'static Location<'static>,
    root_path: Option<PathBuf>,
    instance_path: Option<PathBuf>,
    instance_relative_config: bool,
    config: Config,
    json: Option<(JsonProvider, &'static Location<'static>)>,
    states: TypeMap,
    url_map: UrlMap,
    scaffold: Scaffold,
    teardown_appcontext: Vec<handler::Teardown>,
    /// In the order of the calls: the last one is the outermost.
    middleware: Vec<Middleware>,
    #[cfg(feature = "sessions")]
    session_interface: Option<Box<dyn crate::session::SessionInterface>>,
    #[cfg(feature = "static_files")]
    static_files: StaticSetup,
    #[cfg(feature = "templates")]
    templates: TemplateSetup,
}

/// Puts a service around another.
type Middleware = Box<dyn FnOnce(Arc<dyn Service>) -> Arc<dyn Service>>;

impl App {
    /// An app of this name.
    ///
    /// Its templates are in `templates`, its static files in `static`, below the folder that the program runs in,
    /// unless [`root_path`](App::root_path), `template_folder` or `static_folder` say otherwise. With
    /// `app.root_path(env!("CARGO_MANIFEST_DIR"))` they are beside your `Cargo.toml`, wherever it is started from.
    #[track_caller]
    pub fn new(name: &str) -> App {
        App {
            name: name.to_owned(),
            #[cfg(feature = "static_files")]
            made_at: Location::caller(),
            root_path: None,
            instance_path: None,
            instance_relative_config: false,
            config: Config::new(),
            json: None,
            states: TypeMap::default(),
            url_map: UrlMap::default(),
            scaffold: Scaffold { is_app: true, ..Scaffold::default() },
            teardown_appcontext: Vec::new(),
            middleware: Vec::new(),
            #[cfg(feature = "sessions")]
            session_interface: None,
            #[cfg(feature = "static_files")]
            static_files: StaticSetup::default(),
            #[cfg(feature = "templates")]
            templates: TemplateSetup::default(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The configuration, to read.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The configuration, to set.
    pub fn config_mut(&mut self) -> &mut Config {
        self.config.root = self.config_root();
        &mut self.config
    }

    /// Prints JSON as Flask does, by this provider (Flask's `app.json`): what [`jsonify`](crate::jsonify),
    /// [`Json`](crate::Json) and maps answer, and the template filter `tojson`. The configuration's `FLASK_JSON` does the
    /// same with the defaults. Without either, serde_json prints.
    ///
    /// ```
    /// use dewar::{App, Json, JsonProvider};
    ///
    /// let mut app = App::new("demo");
    /// app.json(JsonProvider { sort_keys: false, ..JsonProvider::default() });
    /// app.get("/", || Json([0.1, 1e20]));
    /// assert_eq!(app.test_client().get("/").text(), "[0.1,1e+20]\n");
    /// ```
    #[track_caller]
    pub fn json(&mut self, provider: JsonProvider) -> &mut App {
        self.json = Some((provider, Location::caller()));
        self
    }

    /// The folder that relative paths are relative to; the default is the one that the program runs in.
    pub fn root_path(&mut self, path: impl Into<PathBuf>) -> &mut App {
        self.root_path = Some(path.into());
        self
    }

    /// Shares a value with all requests; handlers take it as [`State<T>`](crate::State). One of each type.
    #[track_caller]
    pub fn state<T: Send + Sync + 'static>(&mut self, value: T) -> &mut App {
        self.shared_state(Arc::new(value))
    }

    /// As [`App::state`], of a value that is shared elsewhere too.
    #[track_caller]
    pub fn shared_state<T: Send + Sync + 'static>(&mut self, value: Arc<T>) -> &mut App {
        if self.states.insert(value) {
            let what = format!("there is a state of type {} already", std::any::type_name::<T>());
            self.scaffold.mistakes.push(Mistake { at: Location::caller(), what });
        }
        self
    }

    /// Where sessions are kept (Flask's `app.session_interface`): see [`SessionInterface`](crate::SessionInterface).
    ///
    /// Without this call they are in a signed cookie.
    #[cfg(feature = "sessions")]
    pub fn session_interface(&mut self, interface: impl crate::session::SessionInterface) -> &mut App {
        self.session_interface = Some(Box::new(interface));
        self
    }

    /// Where static files are, relative to the root path. They are served below `/static`.
    ///
    /// Without this call it is `static`, which need not be there.
    #[cfg(feature = "static_files")]
    #[track_caller]
    pub fn static_folder(&mut self, path: impl Into<PathBuf>) -> &mut App {
        self.static_files.folder = Some((path.into(), Location::caller()));
        self
    }

    /// Below which path static files are served; the default is `/static`.
    #[cfg(feature = "static_files")]
    #[track_caller]
    pub fn static_url_path(&mut self, path: &str) -> &mut App {
        self.static_files.url_path = Some((path.to_owned(), Location::caller()));
        self
    }

    /// Where templates are, relative to the root path.
    ///
    /// Without this call it is `templates`, which need not be there.
    #[cfg(feature = "templates")]
    #[track_caller]
    pub fn template_folder(&mut self, path: impl Into<PathBuf>) -> &mut App {
        self.templates.folder = Some((path.into(), Location::caller()));
        self
    }

    /// Adds a template that is part of the program: `app.template("base.html", include_str!("base.html"))`. It comes
    /// before one of the same name in the folder.
    #[cfg(feature = "templates")]
    #[track_caller]
    pub fn template(&mut self, name: &'static str, source: &'static str) -> &mut App {
        self.templates.add(name, source, Location::caller());
        self
    }

    /// How templates are read, and what becomes of names that are not there (Flask's `jinja_options`).
    #[cfg(feature = "templates")]
    pub fn jinja_options(&mut self, options: JinjaOptions) -> &mut App {
        self.templates.set_options(&options);
        self
    }

    /// Adds a filter for templates: `{{ word|loud }}` (Flask's `template_filter`, where the name is always given). It is a
    /// function as [`minijinja::functions::Function`] describes it: its first argument is the filtered value.
    ///
    /// ```
    /// use dewar::{App, context, render_template_string};
    ///
    /// let mut app = App::new("demo");
    /// app.template_filter("loud", |text: String| text.to_uppercase() + "!");
    /// app.template_test("short", |text: String| text.len() < 4);
    /// app.template_global("answer", || 42);
    /// app.get("/", || render_template_string("{{ 'hello'|loud }} {{ 'hi' is short }} {{ answer() }}", context! {}));
    /// assert_eq!(app.test_client().get("/").text(), "HELLO! True 42");
    /// ```
    #[cfg(feature = "templates")]
    pub fn template_filter<F, Rv, Args>(&mut self, name: &'static str, filter: F) -> &mut App
    where
        F: minijinja::functions::Function<Rv, Args>,
        Rv: minijinja::value::FunctionResult,
        Args: for<'a> minijinja::value::FunctionArgs<'a>,
    {
        self.scaffold.change_environment(move |env| env.add_filter(name, filter));
        self
    }

    /// Adds a test for templates: `{% if word is short %}` (Flask's `template_test`). See
    /// [`template_filter`](App::template_filter).
    #[cfg(feature = "templates")]
    pub fn template_test<F, Rv, Args>(&mut self, name: &'static str, test: F) -> &mut App
    where
        F: minijinja::functions::Function<Rv, Args>,
        Rv: minijinja::value::FunctionResult,
        Args: for<'a> minijinja::value::FunctionArgs<'a>,
    {
        self.scaffold.change_environment(move |env| env.add_test(name, test));
        self
    }

    /// Adds a function for templates: `{{ answer() }}` (Flask's `template_global`). See
    /// [`template_filter`](App::template_filter); for a value there is `app.jinja_env().add_global("name", value)`.
    #[cfg(feature = "templates")]
    pub fn template_global<F, Rv, Args>(&mut self, name: &'static str, function: F) -> &mut App
    where
        F: minijinja::functions::Function<Rv, Args>,
        Rv: minijinja::value::FunctionResult,
        Args: for<'a> minijinja::value::FunctionArgs<'a>,
    {
        self.scaffold.change_environment(move |env| env.add_function(name, function));
        self
    }

    /// The template engine's environment, for filters, tests and globals of your own (Flask's `jinja_env`).
    ///
    /// ```
    /// use dewar::{App, Result, context, render_template_string};
    ///
    /// fn shout() -> Result<String> {
    ///     render_template_string("{{ word|loud }}", context! { word => "hello" })
    /// }
    ///
    /// let mut app = App::new("demo");
    /// app.jinja_env().add_filter("loud", |text: String| text.to_uppercase() + "!");
    /// app.get("/", shout);
    /// assert_eq!(app.test_client().get("/").text(), "HELLO!");
    /// ```
    #[cfg(feature = "templates")]
    pub fn jinja_env(&mut self) -> &mut minijinja::Environment<'static> {
        // What was registered before comes before.
        for change in self.scaffold.environment_changes.drain(..) {
            change(&mut self.templates.env);
        }
        &mut self.templates.env
    }

    /// Runs `hook` at the end of every context of the app: of each request, after the
    /// [`teardown_request`](Scaffold::teardown_request) hooks, and of each
    /// [`app_context`](AppService::app_context). It gets the error that nothing handled. The last registered runs first.
    ///
    /// ```
    /// use dewar::{App, Error, g};
    ///
    /// let mut app = App::new("shop");
    /// app.teardown_appcontext(|_: Option<&Error>| drop(g().pop::<String>("connection")));
    /// # app.test_client().get("/");
    /// ```
    pub fn teardown_appcontext<M, H: TeardownHook<M>>(&mut self, hook: H) -> &mut App {
        self.teardown_appcontext.push(Box::new(move |error| hook.call(error)));
        self
    }

    /// Puts middleware around the app: `wrap` gets the app as a [`Service`], and gives back the service that answers in
    /// its place (Flask: `app.wsgi_app = Middleware(app.wsgi_app)`). What is added later is outside of what was earlier.
    ///
    /// ```
    /// use dewar::{App, Request, Service};
    ///
    /// let mut app = App::new("demo");
    /// app.get("/", || "hello").endpoint("index");
    /// app.middleware(|inner| move |request: Request| inner.call(request).with_header("x-served-by", "demo"));
    /// assert_eq!(app.test_client().get("/").header("x-served-by"), Some("demo"));
    /// ```
    pub fn middleware<S: Service + 'static>(&mut self, wrap: impl FnOnce(Arc<dyn Service>) -> S + 'static) -> &mut App {
        self.middleware.push(Box::new(|inner| Arc::new(wrap(inner))));
        self
    }

    /// Freezes the set-up: from then on the app answers, and nothing can be registered.
    ///
    /// # Errors
    /// Every mistake of the set-up, each with the line of its registration.
    pub fn into_service(self) -> Result<AppService, SetupErrors> {
        freeze::freeze(self)
    }
}

impl Deref for App {
    type Target = Scaffold;

    fn deref(&self) -> &Scaffold {
        &self.scaffold
    }
}

impl DerefMut for App {
    fn deref_mut(&mut self) -> &mut Scaffold {
        &mut self.scaffold
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("name", &self.name).field("scaffold", &self.scaffold).finish_non_exhaustive()
    }
}
