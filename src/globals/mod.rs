//! The current request's things, for handlers and hooks: the one place that reads the luggage.

#[cfg(feature = "static_files")]
mod files;
#[cfg(feature = "templates")]
mod pages;
mod with_context;

use std::sync::Arc;

use serde::Serialize;

#[cfg(feature = "static_files")]
pub use files::{send_data, send_file, send_file_with, send_from_directory, send_from_directory_with};
#[cfg(feature = "templates")]
pub use pages::{
    get_template_attribute, render, render_template, render_template_string, stream_template, stream_template_string,
};
pub use with_context::{WithContext, stream_with_context};

use crate::bridge::luggage;
use crate::ctx::{Ctx, G, Site};
use crate::error::{Here, Result};
use crate::json::Json;
use crate::request::Request;
use crate::respond::IntoResponse;
use crate::response::Response;
use crate::routing::UrlValue;
#[cfg(feature = "sessions")]
use crate::session::{FlashMessage, Flashed, Session};
#[cfg(feature = "templates")]
use crate::templates::Within;

/// The context of the request that this thread, or this async task, works for; `None` outside of one.
///
/// It is there in handlers, hooks, error handlers and extractors, in the async fragments that they run, and in the
/// tasks of those. Threads that you start yourself have none: hand them what they need, or the context itself.
pub fn current_context() -> Option<Arc<Ctx>> {
    luggage::current()?.downcast().ok()
}

/// Whether there is a current request (Flask's `has_request_context`).
pub fn has_request_context() -> bool {
    luggage::with(|luggage| luggage.and_then(|luggage| luggage.downcast_ref::<Ctx>()).is_some_and(Ctx::has_request))
}

/// Whether there is a context: of a request, or of the app alone, as commands have it (Flask's `has_app_context`).
pub fn has_app_context() -> bool {
    luggage::with(|luggage| luggage.is_some_and(|luggage| luggage.is::<Ctx>()))
}

/// A context of either kind.
#[track_caller]
fn context(what: &str) -> Arc<Ctx> {
    let Some(ctx) = current_context() else {
        panic!(
            "`{what}` was asked for outside of a request and of a context of the app. It is known in handlers, hooks and \
             what they call, in commands, and in async fragments and their tasks; a thread of your own must be given \
             what it needs: see `copy_current_request_context`. In a script, use `AppService::app_context`; in a test, \
             `AppService::with_context`"
        );
    };
    ctx
}

/// A request's.
#[track_caller]
fn request_context(what: &str) -> Arc<Ctx> {
    let ctx = context(what);
    assert!(
        ctx.has_request(),
        "`{what}` was asked for outside of a request: this is a context of the app alone, as commands have it. In a \
         test, use `AppService::with_context`, which makes one of a request"
    );
    ctx
}

/// Takes the current context along to another thread: `work` finds there the same `request()`, `g()` and `session()` as
/// here (Flask's function of this name).
///
/// What [`bridge::unblock`](crate::bridge::unblock()), tasks and async fragments run has it by itself. The session is
/// shared, but what is written into it after the response has gone is not sent.
///
/// ```
/// use dewar::{App, copy_current_request_context, request};
///
/// let mut app = App::new("demo");
/// app.get("/", || {
///     let work = copy_current_request_context(|| request().args().get("q").unwrap_or("").to_owned());
///     std::thread::spawn(work).join().unwrap()
/// })
/// .endpoint("index");
/// assert_eq!(app.test_client().get("/?q=1").text(), "1");
/// ```
///
/// # Panics
/// Outside of a context, at the caller's line.
#[track_caller]
pub fn copy_current_request_context<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let ctx = context("copy_current_request_context()");
    move || {
        let _packed = luggage::pack(Some(ctx));
        work()
    }
}

/// The current request. It is a handle: keep it, or hand it on, as you like.
///
/// # Panics
/// Outside of a request, at the caller's line: see [`has_request_context`].
#[track_caller]
pub fn request() -> Request {
    request_context("request()").request().clone()
}

