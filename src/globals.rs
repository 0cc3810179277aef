//! The current request's things, for handlers and hooks: the one place that reads the luggage.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::Serialize;

use crate::bridge::luggage;
use crate::ctx::{Ctx, G, Site};
use crate::error::{Here, Result};
use crate::json::Json;
use crate::request::Request;
use crate::respond::IntoResponse;
#[cfg(feature = "templates")]
use crate::respond::StreamBody;
use crate::response::Response;
use crate::routing::UrlValue;
#[cfg(feature = "sessions")]
use crate::session::{Flashed, Session};
#[cfg(feature = "templates")]
use crate::templates::{TemplateAttribute, TemplateName, Within};

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

/// Keeps a message for the next page that shows messages, with the category `message`. See [`get_flashed_messages`].
///
/// # Errors
/// When the app has no `SECRET_KEY`.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "sessions")]
#[track_caller]
pub fn flash(message: impl Into<String>) -> Result<()> {
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
pub fn flash_with(message: impl Into<String>, category: impl Into<String>) -> Result<()> {
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

/// Keeps the current request's context for a streamed response: `request()`, `g()` and their kin work in the iterator, or
/// the async stream, as they did in the view.
///
/// A stream is read when the view has returned, the hooks have run and the context is off its thread; without this, it
/// finds none. Its session is read, and can no longer be sent.
///
/// ```
/// use dewar::{App, Body, StreamBody, bridge, request, stream_with_context};
///
/// fn letters() -> Body {
///     Body::blocks(stream_with_context((0..3).map(|n| request().args().get("word").unwrap_or("")[n..=n].to_owned())))
/// }
///
/// fn letters_slowly() -> StreamBody {
///     StreamBody::new(stream_with_context(bridge::stream(async |yielder| {
///         for letter in request().args().get("word").unwrap_or("").chars() {
///             bridge::yield_now().await;
///             yielder.send(letter.to_string()).await;
///         }
///     })))
/// }
///
/// let mut app = App::new("demo");
/// app.get("/", letters);
/// app.get("/slowly", letters_slowly);
/// let client = app.test_client();
/// assert_eq!(client.get("/?word=abc").text(), "abc");
/// assert_eq!(client.get("/slowly?word=abc").text(), "abc");
/// ```
///
/// # Panics
/// Outside of a request, at the caller's line.
#[track_caller]
pub fn stream_with_context<T>(stream: T) -> WithContext<T> {
    WithContext { ctx: request_context("stream_with_context()"), stream: Some(Box::pin(stream)) }
}

/// An iterator, or an async stream, with a request's context: made by [`stream_with_context`].
#[must_use = "a stream does nothing until it is read"]
pub struct WithContext<T> {
    ctx: Arc<Ctx>,
    /// `None` only while it is dropped. Boxed, so that it can be dropped in its context.
    stream: Option<Pin<Box<T>>>,
}

impl<T> WithContext<T> {
    fn within<R>(&mut self, run: impl FnOnce(Pin<&mut T>) -> R) -> Option<R> {
        let stream = self.stream.as_mut()?;
        let _packed = luggage::pack(Some(self.ctx.clone()));
        Some(run(stream.as_mut()))
    }
}

impl<T: Iterator + Unpin> Iterator for WithContext<T> {
    type Item = T::Item;

    fn next(&mut self) -> Option<T::Item> {
        self.within(|iterator| iterator.get_mut().next()).flatten()
    }
}

impl<T: Stream> Stream for WithContext<T> {
    type Item = T::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T::Item>> {
        self.within(|stream| stream.poll_next(cx)).unwrap_or(Poll::Ready(None))
    }
}

impl<T> Drop for WithContext<T> {
    fn drop(&mut self) {
        let stream = self.stream.take();
        let _packed = luggage::pack(Some(self.ctx.clone()));
        drop(stream);
    }
}

impl<T> fmt::Debug for WithContext<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithContext").finish_non_exhaustive()
    }
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

/// Renders a template with these values: `render("post.html", context! { post })`. Of a list of names, the first that
/// exists is taken. In Flask it is [`render_template`].
///
/// Beside the values, a template knows what [context processors](crate::Scaffold::context_processor) give, then `request`,
/// `g`, `session`, `config`, `url_for` and `get_flashed_messages`; values come first. Names that end in `.html`, `.htm`,
/// `.xml`, `.xhtml` and `.svg` are escaped.
///
/// ```
/// use dewar::{App, Result, context, render};
///
/// fn hello(name: String) -> Result<String> {
///     render("hello.html", context! { name })
/// }
///
/// let mut app = App::new("demo");
/// app.template("hello.html", "<a href=\"{{ url_for('hello', name='you') }}\">Hello, {{ name }}!</a>");
/// app.get("/<name>", hello);
/// assert_eq!(app.test_client().get("/%3Cb%3E").text(), "<a href=\"/you\">Hello, &lt;b&gt;!</a>");
/// ```
///
/// # Errors
/// When there is no such template, or it fails: with its name and line. When a context processor fails.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "templates")]
#[track_caller]
pub fn render(name: impl TemplateName, values: impl Into<minijinja::Value>) -> Result<String> {
    let ctx = context("render()");
    name.with_names(|names| crate::templates::render(&ctx, names, values.into())).here()
}

/// [`render`], under Flask's name.
///
/// # Errors
/// As that.
///
/// # Panics
/// As that.
#[cfg(feature = "templates")]
#[track_caller]
pub fn render_template(name: impl TemplateName, values: impl Into<minijinja::Value>) -> Result<String> {
    let ctx = context("render_template()");
    name.with_names(|names| crate::templates::render(&ctx, names, values.into())).here()
}

/// Renders a template given as text, which is escaped. See [`render`].
///
/// # Errors
/// When it is not a template, or fails.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "templates")]
#[track_caller]
pub fn render_template_string(source: &str, values: impl Into<minijinja::Value>) -> Result<String> {
    crate::templates::render_string(&context("render_template_string()"), source, values.into()).here()
}

/// Renders a template while it is sent, piece by piece, in this request's context. See [`render`].
///
/// For pages that are long, or whose values are slow to come by, such as an iterator over a database's rows: a page is begun
/// before it is done, and no more than some 16 KiB of it wait in memory. It is rendered on a thread of its own, which is
/// started when the page is read and ends with it; when the client goes away, with the next piece. What fails on the way
/// cuts the connection: the page has begun already.
///
/// ```
/// use dewar::{App, Result, StreamBody, context, minijinja, stream_template};
///
/// fn rows() -> Result<StreamBody> {
///     let rows = minijinja::Value::make_one_shot_iterator((0..3).map(|n| n * n)); // think of something slow
///     stream_template("rows.html", context! { rows })
/// }
///
/// let mut app = App::new("demo");
/// app.template("rows.html", "{% for row in rows %}<li>{{ row }}{% endfor %}");
/// app.get("/", rows);
/// assert_eq!(app.test_client().get("/").text(), "<li>0<li>1<li>4");
/// ```
///
/// # Errors
/// When there is no such template, or it is not valid, or a context processor fails.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "templates")]
#[track_caller]
pub fn stream_template(name: impl TemplateName, values: impl Into<minijinja::Value>) -> Result<StreamBody> {
    let ctx = context("stream_template()");
    let within = within(ctx.clone());
    let body = name.with_names(|names| crate::templates::stream(&ctx, names, values.into(), within));
    body.map(StreamBody::of_body).here()
}

/// Renders a template given as text while it is sent. See [`stream_template`] and [`render_template_string`].
///
/// # Errors
/// When it is not a template, or a context processor fails.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "templates")]
#[track_caller]
pub fn stream_template_string(source: &str, values: impl Into<minijinja::Value>) -> Result<StreamBody> {
    let ctx = context("stream_template_string()");
    let within = within(ctx.clone());
    crate::templates::stream_string(&ctx, source, values.into(), within).map(StreamBody::of_body).here()
}

/// Runs what it is given in this context, on whatever thread.
#[cfg(feature = "templates")]
fn within(ctx: Arc<Ctx>) -> Within {
    Box::new(move |run| {
        let _packed = luggage::pack(Some(ctx));
        run();
    })
}

/// A macro of a template, to be called from Rust, or a value that it sets.
///
/// ```
/// use dewar::{App, Result, Markup, get_template_attribute};
///
/// fn hello(name: String) -> Result<Markup> {
///     get_template_attribute("parts.html", "hello")?.call(&[name.into()])
/// }
///
/// let mut app = App::new("demo");
/// app.template("parts.html", "{% macro hello(name) %}Hello, {{ name }}!{% endmacro %}");
/// app.get("/<name>", hello);
/// assert_eq!(app.test_client().get("/%3Cb%3E").text(), "Hello, &lt;b&gt;!");
/// ```
///
/// # Errors
/// When there is no such template, it fails, or it has nothing of this name.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "templates")]
#[track_caller]
pub fn get_template_attribute(template: &str, attribute: &str) -> Result<TemplateAttribute> {
    crate::templates::attribute(&context("get_template_attribute()"), template, attribute).here()
}

/// Sends a file, with its type by its name, an entity tag, and what conditional and range requests want.
///
/// ```no_run
/// use dewar::{Response, Result, send_file};
///
/// fn report() -> Result<Response> {
///     send_file("reports/today.pdf")
/// }
/// ```
///
/// # Errors
/// 404 when it is not there, or is no file. 412 and 416 as the request's conditions and ranges say.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "static_files")]
#[track_caller]
pub fn send_file(path: impl AsRef<std::path::Path>) -> Result<Response> {
    let ctx = context("send_file()");
    crate::static_files::send_file(&ctx, path.as_ref(), &crate::static_files::SendFile::default()).here()
}

/// As [`send_file`], with options: as an attachment, under another name or type.
///
/// # Errors
/// As [`send_file`]; and when a name, a type or an entity tag that was said cannot be a header.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "static_files")]
#[track_caller]
pub fn send_file_with(path: impl AsRef<std::path::Path>, options: &crate::static_files::SendFile) -> Result<Response> {
    crate::static_files::send_file(&context("send_file_with()"), path.as_ref(), options).here()
}

/// Sends the file of this name from a folder. The name may come from a client: it cannot lead out of the folder.
///
/// # Errors
/// 404 when it is not there, is no file, or would lead out of the folder; otherwise as [`send_file`].
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "static_files")]
#[track_caller]
pub fn send_from_directory(folder: impl AsRef<std::path::Path>, name: &str) -> Result<Response> {
    let options = crate::static_files::SendFile::default();
    send_from_directory_with(folder, name, &options).here()
}

