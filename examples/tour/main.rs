//! A tour of Dewar: a small site on an SQLite file, with every part that a first app needs.
//!
//! ```text
//! cargo run --release --example tour       # then open http://127.0.0.1:5000
//! ```
//!
//! | file | shows |
//! | --- | --- |
//! | `main.rs` | the app put together: state, templates, static files, hooks, error pages |
//! | `store.rs` | SQLite from blocking handlers, with a pool in ten lines |
//! | `guestbook.rs` | a blueprint: a form, its mistakes beside the fields, redirects, a session |
//! | `api.rs` | a blueprint that speaks JSON, in its errors too |
//! | `fetches.rs` | ten slow fetches, one after the other and then bridged |
//! | `../lab` | what an event loop per request costs, measured while you wait: an example of its own, and a page here |
//!
//! The guestbook is kept in `tour.sqlite` in the current folder; the environment's `TOUR_DB` names another file.

mod api;
mod fetches;
mod guestbook;
#[path = "../lab/mod.rs"]
#[allow(dead_code, reason = "the lab's command line needs more of it")]
mod lab;
mod store;

use std::path::PathBuf;

use dewar::http::Method;
use dewar::{App, HttpError, IntoResponse, Request, Response, Result, State, abort, context, minijinja, render};

use store::Store;

fn main() -> Result<()> {
    let file = std::env::var_os("TOUR_DB").unwrap_or_else(|| "tour.sqlite".into());
    app(file)?.run()
}

/// The whole site on this SQLite file. Apart from `main`, so that the tests can have one too.
pub(crate) fn app(file: impl Into<PathBuf>) -> Result<App> {
    let mut app = App::new("tour");
    // From wherever the program is started.
    app.static_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/static"));
    app.state(Store::open(file)?);
    // Who knows the key can make sessions: an app of yours takes it from its environment.
    app.config_mut().set("SECRET_KEY", "of the tour");

    app.template("base.html", include_str!("templates/base.html"));
    app.template("front.html", include_str!("templates/front.html"));
    app.template("guestbook.html", include_str!("templates/guestbook.html"));
    app.template("api.html", include_str!("templates/api.html"));
    app.template("fetches.html", include_str!("templates/fetches.html"));
    app.template("error.html", include_str!("templates/error.html"));
    app.jinja_env().add_function("code_of", code_of);

    app.before_request(own_forms_only);
    app.after_request(own_files_only);
    app.errorhandler_for(error_page);

    app.get("/", front);
    lab::page::add_to(&mut app, "/lab", false);
    app.register_blueprint(guestbook::blueprint());
    app.register_blueprint(api::blueprint());
    app.register_blueprint(fetches::blueprint());
    Ok(app)
}

fn front(store: State<Store>) -> Result<String> {
    let newest = store.newest(2)?;
    render("front.html", context! { newest, count => store.count()? })
}

/// A browser says from which site a form was sent; those of other sites are not taken.
fn own_forms_only(request: Request) -> Result<()> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let foreign = |origin: &str| origin.split_once("://").is_none_or(|(_, host)| host != request.host());
    if !reads && request.header("origin").is_some_and(foreign) {
        abort!(403, "This form came from another site.");
    }
    Ok(())
}

/// Nothing on these pages comes from elsewhere, and no script runs: browsers are asked to see to it. The lab asks for its
/// own script by itself.
fn own_files_only(mut response: Response) -> Response {
    if response.header("content-security-policy").is_none() {
        response.set_header("content-security-policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    }
    response.with_header("x-content-type-options", "nosniff")
}

/// Every HTTP error that has no handler of its own: 404, 405, an unhandled error's 500, …
fn error_page(error: HttpError) -> Result<Response> {
    // No rule matched below /api either: then the blueprint's own error handler is not asked.
    if dewar::request().path().starts_with("/api/") {
        return api::error(error).into_response();
    }
    let (status, headers) = (error.status(), error.headers().clone());
    let page = context! { status => status.as_u16(), name => error.name(), description => error.description() };
    (render("error.html", page)?, status, headers).into_response()
}

/// For templates: a function's text as it was compiled, so that the code on a page is the code that made it.
fn code_of(file: &str, begins: &str) -> Result<&'static str, minijinja::Error> {
    let source = match file {
        "main.rs" => include_str!("main.rs"),
        "guestbook.rs" => include_str!("guestbook.rs"),
        "api.rs" => include_str!("api.rs"),
        "fetches.rs" => include_str!("fetches.rs"),
        _ => "",
    };
    let start = source.find(&format!("\n{begins}")).map(|at| at + 1);
    let code = start.and_then(|at| Some(&source[at..at + source[at..].find("\n}\n")? + 2]));
    code.ok_or_else(|| {
        minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, format!("{file} has no `{begins}`"))
    })
}
