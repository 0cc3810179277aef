//! Templates that are rendered while they are sent.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use dewar::minijinja::Value;
use dewar::{App, Body, Request, Service, context, g, request, stream_template, stream_template_string};

use crate::support::{Leaks, client, logged, service};

#[test]
fn a_page_in_pieces_with_its_context() {
    let mut app = App::new("demo");
    app.context_processor(|| context! { site => "Demo" });
    app.template_filter("path", |text: String| text + request().path());
    app.template(
        "rows.html",
        "{{ site }} {% for row in rows %}{{ row|path }} {{ g.user }};{% endfor %}{{ url_for('rows') }}",
    );
    app.get("/", || {
        g().set("user", "ada");
        stream_template("rows.html", context! { rows => ["<", "b"] })
    })
    .endpoint("rows");
    app.get("/text", || stream_template_string("{{ x }} {{ request.path }}", context! { x => "<" }));
    app.get("/list", || stream_template(["absent.html", "rows.html"], context! {}));
    let client = client(app);
    let response = client.get("/");
    assert_eq!(response.text(), "Demo &lt;/ ada;b/ ada;/");
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(response.header("content-length"), None);
    assert_eq!(client.get("/text").text(), "&lt; /text");
    assert_eq!(client.get("/list").text(), "Demo /");
}

/// A service whose page has a number of items, and counts those that were asked for.
fn counting(items: usize, made: &Arc<AtomicUsize>) -> dewar::AppService {
    let mut app = App::new("demo");
    let made = made.clone();
    app.get("/", move || {
        let made = made.clone();
        let rows = Value::make_one_shot_iterator((0..items).map(move |_| {
            made.fetch_add(1, Ordering::SeqCst);
            "x".repeat(1024)
        }));
        stream_template_string("{% for row in rows %}{{ row }}{% endfor %}", context! { rows })
    });
    service(app)
}

#[test]
fn no_more_is_rendered_than_is_read() {
    let leaks = Leaks::watch();
    let made = Arc::new(AtomicUsize::new(0));
    let service = counting(100_000, &made);
    let mut body: Body = service.call(Request::get("/")).into_body();
    assert_eq!(made.load(Ordering::SeqCst), 0, "nothing before it is read");
    let mut first = [0; 4096];
    body.read_exact(&mut first).expect("the page begins");
    // Some 16 KiB wait, one piece is on its way, and the reader has at most as much again.
    assert!(made.load(Ordering::SeqCst) < 100, "{made:?}");
    drop(body);
    drop(service);
    // The rendering ends, and lets its context go: the guard waits for that.
    drop(leaks);
}

#[test]
fn a_reader_that_goes_away_ends_the_rendering() {
    let (told, ended) = mpsc::channel::<()>();
    let mut app = App::new("demo");
    let told = std::sync::Mutex::new(Some(told));
    app.get("/", move || {
        let told = told.lock().unwrap().take();
        let rows = Value::make_one_shot_iterator(std::iter::repeat_with(move || {
            let _held = &told;
            "x".repeat(1024)
        }));
        stream_template_string("{% for row in rows %}{{ row }}{% endfor %}", context! { rows })
    });
    let service = service(app);
    let mut body = service.call(Request::get("/")).into_body();
    let mut first = [0; 1024];
    body.read_exact(&mut first).expect("an endless page begins");
    drop(body);
    // The sender goes with the iterator, that with the rendering.
    let gone = ended.recv_timeout(Duration::from_secs(30));
    assert_eq!(gone, Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn failures_before_and_within() {
    let mut app = App::new("demo");
    app.template_filter("panics", |_: String| -> String { panic!("in a filter") });
    app.get("/absent", || stream_template("absent.html", context! {}));
    app.get("/syntax", || stream_template_string("{% if %}", context! {}));
    app.get("/within", || stream_template_string("begun {{ a.b }}", context! {}));
    app.get("/panics", || stream_template_string("begun {{ 'x'|panics }}", context! {}));
    let client = client(app);
    for path in ["/absent", "/syntax"] {
        assert_eq!(logged(|| client.get(path)).0.status(), 500, "{path}");
    }
    for (path, says) in [("/within", "undefined"), ("/panics", "panicked")] {
        let response = client.get(path);
        assert_eq!(response.status(), 200, "{path}");
        let error = response.body_error().expect("the body is cut").to_string();
        assert!(error.contains(says), "{path}: {error}");
    }
}