/// As [`send_from_directory`], with options.
///
/// # Errors
/// As [`send_from_directory`] and [`send_file_with`].
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "static_files")]
#[track_caller]
pub fn send_from_directory_with(
    folder: impl AsRef<std::path::Path>,
    name: &str,
    options: &crate::static_files::SendFile,
) -> Result<Response> {
    let ctx = context("send_from_directory()");
    crate::static_files::send_from_directory(&ctx, folder.as_ref(), name, options).here()
}

/// Sends data as if it were a file (Flask's `send_file` of a file object): bytes, an open file, a reader, blocks.
///
/// Its name or its type must be said; it has no entity tag and no date unless they are said, too. Parts of it can be asked
/// for where its length is known.
///
/// ```
/// use dewar::{App, SendFile, send_data};
///
/// let mut app = App::new("demo");
/// app.get("/", || {
///     send_data("a,b\n", &SendFile { download_name: Some("table.csv".into()), as_attachment: true, ..SendFile::default() })
/// });
/// let response = app.test_client().get("/");
/// assert_eq!(response.header("content-disposition"), Some("attachment; filename=table.csv"));
/// assert_eq!(response.header("content-type"), Some("text/csv; charset=utf-8"));
/// ```
///
/// # Errors
/// When there is neither a name nor a type, or no name for an attachment; 412 and 416 as [`send_file`].
///
/// # Panics
/// Outside of a request, at the caller's line.
#[cfg(feature = "static_files")]
#[track_caller]
pub fn send_data(data: impl Into<crate::body::Body>, options: &crate::static_files::SendFile) -> Result<Response> {
    crate::static_files::send_data(&context("send_data()"), data.into(), options).here()
}
