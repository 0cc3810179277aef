//! A sync-first web framework: Flask's way of working, with handlers that simply block, and a bridge for the async
//! fragment that one of them needs now and then.
//!
//! ```no_run
//! use dewar::{App, Json, Result, abort, bridge, context, render};
//!
//! fn hello(name: String) -> String {
//!     format!("Hello, {name}!")
//! }
//!
//! fn post(id: i64) -> Result<String> {
//!     if id < 1 {
//!         abort!(404);
//!     }
//!     let text = std::fs::read_to_string(format!("posts/{id}.txt"))?; // blocks, and may
//!     render("post.html", context! { id, text })
//! }
//!
//! async fn fetch(symbol: &str) -> Result<u64> {
//!     Ok(symbol.len() as u64) // think of an async client here
//! }
//!
//! fn prices() -> Result<Json<Vec<u64>>> {
//!     let prices = bridge::run(bridge::try_gather(["A", "BB"].into_iter().map(fetch)))?;
//!     Ok(Json(prices))
//! }
//!
//! fn main() -> Result<()> {
//!     let mut app = App::new("site");
//!     app.get("/hello/<name>", hello);
//!     app.get("/post/<int:id>", post);
//!     app.get("/prices", prices);
//!     app.run()
//! }
//! ```
//!
//! # Where to look
//!
//! | to | see |
//! | --- | --- |
//! | register routes, hooks, error handlers, blueprints | [`Scaffold`], which [`App`] and [`Blueprint`] share |
//! | take arguments: view arguments, extractors, one's own | [`Handler`], [`handler`], [`FromRequest`], [`Path`], [`Query`], [`Form`], [`Json`], [`State`] |
//! | answer | [`IntoResponse`], [`Response`], [`redirect`], [`jsonify`], streamed: [`Body::blocks`], [`StreamBody`] |
//! | fail | [`abort!`], [`Error`], [`HttpError`], [`Or500`], [`OrAbort`] |
//! | ask for what belongs to the request | [`request`], [`g`], [`current_app`], [`url_for!`] |
//! | keep what belongs to a visitor | `session`, `flash` (feature `sessions`) |
//! | render pages, send files | `render`, `stream_template`, `context!`, `Markup`, `send_file` |
//! | run async code | [`bridge`] |
//! | test without a socket | [`TestClient`], by [`App::test_client`] |
//! | serve | [`App::run`], [`RunOptions`], [`server`] |
//!
//! # Coming from Flask
//!
//! | Flask | here |
//! | --- | --- |
//! | `@app.route("/x", methods=["GET", "POST"])` | `app.route("/x", view).methods(["GET", "POST"])` |
//! | `@bp.before_app_request` | [`bp.before_app_request(hook)`](Blueprint::before_app_request) |
//! | `@login_required` on a view | an extractor that the view takes: [`FromRequest`] |
//! | `request.args.get("page", type=int)` | `request().args().get_as::<i64>("page")` |
//! | `request.form["title"]`, `request.files["f"]` | `form.require("title")?`, `form.file("f")`: see [`Request::form`]; or [`Form`] |
//! | `g.user = user`, `g.user` | `g().set_shown("user", user)`, `g().get::<User>("user")`: see [`G`] |
//! | `session["id"] = 7`, `session.get("id")` | `session().set("id", 7)?`, `session().get::<i64>("id")` |
//! | `flash("Saved.")` | `flash("Saved.")?` |
//! | `render_template("post.html", post=post)` | `render("post.html", context! { post })` |
//! | `redirect(url_for("blog.post", id=7))` | `redirect(url_for!("blog.post", id = 7)?)`, in a view with pages too: see [`redirect`] |
//! | `abort(404)` | [`abort!(404)`](abort!), in a function that returns [`Result`] |
//! | `current_app.config["KEY"]` | `current_app().config().get_str("KEY")`: see [`Config`] |
//! | `@app.template_filter("name")` | `app.template_filter("name", function)`; so are `template_test`, `template_global` |
//! | `@app.context_processor` | [`app.context_processor(function)`](Scaffold::context_processor), in a blueprint too |
//! | `render_template(["a.html", "b.html"])` | `render(["a.html", "b.html"], …)`; `render_template` is the same function |
//! | `stream_template("rows.html", rows=rows)` | `stream_template("rows.html", context! { rows })` |
//! | a generator as a response | [`Body::blocks`]; an async one: [`StreamBody`] |
//! | `stream_with_context(generate())` | [`stream_with_context`], of iterators and async streams |
//! | `client.post("/x", data={"a": "b"})` | `client.post("/x").form([("a", "b")]).send()` |
//! | `with client: …`, then `g`, `session` | [`TestResponse::context`] |
//! | `with app.test_request_context():` | [`AppService::with_context`] |
//! | `flask run --debug` | `cargo run -- --debug` |
//!
//! # Handlers
//!
//! A handler is a function or a closure of owned arguments, sync or async. Its arguments are the rule's variables, in
//! order — all of them or none — mixed with extractors, of which one may take the body. A request is handled by one
//! thread from start to finish: it may block as it likes, and blocks nobody else.
//!
//! Mistakes of the set-up (a handler whose arguments do not fit its rule, two views under one endpoint, a missing
//! state) are reported when the app is frozen, all at once, each with the line of its registration.
//!
//! # Features
//!
//! | feature | gives | default |
//! | --- | --- | --- |
//! | `templates` | `render`, by minijinja | yes |
//! | `static_files` | files under `/static`, `send_file` | yes |
//! | `tiny_http` | the engine over the tiny_http crate, beside the native one | yes |
//! | `compute` | `bridge::compute`, by rayon | yes |
//! | `multipart` | `multipart/form-data`, by multer | no |
//! | `sessions` | `session()` and `flash`, in Flask's signed cookie | no |
//! | `tokio` | tokio behind the bridge: `bridge::LoopPolicy::tokio()`, for reqwest, sqlx and what else needs a runtime | no |
//! | `tls` | HTTPS by the native engine: `Server::tls`, `--cert` and `--key`, by rustls | no |
//! | `full` | all of them | no |
#![deny(missing_docs)]

