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
//! | say what rules are: converters, hosts, slashes, redirects | [`routing`], [`RouteMut`], [`UrlMap`] |
//! | take arguments: view arguments, extractors, one's own | [`Handler`], [`handler`], [`FromRequest`], [`Path`], [`Query`], [`Form`], [`Json`], [`State`] |
//! | read what was sent: fields, uploads, headers | [`Request`], [`MultiDict`], [`FormData`], [`Upload`] |
//! | answer | [`IntoResponse`], [`make_response`], [`Response`], [`redirect`], [`jsonify`], streamed: [`Body::blocks`], [`StreamBody`] |
//! | fail | [`abort!`], [`Error`], [`HttpError`], [`Or500`], [`OrAbort`] |
//! | ask for what belongs to the request | [`request`], [`g`], [`current_app`], [`url_for!`] |
//! | render pages, send files | `render`, `stream_template`, `context!`, `Markup`, `send_file`, `send_data` |
//! | print JSON byte for byte as Flask | [`JsonProvider`], [`http_date`](mod@http_date) |
//! | answer conditions and ranges | [`Response::make_conditional`], [`Request::if_none_match`], [`ETags`], [`Range`], [`CacheControl`] |
//! | keep what belongs to a visitor | `session`, `flash` (feature `sessions`); elsewhere: `SessionInterface` |
//! | sign tokens, hash passwords | `URLSafeTimedSerializer` (feature `sessions`), `generate_password_hash` (`passwords`) |
//! | run async code | [`bridge`] |
//! | test without a socket | [`TestClient`], by [`App::test_client`] |
//! | configure | [`Config`], by [`App::config_mut`]; [`App::instance_path`]; [`env_var`] |
//! | serve, have commands of one's own | [`App::run`], [`RunOptions`], `cli` (feature `cli`), [`server`] |
//!
//! # Coming from Flask
//!
//! | Flask | here |
//! | --- | --- |
//! | `@app.route("/x", methods=["GET", "POST"])` | `app.route("/x", view).methods(["GET", "POST"])` |
//! | `app.add_url_rule("/x", "x")`, `@app.endpoint("x")` | [`app.add_url_rule("/x", "x")`](Scaffold::add_url_rule), [`app.endpoint("x", view)`](Scaffold::endpoint) |
//! | `app.url_map.strict_slashes = False`, `app.url_map.converters["x"] = X` | `app.url_map().strict_slashes(false)`, `app.url_map().converters().register("x", X)`: see [`UrlMap`] |
//! | `@app.route("/", subdomain="<user>")`, `host=…` | `app.get("/", view).subdomain("<user>")`, [`.host(…)`](RouteMut::host) |
//! | `@app.url_value_preprocessor`, `@app.url_defaults` | [`app.url_value_preprocessor(["lang"], hook)`](Scaffold::url_value_preprocessor), [`app.url_defaults(hook)`](Scaffold::url_defaults) |
//! | `@bp.before_app_request` | [`bp.before_app_request(hook)`](Blueprint::before_app_request) |
//! | `@login_required` on a view | [`.decorate(login_required)`](RouteMut::decorate) on its route, or an extractor that it takes: [`FromRequest`] |
//! | `request.args.get("page", type=int)` | `request().args().get_as::<i64>("page")` |
//! | `request.form["title"]`, `request.files["f"]` | `form.require("title")?`, `form.file("f")`: see [`Request::form`]; or [`Form`] |
//! | `request.accept_mimetypes.best_match([…])` | `request().accept_mimetypes().best_match([…])`: see [`Accept`] |
//! | `request.authorization` | `request().authorization()`: see [`Authorization`], [`WwwAuthenticate`] |
//! | `g.user = user` (or `None`), `g.user` | `g().set_shown("user", user)`, `g().get::<User>("user")`: see [`G`] |
//! | `session["id"] = 7`, `session.get("id")` | `session().set("id", 7)?`, `session().get::<i64>("id")` |
//! | `flash("Saved.")`, `flash(Markup("<b>Saved.</b>"))` | `flash("Saved.")?`, `flash(Markup::from("<b>Saved.</b>"))?` |
//! | `app.session_interface = …` | `app.session_interface(MemorySessions::new())` |
//! | `URLSafeTimedSerializer(key, salt="x").dumps(7)` | `URLSafeTimedSerializer::new(key).with_salt("x").dumps(&7)?` |
//! | `render_template("post.html", post=post)` | `render("post.html", context! { post })` |
//! | `redirect(url_for("blog.post", id=7))` | `redirect(url_for!("blog.post", id = 7)?)`, in a view with pages too: see [`redirect`] |
//! | `abort(404)` | [`abort!(404)`](abort!), in a function that returns [`Result`] |
//! | `return {"a": 1}`, `return "x", "404 gone fishing"` | `json!({ "a": 1 })`, `("x", "404 gone fishing")` |
//! | `response.cache_control.max_age = 60` | `response.edit_cache_control(\|cache\| _ = cache.set_max_age(…))`, likewise `edit_vary` |
//! | `app.json.sort_keys = False` | `app.json(JsonProvider { sort_keys: false, ..Default::default() })` |
//! | `current_app.config["KEY"]` | `current_app().config().get_str("KEY")`: see [`Config`] |
//! | `@app.template_filter("name")` | `app.template_filter("name", function)`; so are `template_test`, `template_global` |
//! | `@app.context_processor` | [`app.context_processor(function)`](Scaffold::context_processor), in a blueprint too |
//! | `render_template(["a.html", "b.html"])` | `render(["a.html", "b.html"], …)`; `render_template` is the same function |
//! | `except TemplateNotFound:` | `Err(error) if error.is::<TemplateNotFound>()`: see `TemplateNotFound` |
//! | `stream_template("rows.html", rows=rows)` | `stream_template("rows.html", context! { rows })` |
//! | a generator as a response | [`Body::blocks`]; an async one: [`StreamBody`] |
//! | `stream_with_context(generate())` | [`stream_with_context`], of iterators and async streams |
//! | `client.post("/x", data={"a": "b"})` | `client.post("/x").form([("a", "b")]).send()` |
//! | `with client: …`, then `g`, `session` | [`TestResponse::context`], `TestResponse::session` |
//! | `with client.session_transaction() as session:` | `client.session_transaction(\|session\| …)` |
//! | `with app.test_request_context():` | [`AppService::with_context`] |
//! | `with app.app_context():` | `app.into_service()?.app_context(\|\| …)`: see [`AppService::app_context`] |
//! | `os.path.join(app.instance_path, "x.sqlite")` | `app.instance_folder().join("x.sqlite")`: see [`App::instance_folder`] |
//! | `app.config.from_file("site.toml", tomllib.load)` | `app.config_mut().from_file("site.toml", false)?`: see [`Config::from_file`] |
//! | `app.config.from_prefixed_env()` | `app.config_mut().from_prefixed_env("DEWAR")`: see [`Config::from_prefixed_env`] |
//! | `flask run --debug` | `cargo run -- --debug`, which builds and starts again when the code changes |
//! | `flask routes` | `cargo run -- routes` |
//! | `@app.cli.command("init-db")` | `app.command("init-db", "Makes the tables.", \|_\| …)`: see `Scaffold::command` |
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
//! | `cli` | the command line of the app's program: `run`, `routes`, commands of one's own, by clap; without it, the environment alone says how to serve | yes |
//! | `multipart` | `multipart/form-data`, with uploads in memory or on disk; `secure_filename` | no |
//! | `sessions` | `session()` and `flash`, in Flask's signed cookie; signed tokens | no |
//! | `passwords` | password hashes, as Werkzeug's | no |
//! | `tokio` | tokio behind the bridge: `bridge::LoopPolicy::tokio()`, for reqwest, sqlx and what else needs a runtime | no |
//! | `toml` | configuration files in TOML | no |
//! | `tls` | HTTPS by the native engine: `Server::tls`, `--cert` and `--key`, by rustls | no |
//! | `full` | all of them | no |
#![deny(missing_docs)]

