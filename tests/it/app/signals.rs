//! What signals tell, when, and whom.

use std::sync::{Arc, Mutex};

use dewar::signals::{self, Signal};
use dewar::{App, Error, Request, Response, Result, Service, abort, signals::Connection};

use crate::support::{Trace, client, logged, service};

/// Writes down what all the signals of an app tell.
fn recorded(service: &dewar::AppService, trace: &Trace) -> Vec<Connection> {
    let site = service.site();
    let t = || trace.clone();
    let (a, b, c, d, e, f, g) = (t(), t(), t(), t(), t(), t(), t());
    vec![
        signals::APPCONTEXT_PUSHED.connect_to(site, move |_, ()| a.add("pushed")),
        signals::REQUEST_STARTED.connect_to(site, move |ctx, ()| b.add(format!("started {:?}", ctx.endpoint()))),
        signals::REQUEST_FINISHED.connect_to(site, move |_, r| c.add(format!("finished {}", r.status().as_u16()))),
        signals::GOT_REQUEST_EXCEPTION.connect_to(site, move |_, error| d.add(format!("exception {error}"))),
        signals::REQUEST_TEARING_DOWN
            .connect_to(site, move |_, error| e.add(format!("tearing down {}", error.is_some()))),
        signals::APPCONTEXT_TEARING_DOWN
            .connect_to(site, move |_, error| f.add(format!("app tearing down {}", error.is_some()))),
        signals::APPCONTEXT_POPPED.connect_to(site, move |_, ()| g.add("popped")),
    ]
}

#[test]
fn the_whole_life_of_a_request_in_flasks_order() {
    let trace = Trace::default();
    let mut app = App::new("demo");
    let t = trace.clone();
    app.before_request(move || t.add("before"));
    let t = trace.clone();
    app.after_request(move |r: Response| {
        t.add("after");
        r
    });
    let t = trace.clone();
    app.teardown_request(move |_: Option<&Error>| t.add("teardown_request"));
    for name in ["first", "second"] {
        let t = trace.clone();
        app.teardown_appcontext(move |_: Option<&Error>| t.add(format!("teardown_appcontext {name}")));
    }
    let t = trace.clone();
    app.get("/", move || {
        t.add("view");
        "fine"
    })
    .endpoint("index");
    app.get("/wrong", || -> Result<()> { Err(Error::msg("oh")) }).endpoint("wrong");
    let service = service(app);
    let _connections = recorded(&service, &trace);

    service.call(Request::get("/"));
    let end = |torn: bool| {
        let mut end = vec!["teardown_request".to_owned(), format!("tearing down {torn}")];
        end.extend(["teardown_appcontext second", "teardown_appcontext first"].map(str::to_owned));
        end.extend([format!("app tearing down {torn}"), "popped".to_owned()]);
        end
    };
    let mut expected: Vec<String> =
        ["pushed", "started Some(\"index\")", "before", "view", "after", "finished 200"].map(str::to_owned).into();
    expected.extend(end(false));
    assert_eq!(trace.take(), expected);

    service.call(Request::get("/nowhere"));
    let mut expected: Vec<String> =
        ["pushed", "started None", "before", "after", "finished 404"].map(str::to_owned).into();
    expected.extend(end(false));
    assert_eq!(trace.take(), expected);

    service.call(Request::get("/wrong"));
    let begin = ["pushed", "started Some(\"wrong\")", "before", "exception oh", "after", "finished 500"];
    let mut expected: Vec<String> = begin.map(str::to_owned).into();
    expected.extend(end(true));
    assert_eq!(trace.take(), expected);

    service.app_context(|| trace.add("work"));
    assert_eq!(
        trace.take(),
        [
            "pushed",
            "work",
            "teardown_appcontext second",
            "teardown_appcontext first",
            "app tearing down false",
            "popped"
        ]
    );
}

static ORDERED: Signal<str> = Signal::new("ordered");

