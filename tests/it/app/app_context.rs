//! Contexts without a request, and contexts taken along.

use std::thread;

use dewar::{
    App, Blueprint, Error, HttpError, Request, copy_current_request_context, current_app, current_context, g,
    has_app_context, has_request_context, request, url_for,
};

use crate::support::{Leaks, Trace, client, logged, panic_message, service};

#[test]
fn a_command_has_g_and_the_app_and_no_request() {
    let _leaks = Leaks::watch();
    let mut app = App::new("shop");
    app.config_mut().set("SERVER_NAME", "shop.example");
    app.get("/<int:id>", |id: i64| id.to_string()).endpoint("item");
    let trace = Trace::default();
    let t = trace.clone();
    app.teardown_request(move |_: Option<&Error>| t.add("a request's"));
    let t = trace.clone();
    app.teardown_appcontext(move |_: Option<&Error>| t.add(format!("{:?}", g().pop::<u8>("n"))));
    let service = service(app);
    let url = service.app_context(|| {
        assert!(has_app_context() && !has_request_context());
        assert!(!current_context().unwrap().has_request());
        assert_eq!(current_app().name(), "shop");
        g().set("n", 7_u8);
        url_for!("item", id = 1).unwrap()
    });
    assert_eq!(url, "http://shop.example/1");
    assert_eq!(trace.take(), ["Some(7)"]);
    assert!(!has_app_context());

    for ask in [(|| drop(request())) as fn(), || dewar::after_this_request(|response| response)] {
        let said = panic_message(|| service.app_context(ask));
        assert!(said.contains("outside of a request") && said.contains("with_context"), "{said}");
    }
    let said = panic_message(|| drop(g()));
    assert!(said.contains("app_context"), "{said}");
}

#[test]
fn they_may_be_nested_and_each_has_its_own_g() {
    let _leaks = Leaks::watch();
    let service = service(App::new("demo"));
    let other = service.clone();
    service.with_context(Request::get("/outer"), || {
        g().set("n", 1);
        other.app_context(|| {
            assert!(!has_request_context());
            assert_eq!(g().get::<i32>("n"), None);
        });
        other.with_context(Request::get("/inner"), || assert_eq!(request().path(), "/inner"));
        assert_eq!((request().path(), g().get::<i32>("n")), ("/outer", Some(1)));
    });
}

#[test]
fn teardown_hooks_run_when_the_work_panics() {
    let _leaks = Leaks::watch();
    let trace = Trace::default();
    let mut app = App::new("demo");
    let t = trace.clone();
    app.teardown_appcontext(move |_: Option<&Error>| t.add("torn down"));
    let service = service(app);
    assert_eq!(panic_message(|| service.app_context(|| panic!("at work"))), "at work");
    assert_eq!(panic_message(|| service.with_context(Request::get("/"), || panic!("at work"))), "at work");
    assert_eq!(trace.take(), ["torn down", "torn down"]);
}

#[test]
fn what_failed_at_the_end_is_reported_together() {
    let mut app = App::new("demo");
    app.teardown_request(|_: Option<&Error>| -> () { panic!("first") });
    app.teardown_request(|_: Option<&Error>| -> () { panic!("second") });
    app.teardown_appcontext(|_: Option<&Error>| -> () { panic!("third") });
    let client = client(app);
    let (_, log) = logged(|| client.get("/"));
    let said: Vec<_> = log.iter().filter(|line| line.contains("teardown")).collect();
    assert_eq!(said.len(), 1, "{log:?}");
    assert!(said[0].contains("3 teardown hooks failed"), "{said:?}");
    assert!(["first", "second", "third"].iter().all(|name| said[0].contains(name)), "{said:?}");
}

#[test]
fn a_copy_goes_along_to_a_thread() {
    let mut app = App::new("demo");
    app.get("/<name>", |name: String| {
        g().set("name", name);
        let work =
            copy_current_request_context(|| format!("{} {}", g().get::<String>("name").unwrap(), request().path()));
        assert!(thread::spawn(|| !has_app_context()).join().unwrap());
        thread::spawn(work).join().unwrap()
    })
    .endpoint("index");
    assert_eq!(client(app).get("/ada").text(), "ada /ada");
    let said = panic_message(|| drop(copy_current_request_context(|| ())));
    assert!(said.contains("outside"), "{said}");
}

#[test]
fn what_blueprints_record_sets_the_app_up() {
    let trace = Trace::default();
    let mut inner = Blueprint::new("inner");
    let t = trace.clone();
    inner.record(move |app| {
        t.add(format!("inner of {}", app.name()));
        app.errorhandler(404, |_: HttpError| ("recorded", 404));
    });
    let mut outer = Blueprint::new("outer");
    let t = trace.clone();
    outer.record(move |app| {
        t.add("outer");
        app.config_mut().set("X", 1);
    });
    outer.register_blueprint(inner);
    let mut app = App::new("site");
    app.register_blueprint(outer);
    app.get("/", || current_app().config().get("X").unwrap().to_string()).endpoint("index");
    let client = client(app);
    assert_eq!(trace.take(), ["outer", "inner of site"]);
    assert_eq!(client.get("/").text(), "1");
    assert_eq!(client.get("/nowhere").text(), "recorded");
}