mod accept;
mod app;
mod authorization;
mod body;
pub mod bridge;
mod cache_control;
#[cfg(feature = "cli")]
pub mod cli;
mod conditional;
mod config;
mod content_security_policy;
mod cookie;
mod ctx;
mod error;
mod etag;
mod extract;
mod float_repr;
mod form;
mod globals;
mod header_parts;
mod header_set;
pub mod http_date;
mod json;
mod json_provider;
pub mod middleware;
mod multidict;
#[cfg(feature = "multipart")]
mod multipart;
#[cfg(feature = "passwords")]
mod passwords;
#[cfg_attr(not(feature = "tiny_http"), allow(dead_code, reason = "some of it only that engine needs"))]
mod pool;
#[allow(dead_code, unused_imports, reason = "the engine that reads requests by it is not here yet")]
mod proto;
mod quiet;
#[cfg(any(feature = "sessions", feature = "passwords"))]
mod random;
mod range;
mod request;
mod respond;
mod response;
pub mod routing;
mod run;
#[cfg(feature = "multipart")]
mod secure_filename;
pub mod server;
mod service;
#[cfg(feature = "sessions")]
mod session;
pub mod signals;
#[cfg(feature = "sessions")]
mod signing;
#[cfg(feature = "static_files")]
mod static_files;
#[cfg(feature = "templates")]
mod templates;
mod testing;
mod upgrade;
mod upload;
mod url_escapes;
mod urlencoded;