#[test]
fn of_ones_own_to_who_is_connected_and_to_one_app() {
    let heard = Trace::default();
    let (one, all) = (service(App::new("one")), service(App::new("other")));
    assert!(!ORDERED.has_receivers());
    let h = heard.clone();
    let everyone = ORDERED.connect(move |ctx, what| h.add(format!("{} {what}", ctx.site().name())));
    let h = heard.clone();
    let of_one = ORDERED.connect_to(one.site(), move |_, what| h.add(format!("only one's {what}")));
    let order = |app: &dewar::AppService, what: &str| {
        app.app_context(|| ORDERED.send(&dewar::current_context().unwrap(), what));
    };
    order(&one, "tea");
    order(&all, "milk");
    assert_eq!(heard.take(), ["one tea", "only one's tea", "other milk"]);
    drop(everyone);
    order(&one, "tea");
    assert_eq!(heard.take(), ["only one's tea"]);
    drop(of_one);
    assert!(!ORDERED.has_receivers());
    order(&one, "tea");
    assert!(heard.take().is_empty());
}

#[test]
fn receivers_may_connect_and_disconnect_while_they_are_told() {
    static ONCE: Signal<()> = Signal::new("once");
    let heard = Trace::default();
    let mine: Arc<Mutex<Option<Connection>>> = Arc::default();
    let (h, own) = (heard.clone(), mine.clone());
    *mine.lock().unwrap() = Some(ONCE.connect(move |_, ()| {
        h.add("heard");
        drop(own.lock().unwrap().take());
        let h = h.clone();
        ONCE.connect(move |_, ()| h.add("later")).forever();
    }));
    let service = service(App::new("demo"));
    service.app_context(|| {
        let ctx = dewar::current_context().unwrap();
        ONCE.send(&ctx, &());
        ONCE.send(&ctx, &());
    });
    assert_eq!(heard.take(), ["heard", "later"]);
}

#[test]
fn a_receiver_that_panics_costs_no_response() {
    let mut app = App::new("panicky");
    app.get("/", || "fine").endpoint("index");
    let service = service(app);
    let _finished = signals::REQUEST_FINISHED.connect_to(service.site(), |_, _| panic!("a receiver's panic"));
    let _popped = signals::APPCONTEXT_POPPED.connect_to(service.site(), |_, ()| panic!("a receiver's panic"));
    let (response, log) = logged(|| service.call(Request::get("/")));
    assert_eq!(response.status(), 200);
    assert_eq!(log.iter().filter(|line| line.contains("a receiver's panic")).count(), 2, "{log:?}");

    let _started = signals::REQUEST_STARTED.connect_to(service.site(), |_, ()| panic!("a receiver's panic"));
    assert_eq!(service.call(Request::get("/")).status(), 500, "what runs before the view fails as a hook does");
}

#[cfg(feature = "sessions")]
#[test]
fn a_flashed_message_is_told_of() {
    let mut app = App::new("flash");
    app.config_mut().set("SECRET_KEY", "nobody knows");
    app.get("/", || dewar::flash_with("Saved.", "info")).endpoint("index");
    let service = service(app);
    let heard = Trace::default();
    let h = heard.clone();
    let _connection = signals::MESSAGE_FLASHED
        .connect_to(service.site(), move |_, flash| h.add(format!("{}: {}", flash.category, flash.message)));
    service.call(Request::get("/"));
    assert_eq!(heard.take(), ["info: Saved."]);
}

#[test]
fn an_http_error_is_no_exception() {
    let mut app = App::new("demo");
    app.get("/", || -> Result<()> { abort!(403) }).endpoint("index");
    let service = service(app);
    let _connection =
        signals::GOT_REQUEST_EXCEPTION.connect_to(service.site(), |_, error| panic!("{error} is no exception"));
    assert_eq!(service.call(Request::get("/")).status(), 403);
    assert_eq!(client(App::new("empty")).get("/").status(), 404);
}
