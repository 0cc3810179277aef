//! The app: what is registered, how it is frozen, and how it answers.

mod blueprint;
#[doc(hidden)]
#[allow(missing_docs, reason = "only for the macro `check_handler!`")]
pub mod check;
mod dispatch;
mod freeze;
mod frozen;
mod handler;
mod scaffold;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;

pub use blueprint::{Blueprint, Registration};
pub use dispatch::Panicked;
pub use freeze::SetupErrors;
pub use frozen::AppService;
pub use handler::{AfterHook, BeforeHook, Blocking, Bridged, Caught, ErrorHandler, Handler, HookAnswer, TeardownHook};
pub use scaffold::{RouteMut, Scaffold};

use crate::config::Config;
use crate::ctx::TypeMap;
use crate::routing::{Converter, Converters};
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
    config: Config,
    states: TypeMap,
    converters: Converters,
    scaffold: Scaffold,
    #[cfg(feature = "static_files")]
    static_files: StaticSetup,
    #[cfg(feature = "templates")]
    templates: TemplateSetup,
}

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
            config: Config::new(),
            states: TypeMap::default(),
            converters: Converters::default(),
            scaffold: Scaffold { is_app: true, ..Scaffold::default() },
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
        &mut self.config
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

    /// Adds a converter for variables of rules: `<name:variable>`.
    pub fn converter(&mut self, name: &str, converter: impl Converter + 'static) -> &mut App {
        self.converters.register(name, converter);
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