pub use accept::Accept;
#[doc(hidden)]
pub use app::check as __check;
pub use app::{
    App, AppService, Blueprint, Handler, MethodView, Next, Panicked, Registration, RouteMut, Scaffold, SetupErrors,
    UrlMap, View,
};
pub use authorization::{Authorization, WwwAuthenticate};
pub use body::{Body, BodyTooLarge};
pub use cache_control::CacheControl;
pub use config::{Config, ConfigError, env_var};
pub use content_security_policy::ContentSecurityPolicy;
pub use cookie::{Cookie, SameSite, parse_cookies};
pub use ctx::{Ctx, G, Site};
pub use error::{AbortWith, Error, HttpError, Or500, OrAbort, Result, abort};
#[cfg(feature = "static_files")]
pub use etag::generate_etag;
pub use etag::{ETags, quote_etag, unquote_etag};
pub use extract::{Cookies, Form, FromRequest, Path, Query, State};
pub use form::{Files, FormData};
pub use globals::{WithContext, stream_with_context};
pub use globals::{
    after_this_request, copy_current_request_context, current_app, current_context, g, has_app_context,
    has_request_context, jsonify, request, url_for,
};
#[cfg(feature = "sessions")]
pub use globals::{flash, flash_with, get_flashed_messages, get_flashed_messages_with, session};
#[cfg(feature = "templates")]
pub use globals::{get_template_attribute, render, render_template, render_template_string};
#[cfg(feature = "static_files")]
pub use globals::{send_data, send_file, send_file_with, send_from_directory, send_from_directory_with};
#[cfg(feature = "templates")]
pub use globals::{stream_template, stream_template_string};
pub use header_set::HeaderSet;
pub use json::Json;
pub use json_provider::JsonProvider;
pub use multidict::MultiDict;
#[cfg(feature = "passwords")]
pub use passwords::{check_password_hash, generate_password_hash, generate_password_hash_with};
pub use range::{ByteRange, ContentRange, IfRange, Range};
pub use request::Request;
pub use respond::{IntoHeaders, IntoResponse, Redirect, StreamBody, make_response, redirect};
pub use response::{BadStatus, IntoStatus, Response, ResponseStream, RetryAfter, escape_html};
pub use response::{CrossOriginEmbedderPolicy, CrossOriginOpenerPolicy, CrossOriginResourcePolicy};
pub use run::{BadOption, RunOptions};
#[cfg(feature = "multipart")]
pub use secure_filename::secure_filename;
pub use service::Service;
#[cfg(feature = "sessions")]
pub use session::{
    BadSession, FlashMessage, Flashed, MemorySessions, NullSession, SecureCookieSessionInterface, Session,
    SessionCookie, SessionData, SessionInterface, SessionSerializer, SessionState, Tagged,
};
#[cfg(feature = "sessions")]
pub use signing::{BadData, Digest, KeyDerivation, Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer};
#[cfg(feature = "static_files")]
pub use static_files::{FileETag, SendFile};
#[cfg(feature = "templates")]
pub use templates::{ContextValues, JinjaOptions, Markup, TemplateAttribute, TemplateName, TemplateNotFound};
pub use testing::{RequestBuilder, TestClient, TestResponse};
pub use upgrade::Upgraded;
pub use upload::{Upload, UploadStream};

/// What handlers, hooks and their arguments are made of: for signatures that are generic over them.
pub mod handler {
    pub use crate::app::{
        AfterHook, BeforeHook, Blocking, Bridged, Caught, ErrorHandler, Handler, HookAnswer, TeardownHook,
        UrlHookAnswer, ViewArgs,
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

    #[cfg(feature = "full")]
    #[doc = include_str!("../docs/flask/porting.md")]
    struct Porting;
}