/// The current request's namespace: see [`G`].
///
/// # Panics
/// Outside of a request, at the caller's line.
#[track_caller]
pub fn g() -> G {
    context("g()").g()
}

/// The current request's session: see [`Session`](crate::Session).
///
/// ```
/// use dewar::{App, Result, session};
///
/// fn visit() -> Result<String> {
///     let visits = session().get::<u32>("visits").unwrap_or(0) + 1;
///     session().set("visits", visits)?;
///     Ok(visits.to_string())
/// }
///
/// let mut app = App::new("demo");
/// app.config_mut().set("SECRET_KEY", "long, random, and known to nobody else");
/// app.get("/", visit);
/// let client = app.test_client();
/// assert_eq!(client.get("/").text(), "1");
/// assert_eq!(client.get("/").text(), "2");
/// ```
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "sessions")]
#[track_caller]
pub fn session() -> Session {
    Session::of(&request_context("session()"))
}

/// Keeps a message, a text or a `Markup`, for the next page that shows messages, with the category `message`. See
/// [`get_flashed_messages`].
///
/// # Errors
/// When the app has no `SECRET_KEY`.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "sessions")]
#[track_caller]
pub fn flash(message: impl Into<FlashMessage>) -> Result<()> {
    Session::of(&request_context("flash()")).flash(message, "message")
}

/// As [`flash`], with a category: `error`, `info`, `warning`, or any other.
///
/// # Errors
/// When the app has no `SECRET_KEY`.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "sessions")]
#[track_caller]
pub fn flash_with(message: impl Into<FlashMessage>, category: impl Into<String>) -> Result<()> {
    Session::of(&request_context("flash_with()")).flash(message, category)
}

/// The messages that were kept by [`flash`], which takes them out of the session; the same ones again when it is called
/// again in the same request. A template has `get_flashed_messages(with_categories=false, category_filter=[])`.
///
/// ```
/// use dewar::{App, Redirect, Result, flash_with, get_flashed_messages, redirect};
///
/// fn save() -> Result<Redirect> {
///     flash_with("Saved.", "info")?;
///     Ok(redirect("/"))
/// }
///
/// fn index() -> String {
///     get_flashed_messages().iter().map(|flash| format!("{}: {}", flash.category, flash.message)).collect()
/// }
///
/// let mut app = App::new("demo");
/// app.config_mut().set("SECRET_KEY", "long, random, and known to nobody else");
/// app.post("/save", save);
/// app.get("/", index);
/// let client = app.test_client();
/// assert_eq!(client.post("/save").follow_redirects().send().text(), "info: Saved.");
/// assert_eq!(client.get("/").text(), "");
/// ```
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "sessions")]
#[track_caller]
pub fn get_flashed_messages() -> Vec<Flashed> {
    Session::of(&request_context("get_flashed_messages()")).flashed_messages()
}

/// As [`get_flashed_messages`], those of these categories (Flask's argument `category_filter`); all when none is named.
/// The others are taken out of the session too.
///
/// ```
/// use dewar::{App, flash, flash_with, get_flashed_messages_with};
///
/// let mut app = App::new("demo");
/// app.config_mut().set("SECRET_KEY", "long, random, and known to nobody else");
/// app.get("/", || {
///     flash("saved")?;
///     flash_with("and now it is full", "warning")?;
///     Ok::<_, dewar::Error>(get_flashed_messages_with(["warning", "error"])[0].to_string())
/// });
/// assert_eq!(app.test_client().get("/").text(), "and now it is full");
/// ```
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "sessions")]
#[track_caller]
pub fn get_flashed_messages_with<C: AsRef<str>>(category_filter: impl IntoIterator<Item = C>) -> Vec<Flashed> {
    Session::of(&context("get_flashed_messages_with()")).flashed_messages_with(category_filter)
}

/// The app that answers the current request, as its requests see it.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[track_caller]
pub fn current_app() -> Arc<Site> {
    context("current_app()").site().clone()
}