mod app;
mod body;
pub mod bridge;
#[cfg(feature = "static_files")]
mod conditional;
mod config;
mod cookie;
mod ctx;
mod error;
mod extract;
mod form;
mod globals;
mod json;
mod multidict;
#[cfg(feature = "multipart")]
mod multipart;
#[cfg_attr(not(feature = "tiny_http"), allow(dead_code, reason = "some of it only that engine needs"))]
mod pool;
#[allow(dead_code, unused_imports, reason = "the engine that reads requests by it is not here yet")]
mod proto;
mod quiet;
mod request;
mod respond;
mod response;
pub mod routing;
mod run;
pub mod server;
mod service;
#[cfg(feature = "sessions")]
mod session;
#[cfg(feature = "static_files")]
mod static_files;
#[cfg(feature = "templates")]
mod templates;
mod testing;
mod upgrade;

#[doc(hidden)]
pub use app::check as __check;
pub use app::{App, AppService, Blueprint, Handler, Panicked, Registration, RouteMut, Scaffold, SetupErrors};
pub use body::{Body, BodyTooLarge};
pub use config::Config;
pub use cookie::{Cookie, SameSite, parse_cookies};
pub use ctx::{Ctx, G, Site};
pub use error::{AbortWith, Error, HttpError, Or500, OrAbort, Result, abort};
pub use extract::{Cookies, Form, FromRequest, Path, Query, State};
pub use form::{FormData, FormLimits, Upload};
pub use globals::{WithContext, stream_with_context};
pub use globals::{after_this_request, current_app, current_context, g, has_request_context, request, url_for};
#[cfg(feature = "sessions")]
pub use globals::{flash, flash_with, get_flashed_messages, session};
#[cfg(feature = "templates")]
pub use globals::{get_template_attribute, render, render_template, render_template_string};
#[cfg(feature = "static_files")]
pub use globals::{send_file, send_file_with, send_from_directory};
#[cfg(feature = "templates")]
pub use globals::{stream_template, stream_template_string};
pub use json::{Json, jsonify};
pub use multidict::MultiDict;
pub use request::Request;
pub use respond::{IntoHeaders, IntoResponse, Redirect, StreamBody, redirect};
pub use response::{IntoStatus, Response, escape_html};
pub use run::{BadOption, RunOptions};
pub use service::Service;
#[cfg(feature = "sessions")]
pub use session::{BadSession, Flashed, Session, SessionData, SessionSerializer, Tagged};
#[cfg(feature = "static_files")]
pub use static_files::SendFile;
#[cfg(feature = "templates")]
pub use templates::{ContextValues, JinjaOptions, Markup, TemplateAttribute, TemplateName};
pub use testing::{RequestBuilder, TestClient, TestResponse};
pub use upgrade::Upgraded;

/// What handlers, hooks and their arguments are made of: for signatures that are generic over them.
pub mod handler {
    pub use crate::app::{
        AfterHook, BeforeHook, Blocking, Bridged, Caught, ErrorHandler, Handler, HookAnswer, TeardownHook,
    };
    pub use crate::extract::{Arg, Call, FromRequest, Shape};
}

pub use http;
#[cfg(feature = "templates")]
pub use minijinja;
#[cfg(feature = "tls")]
pub use rustls;
pub use serde_json::{self, json};

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub use proto::fuzzing;

#[cfg(doctest)]
mod readme {
    #[doc = include_str!("../README.md")]
    struct Readme;
}
