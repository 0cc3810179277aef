//! Before, after, teardown: their order, and what becomes of errors in them.

use dewar::{App, Blueprint, Error, HttpError, Result, abort, after_this_request, request};

use crate::support::{Trace, client, logged};

/// An app with a blueprint in a blueprint, two hooks of each kind in each, and a view that `view` answers.
fn nested(trace: &Trace) -> App {
    let mut app = App::new("nested");
    let mut outer = Blueprint::new("outer").url_prefix("/outer");
    let mut inner = Blueprint::new("inner").url_prefix("/inner");
    hooks(&mut app, "app", trace);
    hooks(&mut outer, "outer", trace);
    hooks(&mut inner, "inner", trace);
    let view = |name: &'static str| {
        let trace = trace.clone();
        move || trace.add(name)
    };
    app.get("/", view("view"));
    outer.get("/", view("view"));
    inner.get("/", view("view"));
    outer.register_blueprint(inner);
    app.register_blueprint(outer);
    app
}

fn hooks(scaffold: &mut dewar::Scaffold, scope: &'static str, trace: &Trace) {
    for n in [1, 2] {
        let t = trace.clone();
        scaffold.before_request(move || t.add(format!("before {scope} {n}")));
        let t = trace.clone();
        scaffold.after_request(move |response: dewar::Response| {
            t.add(format!("after {scope} {n}"));
            response
        });
        let t = trace.clone();
        scaffold.teardown_request(move |error: Option<&Error>| {
            t.add(format!("teardown {scope} {n}{}", if error.is_some() { " with error" } else { "" }));
        });
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn outer_hooks_enclose_inner_ones() {
    let trace = Trace::default();
    let client = client(nested(&trace));
    client.get("/outer/inner/");
    assert_eq!(
        trace.take(),
        lines(
            "before app 1
            before app 2
            before outer 1
            before outer 2
            before inner 1
            before inner 2
            view
            after inner 2
            after inner 1
            after outer 2
            after outer 1
            after app 2
            after app 1
            teardown inner 2
            teardown inner 1
            teardown outer 2
            teardown outer 1
            teardown app 2
            teardown app 1"
        )
    );
}

#[test]
fn a_blueprints_hooks_for_the_whole_app() {
    let trace = Trace::default();
    let mut app = App::new("demo");
    let mut outer = Blueprint::new("outer").url_prefix("/outer");
    let mut inner = Blueprint::new("inner").url_prefix("/inner");
    for (blueprint, name) in [(&mut outer, "outer"), (&mut inner, "inner")] {
        let t = trace.clone();
        blueprint.before_app_request(move || t.add(format!("before {name}")));
        let t = trace.clone();
        blueprint.after_app_request(move |response: dewar::Response| {
            t.add(format!("after {name}"));
            response
        });
        let t = trace.clone();
        blueprint.teardown_app_request(move |_: Option<&Error>| t.add(format!("teardown {name}")));
    }
    inner.app_errorhandler(404, |_: HttpError| ("not here", 404));
    outer.app_errorhandler_for(|error: std::num::ParseIntError| (error.to_string(), 400));
    let t = trace.clone();
    app.before_request(move || t.add("before app 1"));
    outer.register_blueprint(inner);
    app.register_blueprint(outer);
    let t = trace.clone();
    app.before_request(move || t.add("before app 2"));
    app.get("/<n>", |n: String| -> Result<String> { Ok(n.parse::<u8>()?.to_string()) });
    let client = client(app);
    assert_eq!(client.get("/no/where").text(), "not here");
    assert_eq!(
        trace.take(),
        lines(
            "before app 1
            before outer
            before inner
            before app 2
            after inner
            after outer
            teardown inner
            teardown outer"
        )
    );
    assert_eq!(client.get("/x").text(), "invalid digit found in string");
}

#[test]
fn mistakes_in_them_are_said_of_their_lines() {
    let mut app = App::new("demo");
    let mut blueprint = Blueprint::new("bp");
    let line = line!() + 1;
    blueprint.before_app_request(|_: dewar::State<u8>| ());
    blueprint.app_errorhandler(200, |_: HttpError| "");
    app.register_blueprint(blueprint);
    let mistakes = crate::support::mistakes(app);
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    for (mistake, line) in mistakes.iter().rev().zip(line..) {
        assert!(mistake.starts_with(&format!("{}:{line}:", file!())), "{mistake}");
    }
}

#[test]
fn a_blueprints_hooks_run_for_its_own_rules_only() {
    let trace = Trace::default();
    let client = client(nested(&trace));
    client.get("/");
    assert_eq!(trace.take().len(), 7); // the app's six, and the view
    client.get("/outer/");
    let seen = trace.take();
    assert_eq!(seen.len(), 13);
    assert!(!seen.iter().any(|line| line.contains("inner")));
}

#[test]
fn the_apps_hooks_run_where_no_rule_matched() {
    let trace = Trace::default();
    let client = client(nested(&trace));
    for (method, path, status) in
        [("GET", "/outer/nowhere", 404), ("POST", "/outer/inner/", 405), ("GET", "/outer", 308), ("GET", "/%ff", 400)]
    {
        assert_eq!(client.request(method, path).send().status(), status, "{method} {path}");
        assert_eq!(
            trace.take(),
            ["before app 1", "before app 2", "after app 2", "after app 1", "teardown app 2", "teardown app 1"],
            "{method} {path}"
        );
    }
    // OPTIONS is answered for a rule that matched, so its blueprints' hooks run.
    assert_eq!(client.options("/outer/inner/").status(), 200);
    assert_eq!(trace.take().len(), 18);
}

#[test]
fn a_response_of_a_hook_ends_the_request() {
    let trace = Trace::default();
    let mut app = nested(&trace);
    let t = trace.clone();
    app.before_request(move || {
        t.add("short");
        (request().path() == "/").then_some(("stop", 418))
    });
    app.before_request(|| -> Result<()> { Ok(()) });
    let client = client(app);
    let response = client.get("/");
    assert_eq!((response.status(), response.text().as_str()), (418, "stop"));
    assert_eq!(
        trace.take(),
        ["before app 1", "before app 2", "short", "after app 2", "after app 1", "teardown app 2", "teardown app 1"]
    );
    assert_eq!(client.get("/outer/").status(), 200);
}

#[test]
fn hooks_may_be_async_and_take_extractors() {
    let trace = Trace::default();
    let mut app = App::new("demo");
    let t = trace.clone();
    app.before_request(async move |method: http::Method| {
        dewar::bridge::yield_now().await;
        t.add(format!("{method} before {}", request().path()));
    });
    let t = trace.clone();
    app.after_request(async move |response: dewar::Response| {
        dewar::bridge::yield_now().await;
        t.add(format!("after {}", request().path()));
        response
    });
    let t = trace.clone();
    app.teardown_request(async move |error: Option<&Error>| {
        dewar::bridge::yield_now().await;
        t.add(format!("teardown {} {}", request().path(), error.is_none()));
    });
    app.get("/x", || "x");
    let client = client(app);
    client.get("/x");
    assert_eq!(trace.take(), ["GET before /x", "after /x", "teardown /x true"]);
}

/// What goes wrong in one place: the status, what was logged, and whether the teardown hooks saw the error.
#[test]
fn errors_and_panics_in_each_place() {
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum How {
        Abort,
        Fail,
        Panic,
    }
    fn go_wrong(how: How) -> Result<()> {
        match how {
            How::Abort => abort!(409, "conflicting"),
            How::Fail => Ok("x".parse::<i64>().map(|_| ())?),
            How::Panic => panic!("oh no"),
        }
    }
    for place in ["before", "view", "after", "this", "teardown", "handler"] {
        for how in [How::Abort, How::Fail, How::Panic] {
            let trace = Trace::default();
            let mut app = App::new("demo");
            app.before_request(move || if place == "before" { go_wrong(how) } else { Ok(()) });
            app.get("/", move || -> Result<&str> {
                match place {
                    "view" => go_wrong(how)?,
                    "handler" => abort!(404),
                    "this" => after_this_request(move |response| {
                        go_wrong(how).unwrap();
                        response
                    }),
                    _ => {}
                }
                Ok("fine")
            });
            app.errorhandler(404, move |_: HttpError| go_wrong(how));
            let t = trace.clone();
            app.after_request(move |response: dewar::Response| -> Result<dewar::Response> {
                t.add("after");
                if place == "after" && response.status() == 200 {
                    go_wrong(how)?;
                }
                Ok(response)
            });
            let t = trace.clone();
            app.teardown_request(move |error: Option<&Error>| {
                t.add(format!("first {}", error.is_some()));
            });
            app.teardown_request(move |_: Option<&Error>| {
                if place == "teardown" {
                    go_wrong(how).unwrap();
                }
            });
            let client = client(app);
            let (response, records) = logged(|| client.get("/"));
            let case = format!("{how:?} in {place}: {records:?}");

            let handled = how == How::Abort && matches!(place, "before" | "view" | "handler");
            let status = match place {
                "teardown" => 200,
                _ if handled => 409,
                _ => 500,
            };
            assert_eq!(response.status(), status, "{case}");
            assert_eq!(trace.take().last().unwrap(), &format!("first {}", status == 500), "{case}");
            assert_eq!(records.len(), usize::from(!handled), "{case}");
            if status == 500 {
                assert!(records[0].starts_with("ERROR Exception on / [GET]: "), "{case}");
                assert_eq!(
                    response.error().is_some_and(|e| e.is::<dewar::Panicked>()),
                    how == How::Panic || place == "this"
                );
            } else if place == "teardown" {
                assert!(records[0].starts_with("ERROR 1 teardown hook failed:\n  panicked"), "{case}");
            }
            // The worker survives.
            let survives = if how == How::Abort { 409 } else { 500 };
            assert_eq!(logged(|| client.get("/nowhere")).0.status(), survives, "{case}");
        }
    }
}

#[test]
fn after_hooks_are_run_again_on_a_failed_one_s_500() {
    let trace = Trace::default();
    let mut app = App::new("demo");
    app.get("/", || "fine");
    app.get("/bad", || -> Result<()> { Err(Error::msg("bad view")) });
    app.after_request(|_: dewar::Response| -> Result<dewar::Response> { Err(Error::msg("bad hook")) });
    let t = trace.clone();
    app.after_request(move |response: dewar::Response| {
        t.add(response.status().as_str());
        response.with_header("x-seen", "yes")
    });
    app.errorhandler(500, |error: HttpError| (error.original().unwrap().to_string(), 500));
    let client = client(app);

    // The last registered runs first: it sees the 200, then the 500 that the other one's error made.
    let (response, records) = logged(|| client.get("/"));
    assert_eq!(response.status(), 500);
    assert_eq!(trace.take(), ["200", "500"]);
    assert_eq!(records.len(), 2, "{records:?}");
    assert!(
        records[1].starts_with("ERROR what follows the view failed on the 500 of / [GET]: bad hook"),
        "{records:?}"
    );
    // The handler's response stays, with what was done to it before.
    assert_eq!((&*response.text(), response.header("x-seen")), ("bad hook", Some("yes")));

    // Where the view had failed already, a hook's error is only logged.
    let (response, records) = logged(|| client.get("/bad"));
    assert_eq!(response.status(), 500);
    assert_eq!(trace.take(), ["500"]);
    assert_eq!(records.len(), 2, "{records:?}");
    assert_eq!(response.error().unwrap().to_string(), "bad view");
    assert_eq!((&*response.text(), response.header("x-seen")), ("bad view", Some("yes")));
}

#[test]
fn a_stream_goes_with_the_hook_that_fails() {
    let mut app = App::new("demo");
    app.get("/", || -> Result<()> { Err(Error::msg("bad view")) });
    app.after_request(|_: dewar::Response| -> Result<dewar::Response> { Err(Error::msg("bad hook")) });
    app.errorhandler(500, |_: HttpError| {
        dewar::Response::new(dewar::Body::blocks(["a", "b"])).with_status(500).with_header("x-of", "handler")
    });
    let (response, records) = logged(|| client(app).get("/"));
    assert_eq!((response.status(), response.header("x-of")), (500, None));
    assert!(response.text().contains("<h1>Internal Server Error</h1>"), "{}", response.text());
    assert_eq!(records.len(), 2, "{records:?}");
}

#[test]
fn functions_of_after_this_request_that_have_not_run_are_for_the_500() {
    let trace = Trace::default();
    let mut app = App::new("demo");
    let t = trace.clone();
    app.get("/", move || {
        for (name, fails) in [("a", false), ("b", true), ("c", false)] {
            let t = t.clone();
            after_this_request(move |response| {
                t.add(format!("{name} {}", response.status().as_u16()));
                assert!(!fails, "bad");
                response
            });
        }
    });
    let (response, _) = logged(|| client(app).get("/"));
    assert_eq!(response.status(), 500);
    assert_eq!(trace.take(), ["a 200", "b 200", "c 500"]);
}

#[test]
fn after_this_request_runs_in_order_and_before_the_hooks() {
    let mut app = App::new("demo");
    let add = |response: dewar::Response, what: &str| {
        let so_far = response.header("x-order").unwrap_or("").to_owned();
        response.with_header("x-order", &format!("{so_far}{what} "))
    };
    app.before_request(move || after_this_request(move |response| add(response, "a")));
    app.after_request(move |response: dewar::Response| add(response, "hook"));
    app.get("/", move || {
        after_this_request(move |response| add(response, "b"));
        after_this_request(move |response| add(response, "c"));
    });
    app.get("/bad", move || -> Result<()> {
        after_this_request(move |response| add(response, "b"));
        abort!(404)
    });
    let client = client(app);
    assert_eq!(client.get("/").header("x-order"), Some("a b c hook "));
    assert_eq!(client.get("/bad").header("x-order"), Some("a b hook "));
    assert_eq!(client.get("/nowhere").header("x-order"), Some("a hook "));
}

#[test]
fn teardown_hooks_see_what_nothing_handled() {
    let trace = Trace::default();
    let mut app = App::new("demo");
    app.get("/<int:n>", |n: u8| -> Result<String> {
        match n {
            0 => abort!(403),
            1 => Err(std::fmt::Error.into()),
            2 => Err(Error::msg("handled nowhere")),
            _ => Ok("fine".into()),
        }
    });
    app.errorhandler_for(|_: std::fmt::Error| ("handled", 500));
    let t = trace.clone();
    app.teardown_request(move |error: Option<&Error>| {
        t.add(error.map_or("none".to_owned(), Error::to_string));
    });
    let client = client(app);
    for (path, status, seen) in
        [("/0", 403, "none"), ("/1", 500, "none"), ("/2", 500, "handled nowhere"), ("/3", 200, "none")]
    {
        assert_eq!(client.get(path).status(), status, "{path}");
        assert_eq!(trace.take(), [seen], "{path}");
    }
}
