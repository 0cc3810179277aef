//! Hooks around URLs: what is taken out of those that come in, and added to those that are built.

use super::App;
use super::blueprint::Blueprint;
use super::scaffold::Scaffold;
use crate::ctx::{BuildErrorHandler, UrlDefaults};
use crate::error::{Error, Result};
use crate::routing::{BuildError, NamedArgs, UrlValues};

/// Reads arguments before the before-request hooks.
pub(super) type Preprocessor = Box<dyn Fn(Option<&str>, &NamedArgs<'_>) -> Result<()> + Send + Sync>;

/// The hooks of an app or a blueprint around its URLs.
#[derive(Default)]
pub(super) struct UrlScope {
    pub(super) preprocessors: Vec<Preprocessor>,
    /// The arguments that they take from the views.
    pub(super) taken: Vec<String>,
    pub(super) defaults: Vec<UrlDefaults>,
    pub(super) on_build_error: Vec<BuildErrorHandler>,
}

impl UrlScope {
    pub(super) fn extend(&mut self, other: UrlScope) {
        self.preprocessors.extend(other.preprocessors);
        self.taken.extend(other.taken);
        self.defaults.extend(other.defaults);
        self.on_build_error.extend(other.on_build_error);
    }
}

/// What a hook around URLs may return: nothing, or a `Result` of nothing.
pub trait UrlHookAnswer {
    /// Whether it failed.
    ///
    /// # Errors
    /// The hook's own.
    fn into_done(self) -> Result<()>;
}

impl UrlHookAnswer for () {
    fn into_done(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Into<Error>> UrlHookAnswer for Result<(), E> {
    fn into_done(self) -> Result<()> {
        self.map_err(Into::into)
    }
}

impl Scaffold {
    /// Takes arguments out of URLs before the view, and before the before-request hooks, see them: the language, say,
    /// that every rule begins with. `hook` gets the endpoint and all arguments; those named here are no view arguments
    /// any more. An error that it returns ends the request.
    ///
    /// An app's run first, then the outer blueprint's, then the inner one's. An app's run for a 404 as well, with
    /// neither endpoint nor arguments.
    ///
    /// In Flask the hook removes what it likes from a dictionary; here the names are declared, so that the arguments of
    /// views can be checked when the app is frozen.
    ///
    /// ```
    /// use dewar::{App, g, url_for};
    ///
    /// let mut app = App::new("site");
    /// app.url_value_preprocessor(["lang"], |_endpoint, values| {
    ///     if let Some(lang) = values.get("lang") {
    ///         g().set("lang", lang.to_string());
    ///     }
    /// });
    /// app.url_defaults(|_endpoint, values| {
    ///     if let Some(lang) = g().get::<String>("lang") {
    ///         values.set_default("lang", lang);
    ///     }
    /// });
    /// app.get("/<lang>/post/<int:id>", |id: i64| url_for!("post", id = id + 1)).endpoint("post");
    /// assert_eq!(app.test_client().get("/de/post/7").text(), "/de/post/8");
    /// ```
    pub fn url_value_preprocessor<I, F, R>(&mut self, names: I, hook: F) -> &mut Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
        F: Fn(Option<&str>, &NamedArgs<'_>) -> R + Send + Sync + 'static,
        R: UrlHookAnswer,
    {
        self.urls.taken.extend(names.into_iter().map(Into::into));
        self.urls.preprocessors.push(Box::new(move |endpoint, values| hook(endpoint, values).into_done()));
        self
    }

    /// Adds values to the URLs that `url_for` builds: `hook` gets the endpoint and the values, which it may change. A
    /// blueprint's is for its own endpoints; the app's run first, then the outer blueprint's, then the inner one's.
    ///
    /// A value that no rule of the endpoint has a variable for ends up in the query:
    /// [`Site::is_endpoint_expecting`](crate::Site::is_endpoint_expecting) tells.
    ///
    /// See [`url_value_preprocessor`](Scaffold::url_value_preprocessor) for both together.
    pub fn url_defaults<F, R>(&mut self, hook: F) -> &mut Self
    where
        F: Fn(&str, &mut UrlValues) -> R + Send + Sync + 'static,
        R: UrlHookAnswer,
    {
        self.urls.defaults.push(Box::new(move |endpoint, values| hook(endpoint, values).into_done()));
        self
    }
}

impl App {
    /// Asks `handler` for a URL when `url_for` has none: it gets the error, the endpoint, and the values, `_anchor` and
    /// its kin included. The first of several that has a URL counts; with a [`BuildError`] of its own a handler puts that
    /// in the place of the first (Flask's `app.url_build_error_handlers`).
    ///
    /// ```
    /// use dewar::{App, Result, url_for};
    ///
    /// let mut app = App::new("site");
    /// app.url_build_error_handler(|_error, endpoint, _values| {
    ///     Ok(endpoint.strip_prefix("docs.").map(|page| format!("https://docs.example.com/{page}")))
    /// });
    /// app.get("/", || url_for!("docs.start")).endpoint("index");
    /// assert_eq!(app.test_client().get("/").text(), "https://docs.example.com/start");
    /// ```
    pub fn url_build_error_handler(
        &mut self,
        handler: impl Fn(&BuildError, &str, &UrlValues) -> Result<Option<String>> + Send + Sync + 'static,
    ) -> &mut App {
        self.scaffold.urls.on_build_error.push(Box::new(handler));
        self
    }
}

impl Blueprint {
    /// As [`url_value_preprocessor`](Scaffold::url_value_preprocessor), for the whole app.
    pub fn app_url_value_preprocessor<I, F, R>(&mut self, names: I, hook: F) -> &mut Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
        F: Fn(Option<&str>, &NamedArgs<'_>) -> R + Send + Sync + 'static,
        R: UrlHookAnswer,
    {
        self.app_wide().url_value_preprocessor(names, hook);
        self
    }

    /// As [`url_defaults`](Scaffold::url_defaults), for the whole app.
    pub fn app_url_defaults<F, R>(&mut self, hook: F) -> &mut Self
    where
        F: Fn(&str, &mut UrlValues) -> R + Send + Sync + 'static,
        R: UrlHookAnswer,
    {
        self.app_wide().url_defaults(hook);
        self
    }
}
