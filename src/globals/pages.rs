//! Rendering templates for the current request.

use super::{context, within};
use crate::error::{Here, Result};
use crate::respond::StreamBody;
use crate::templates::{TemplateAttribute, TemplateName};

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
#[track_caller]
pub fn stream_template_string(source: &str, values: impl Into<minijinja::Value>) -> Result<StreamBody> {
    let ctx = context("stream_template_string()");
    let within = within(ctx.clone());
    crate::templates::stream_string(&ctx, source, values.into(), within).map(StreamBody::of_body).here()
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
#[track_caller]
pub fn get_template_attribute(template: &str, attribute: &str) -> Result<TemplateAttribute> {
    crate::templates::attribute(&context("get_template_attribute()"), template, attribute).here()
}
