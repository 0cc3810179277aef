use std::num::ParseIntError;
use std::sync::{Arc, Mutex};

use dewar::{
    App, Blueprint, Error, HttpError, IntoResponse, Request, Response, Result, Scaffold, abort, after_this_request, g,
    request,
};

/// Where Python raises a ValueError.
fn bad_value() -> Result<Response> {
    Ok("x".parse::<i64>().map(|_| Response::new(()))?)
}

fn note(what: impl Into<String>) {
    let mut trace: Vec<String> = g().get("trace").unwrap_or_default();
    trace.push(what.into());
    g().set("trace", trace);
}

type Last = Arc<Mutex<Vec<String>>>;

fn asked(name: &str) -> String {
    request().args().get(name).unwrap_or_default().to_owned()
}

fn hooks(scaffold: &mut Scaffold, scope: &'static str, last: &Last) {
    for n in [1, 2] {
        let name = format!("{scope}{n}");
        let (before, after, teardown, last) = (name.clone(), name.clone(), name, last.clone());
        scaffold.before_request(move || -> Result<Option<(String, u16)>> {
            note(format!("+{before}"));
            if asked("fail") == before {
                abort!(409);
            }
            Ok((asked("stop") == before).then(|| (format!("stopped by {before}"), 202)))
        });
        scaffold.after_request(move |response: Response| -> Result<Response> {
            note(format!("-{after}"));
            let trace: Vec<String> = g().get("trace").unwrap_or_default();
            if asked("break") == after {
                bad_value()?;
            }
            Ok(response.with_header("x-trace", &trace.join(" ")))
        });
        scaffold.teardown_request(move |error: Option<&Error>| {
            let mark = if error.is_some() { "!" } else { "" };
            last.lock().expect("no panic").push(format!("{teardown}{mark}"));
        });
    }
}

fn view(request: Request) -> Result<Response> {
    note("view");
    let what = request.args().get("view").unwrap_or_default().to_owned();
    match &*what {
        "abort" => abort!(404),
        "raise" => return bad_value(),
        "after_this" => {
            after_this_request(|response| {
                note("this1");
                response
            });
            after_this_request(|response| {
                note("this2");
                response.with_header("x-this", "yes")
            });
        }
        _ => {}
    }
    what.into_response()
}

pub(crate) fn app() -> App {
    let last = Last::default();
    let mut app = crate::app("hooks");
    let mut outer = Blueprint::new("outer").url_prefix("/outer");
    let mut inner = Blueprint::new("inner").url_prefix("/inner");
    let mut other = Blueprint::new("other").url_prefix("/other");
    hooks(&mut app, "app", &last);
    hooks(&mut outer, "outer", &last);
    hooks(&mut inner, "inner", &last);
    hooks(&mut other, "other", &last);
    other.before_app_request(|| note("+other-app"));
    other.after_app_request(|response: Response| {
        note("-other-app");
        response
    });
    app.get("/", view);
    outer.get("/", view);
    inner.get("/", view);
    other.get("/", view);
    inner.errorhandler(404, |_: HttpError| {
        note("handler404");
        ("inner's 404", 404)
    });
    outer.errorhandler_for(|_: ParseIntError| {
        note("handlerValue");
        ("outer's: from the view", 400)
    });
    app.errorhandler(409, |_: HttpError| {
        note("handler409");
        ("app's 409", 409)
    });
    let told = last.clone();
    app.get("/last", move || told.lock().expect("no panic").join(" ")).endpoint("last");
    app.before_request(move |request: Request| {
        if request.path() != "/last" {
            last.lock().expect("no panic").clear();
        }
    });
    outer.register_blueprint(inner);
    app.register_blueprint(outer);
    app.register_blueprint(other);
    app
}
