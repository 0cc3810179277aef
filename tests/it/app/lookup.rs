//! Which error handler takes an error.

use std::num::{ParseFloatError, ParseIntError};

use dewar::{App, Blueprint, Error, HttpError, Panicked, Response, Result, abort};

use crate::support::client;

fn failing(kind: String) -> Result<String> {
    match kind.as_str() {
        "int" => Ok("x".parse::<i64>()?.to_string()),
        "float" => Ok("x".parse::<f64>()?.to_string()),
        "fmt" => Err(std::fmt::Error.into()),
        "teapot" => abort!(418),
        "gone" => abort!(410),
        "panic" => panic!("oh"),
        "whole" => abort!(Response::text("as it is").with_status(418)),
        "elsewhere" => abort!(Response::redirect("/there", 302)),
        _ => Ok(kind),
    }
}

fn app_with(register: impl Fn(&mut dewar::Scaffold, &mut dewar::Scaffold)) -> App {
    let mut app = App::new("demo");
    let mut blueprint = Blueprint::new("bp").url_prefix("/bp");
    app.get("/<kind>", failing);
    blueprint.get("/<kind>", failing);
    register(&mut app, &mut blueprint);
    app.register_blueprint(blueprint);
    app
}

#[test]
fn by_status_before_by_type_and_blueprint_before_app() {
    let client = client(app_with(|app, bp| {
        app.errorhandler(418, |_: HttpError| ("app 418", 418));
        app.errorhandler_for(|e: HttpError| (format!("app http {}", e.status().as_u16()), e.status()));
        app.errorhandler_for(|_: ParseIntError| "app int");
        app.errorhandler_for(|_: Error| "app any");
        bp.errorhandler_for(|_: Panicked| "bp panic");
        bp.errorhandler_for(|_: HttpError| "bp http");
        bp.errorhandler_for(|_: ParseFloatError| "bp float");
        bp.errorhandler(410, |_: HttpError| "bp 410");
    }));
    for (path, text) in [
        ("/teapot", "app 418"),
        ("/gone", "app http 410"),
        ("/int", "app int"),
        ("/float", "app any"),
        ("/fmt", "app any"),
        ("/panic", "app any"),
        ("/no/where", "app http 404"),
        ("/bp/teapot", "app 418"), // by status, though the blueprint has one by type
        ("/bp/gone", "bp 410"),
        ("/bp/int", "app int"),
        ("/bp/float", "bp float"),
        ("/bp/fmt", "app any"),
        ("/bp/panic", "bp panic"),
        ("/bp/no/where", "app http 404"), // no rule of the blueprint's matched
    ] {
        assert_eq!(client.get(path).text(), text, "{path}");
    }
}

#[test]
fn a_general_handler_of_a_blueprint_comes_before_a_special_one_of_the_app() {
    let client = client(app_with(|app, bp| {
        app.errorhandler_for(|_: ParseIntError| "app int");
        bp.errorhandler_for(|_: Error| "bp any");
        bp.errorhandler_for(|_: ParseFloatError| "bp float");
    }));
    assert_eq!(client.get("/bp/int").text(), "bp any");
    assert_eq!(client.get("/bp/float").text(), "bp float");
    assert_eq!(client.get("/bp/gone").text(), "bp any");
    assert_eq!(client.get("/bp/ok").text(), "ok");
}

#[test]
fn of_two_handlers_for_one_thing_the_later_counts() {
    // As in Flask, where an extension's handler can be replaced.
    let client = client(app_with(|app, _| {
        app.errorhandler(418, |_: HttpError| "first");
        app.errorhandler(418, |_: HttpError| "second");
        app.errorhandler_for(|_: ParseIntError| "first");
        app.errorhandler_for(|_: ParseIntError| "second");
        app.errorhandler_for(|_: Error| "first");
        app.errorhandler_for(|_: Error| "second");
    }));
    for path in ["/teapot", "/int", "/fmt"] {
        assert_eq!(client.get(path).text(), "second", "{path}");
    }
}

#[test]
fn nested_blueprints_from_the_inside_out() {
    let mut app = App::new("demo");
    let mut outer = Blueprint::new("outer").url_prefix("/o");
    let mut inner = Blueprint::new("inner").url_prefix("/i");
    inner.get("/<kind>", failing);
    app.errorhandler(410, |_: HttpError| "app 410");
    app.errorhandler(418, |_: HttpError| "app 418");
    outer.errorhandler(418, |_: HttpError| "outer 418");
    outer.errorhandler_for(|_: ParseIntError| "outer int");
    inner.errorhandler_for(|_: ParseFloatError| "inner float");
    outer.register_blueprint(inner);
    app.register_blueprint(outer);
    let client = client(app);
    for (kind, text) in [("gone", "app 410"), ("teapot", "outer 418"), ("int", "outer int"), ("float", "inner float")] {
        assert_eq!(client.get(&format!("/o/i/{kind}")).text(), text);
    }
}

#[test]
fn a_response_to_abort_with_is_sent_as_it_is() {
    // Flask's `abort(response)` is an exception without a code: no handler sees it.
    let client = client(app_with(|app, _| {
        app.errorhandler(418, |_: HttpError| "by status");
        app.errorhandler_for(|_: HttpError| "by type");
        app.errorhandler_for(|_: Error| "any");
    }));
    let response = client.get("/whole");
    assert_eq!((response.status(), response.text().as_str()), (418, "as it is"));
    let response = client.get("/elsewhere");
    assert_eq!((response.status(), response.header("location")), (302, Some("/there")));
}

#[test]
fn redirects_and_options_are_no_errors() {
    let mut app = App::new("demo");
    app.get("/folder/", || "folder");
    app.errorhandler_for(|_: Error| "any");
    let client = client(app);
    assert_eq!(client.get("/folder?q=1").status(), 308);
    assert_eq!(client.options("/folder/").status(), 200);
}