/// Runs `hook` on the current request's response, before the after-request hooks.
///
/// ```
/// use dewar::{App, Cookie, after_this_request};
///
/// fn visit() -> &'static str {
///     after_this_request(|response| response.with_cookie(Cookie::new("seen", "1")));
///     "welcome"
/// }
///
/// let mut app = App::new("demo");
/// app.get("/", visit);
/// assert!(app.test_client().get("/").header("set-cookie").unwrap().starts_with("seen=1"));
/// ```
///
/// # Panics
/// Outside of a request, at the caller's line.
#[track_caller]
pub fn after_this_request(hook: impl FnOnce(Response) -> Response + Send + 'static) {
    request_context("after_this_request()").after_this_request(hook);
}

/// Makes a JSON response of any serializable value (Flask's `jsonify`), by the app's
/// [`JsonProvider`](crate::JsonProvider) if it has one, and else, as outside of a request, by serde_json.
///
/// Several values are given as a tuple, which is written as a list; names with values by [`json!`](crate::json!), or a
/// struct. Without a value, in Python, it is `null`: `jsonify(())`.
///
/// ```
/// use dewar::{App, json, jsonify};
///
/// let mut app = App::new("demo");
/// app.get("/", || jsonify((1, "two", json!({ "three": 3 }))));
/// assert_eq!(app.test_client().get("/").text(), r#"[1,"two",{"three":3}]"#);
/// ```
///
/// # Errors
/// When the value cannot be written as JSON, such as a map whose keys are lists.
#[track_caller]
pub fn jsonify(value: impl Serialize) -> Result<Response> {
    // Without a provider this is all that it costs; the value's own code runs when the luggage is let go.
    let site = luggage::with(|luggage| {
        let ctx = luggage.and_then(|luggage| luggage.downcast_ref::<Ctx>())?;
        ctx.site().json().map(|_| ctx.site().clone())
    });
    match site.as_ref().and_then(|site| site.json()) {
        Some(provider) => provider.response(value).here(),
        None => Json(value).into_response().here(),
    }
}

/// The URL of an endpoint. The macro [`url_for!`](crate::url_for!) is nicer to write: `url_for!("post", id = 7)`.
///
/// Values that are no variables of the rule become the query string. `_anchor` is put behind a `#`, `_external` asks
/// for a whole URL, `_scheme` for one with another scheme, `_method` for the rule of that method. An endpoint that
/// begins with a dot is one of the current blueprint.
///
/// ```
/// use dewar::{App, Result, url_for};
///
/// fn post(id: i64) -> Result<String> {
///     Ok(url_for!("post", id = id + 1, page = 2, _anchor = "end")?)
/// }
///
/// let mut app = App::new("blog");
/// app.get("/post/<int:id>", post);
/// assert_eq!(app.test_client().get("/post/7").text(), "/post/8?page=2#end");
/// ```
///
/// # Errors
/// When there is no such endpoint, or a value for one of its variables is missing or does not fit: with the endpoint
/// that comes nearest, or the names that are missing.
///
/// # Panics
/// Outside of a request, at the caller's line: there, use [`Site::url_for`](crate::Site::url_for).
#[track_caller]
pub fn url_for(endpoint: &str, values: &[(&str, UrlValue)]) -> Result<String> {
    context("url_for()").url_for(endpoint, values)
}

/// The URL of an endpoint, with its values by name: `url_for!("post", id = 7)`. See [`url_for`](fn@crate::url_for).
#[macro_export]
macro_rules! url_for {
    ($endpoint:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::url_for($endpoint, &[$((::core::stringify!($name), $crate::routing::UrlValue::from($value))),*])
    };
}

/// Puts a context in place.
fn packed(ctx: &Arc<Ctx>) -> luggage::Packed {
    luggage::pack(Some(ctx.clone()))
}

/// Runs what it is given in this context, on whatever thread.
#[cfg(feature = "templates")]
fn within(ctx: Arc<Ctx>) -> Within {
    Box::new(move |run| {
        let _packed = luggage::pack(Some(ctx));
        run();
    })
}
