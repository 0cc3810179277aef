//! What errors become: pages, records in the log, and what handlers are given.

use std::fmt;
use std::sync::{Arc, Mutex};

use dewar::{App, Error, HttpError, Json, Or500, OrAbort, Panicked, Result, abort, after_this_request};

use crate::support::{client, logged};

#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken")
    }
}

impl std::error::Error for Broken {}

/// As `anyhow::Error`: shown, its chain by `{:#}`, and no `std::error::Error`.
struct Anyhow;

impl fmt::Display for Anyhow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if f.alternate() { "outer: inner" } else { "outer" })
    }
}

fn page(status: u16, name: &str, description: &str) -> String {
    format!("<!doctype html>\n<html lang=en>\n<title>{status} {name}</title>\n<h1>{name}</h1>\n<p>{description}</p>\n")
}

#[test]
fn default_pages() {
    let mut app = App::new("demo");
    app.get("/only-get", || "x");
    app.get("/teapot", || -> Result<()> { abort!(418, "<short> & \"stout\"\nboiling") });
    app.get("/bad", || -> Result<()> { Err(Broken.into()) });
    let client = client(app);

    let response = client.get("/nowhere");
    assert_eq!(response.status(), 404);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    let text = "The requested URL was not found on the server. If you entered the URL manually please check your \
                spelling and try again.";
    assert_eq!(response.text(), page(404, "Not Found", text));

    let response = client.post("/only-get").send();
    assert_eq!(response.header("allow"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(response.text(), page(405, "Method Not Allowed", "The method is not allowed for the requested URL."));

    let escaped = "&lt;short&gt; &amp; &#34;stout&#34;<br>boiling";
    assert_eq!(client.get("/teapot").text(), page(418, "I&#39;m a teapot", escaped));

    // Of an error of the app's own nothing is shown.
    let (response, _) = logged(|| client.get("/bad"));
    assert!(response.text().starts_with("<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>"));
    assert!(!response.text().contains("broken"));
}

#[test]
fn question_mark_keeps_the_callers_line() {
    fn view() -> Result<String> {
        Err(Broken)?;
        Ok(String::new())
    }
    let line = line!() - 3;
    let mut app = App::new("demo");
    app.get("/", view);
    let client = client(app);
    let (response, records) = logged(|| client.get("/?q=secret"));
    assert_eq!(response.status(), 500);
    let error = response.error().unwrap();
    assert!(error.is::<Broken>());
    assert_eq!((error.at().file(), error.at().line()), (file!(), line));
    assert_eq!(records, [format!("ERROR Exception on / [GET]: broken\n  at {}", error.at())]);
}

#[test]
fn what_fails_inside_is_said_of_the_callers_line() {
    let mut app = App::new("demo");
    app.template("bad.html", "{{ 1 + {} }}");
    // Each in a line of its own; a panic's own line is only told to the panic hook, so it has the registration's.
    let first = line!() + 1;
    app.get("/template", || dewar::render("bad.html", dewar::context! {}));
    app.get("/absent", || dewar::render("absent.html", dewar::context! {}));
    app.get("/string", || dewar::render_template_string("{% if %}", dewar::context! {}));
    app.get("/url", || dewar::url_for!("nowhere"));
    app.get("/site", || dewar::current_app().url_for("nowhere", &[]));
    app.get("/panic", || -> &'static str { panic!("here") });
    let client = client(app);
    for (line, path) in (first..).zip(["/template", "/absent", "/string", "/url", "/site", "/panic"]) {
        let (response, _) = logged(|| client.get(path));
        let at = response.error().expect(path).at();
        assert_eq!((at.file(), at.line()), (file!(), line), "{path}");
    }
}

#[test]
fn or_500_and_or_404() {
    fn poisoned() -> Result<String> {
        let lock = Arc::new(Mutex::new(1));
        let held = lock.clone();
        let _ = std::thread::spawn(move || {
            let _held = held.lock();
            std::panic::resume_unwind(Box::new("quietly"));
        })
        .join();
        let n = *lock.lock().or_500()?;
        Ok(n.to_string())
    }
    let mut app = App::new("demo");
    app.get("/poisoned", poisoned);
    app.get("/anyhow", || -> Result<String> { Err::<String, _>(Anyhow).or_500() });
    app.get("/boxed", || -> Result<String> { Err::<String, Box<dyn std::error::Error>>("boxed".into()).or_500() });
    app.get("/404", || -> Result<String> { None.or_404() });
    app.get("/410", || -> Result<String> { None.or_abort(410) });
    app.get("/none", || None::<&str>);
    app.get("/some", || Some(Json(1)));
    let client = client(app);
    for (path, status, text) in [
        ("/poisoned", 500, "poisoned lock"),
        ("/anyhow", 500, "outer: inner\n  at "),
        ("/boxed", 500, "boxed\n  at "),
        ("/404", 404, ""),
        ("/410", 410, ""),
        ("/none", 404, ""),
        ("/some", 200, ""),
    ] {
        let (response, records) = logged(|| client.get(path));
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(records.len(), usize::from(status == 500), "{path}");
        if status == 500 {
            assert!(records[0].contains(text), "{records:?}");
            assert!(records[0].contains(file!()), "{records:?}");
        }
    }
}

#[test]
fn the_handler_for_500_gets_the_original() {
    let mut app = App::new("demo");
    app.get("/bad", || -> Result<()> { Err(Broken.into()) });
    app.get("/panic", || -> &str { panic!("at {}", "once") });
    app.get("/abort", || -> Result<()> { abort!(500, "by hand") });
    app.get("/chosen", || ("mine", 500));
    app.errorhandler(500, |error: HttpError| {
        let original = error.original().map(|e| (e.is::<Broken>(), e.is::<Panicked>(), e.to_string()));
        (format!("{original:?}"), 503)
    });
    let client = client(app);
    let text = |path| logged(|| client.get(path)).0.text();
    assert_eq!(text("/bad"), r#"Some((true, false, "broken"))"#);
    assert_eq!(text("/panic"), r#"Some((false, true, "panicked: at once"))"#);
    assert_eq!(text("/abort"), "None");
    assert_eq!(client.get("/chosen").text(), "mine"); // a response is no error
    assert_eq!(logged(|| client.get("/bad")).0.status(), 503);
}

#[test]
fn an_error_handlers_answer_has_the_status_that_it_says() {
    let mut app = App::new("demo");
    app.errorhandler(404, |_: HttpError| "not implied");
    app.errorhandler(405, async |error: HttpError| {
        dewar::bridge::yield_now().await;
        (error.name(), error.status())
    });
    app.get("/", || "x");
    let client = client(app);
    assert_eq!(client.get("/nowhere").status(), 200);
    let response = client.post("/").send();
    assert_eq!((response.status(), response.text().as_str()), (405, "Method Not Allowed"));
}

#[test]
fn an_error_handler_that_fails() {
    let mut app = App::new("demo");
    app.errorhandler(404, |_: HttpError| -> Result<()> { Err(Broken.into()) });
    app.errorhandler_for(|_: fmt::Error| -> &str { panic!("in the handler") });
    app.get("/fmt", || -> Result<()> { Err(fmt::Error.into()) });
    let without = client(app);
    for (path, text) in [("/nowhere", "broken"), ("/fmt", "panicked: in the handler")] {
        let (response, records) = logged(|| without.get(path));
        assert_eq!(response.status(), 500, "{path}");
        assert_eq!(records.len(), 1, "{records:?}");
        assert!(records[0].contains(text), "{records:?}");
    }

    // When the one for 500 fails too, a bare page goes out.
    let mut app = App::new("demo");
    app.errorhandler(500, |_: HttpError| -> Result<()> { Err(Error::msg("worse")) });
    app.get("/", || -> Result<()> { Err(Broken.into()) });
    let client = client(app);
    let (response, records) = logged(|| client.get("/"));
    assert_eq!(response.status(), 500);
    assert_eq!(records.len(), 2, "{records:?}");
    assert!(records[1].starts_with("ERROR the error handler for 500 failed: worse"));
    assert_eq!(response.error().unwrap().to_string(), "broken");
}

#[test]
fn an_error_handler_that_passes_the_error_on() {
    // Flask: `return e`.
    let mut app = App::new("demo");
    app.errorhandler_for(|error: HttpError| {
        after_this_request(|response| response.with_header("x-seen", "1"));
        error
    });
    app.errorhandler_for(|_: fmt::Error| -> Result<()> { abort!(400, "translated") });
    app.errorhandler(410, |_: HttpError| None::<&str>);
    app.get("/<kind>", |kind: String| -> Result<()> {
        match kind.as_str() {
            "fmt" => Err(fmt::Error.into()),
            "gone" => abort!(410),
            "bad" => Err(Broken.into()),
            _ => abort!(418, "short and stout"),
        }
    });
    let client = client(app);
    for (path, status, text, seen, records) in [
        ("/teapot", 418, "short and stout", true, 0),
        ("/no/where", 404, "The requested URL was not found", true, 0),
        ("/fmt", 400, "translated", false, 0),
        ("/gone", 404, "The requested URL was not found", false, 0),
        ("/bad", 500, "The server has met an error", true, 1),
    ] {
        let (response, logged) = logged(|| client.get(path));
        assert_eq!((response.status(), logged.len()), (status, records), "{path}: {logged:?}");
        assert!(response.text().contains(text), "{path}: {}", response.text());
        assert_eq!(response.header("x-seen").is_some(), seen, "{path}");
    }
}

#[test]
fn abort_takes_errors_only() {
    let mut app = App::new("demo");
    app.get("/<int:status>", |status: u16| -> Result<()> { abort!(status) });
    let client = client(app);
    for (status, answered) in [(400, 400), (402, 402), (507, 507), (599, 599), (200, 500), (302, 500), (600, 500)] {
        let (response, records) = logged(|| client.get(&format!("/{status}")));
        assert_eq!(response.status(), answered);
        if answered != status {
            assert!(records[0].contains("only 400 to 599 are errors"), "{records:?}");
        }
    }
}

#[test]
fn headers_of_an_error_are_sent() {
    let mut app = App::new("demo");
    app.get("/", || -> Result<()> { Err(abort(401).with_header("www-authenticate", "Basic realm=\"x\"").into()) });
    let client = client(app);
    assert_eq!(client.get("/").header("www-authenticate"), Some("Basic realm=\"x\""));
}

#[test]
fn debug_shows_the_error() {
    let mut app = App::new("demo");
    app.config_mut().set("DEBUG", true);
    app.get("/", || -> Result<()> { Err(Error::msg("<secret>")) });
    let client = client(app);
    let (response, _) = logged(|| client.get("/"));
    assert_eq!(response.status(), 500);
    assert!(response.text().contains("<h1>&lt;secret&gt;</h1>"), "{}", response.text());
    assert!(response.text().contains(file!()));
}

#[test]
fn the_page_before_is_shown_without_its_secrets() {
    let mut app = App::new("demo");
    app.config_mut().set("DEBUG", true);
    app.get("/", || -> Result<()> { Err(Error::msg("wrong")) }).endpoint("index");
    app.get("/reset/<token>", |_: String| -> Result<()> { Err(Error::msg("wrong")) }).endpoint("reset");
    let client = client(app);
    // In two pieces, since the page has these lines.
    let token = ["hun", "ter2"].concat();
    let referer = format!("http://localhost/reset?token={token}");
    for (path, shown) in
        [("/".to_owned(), "http://localhost/reset?(not shown)"), (format!("/reset/{token}"), "(not shown)")]
    {
        for accept in ["text/html", "text/plain"] {
            let request = client.request("GET", &path).header("accept", accept);
            let (response, _) = logged(|| request.header("referer", &referer).send());
            assert!(response.text().contains(shown) && response.text().contains("referer"), "{}", response.text());
            assert!(!response.text().contains(&token), "{}", response.text());
        }
    }
}

#[test]
fn caught_by_value() {
    // An error type with data of its own, given back by value.
    #[derive(Debug)]
    struct Limit {
        retry: u32,
        token: String,
    }
    impl fmt::Display for Limit {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "wait {}", self.retry)
        }
    }
    impl std::error::Error for Limit {}

    let mut app = App::new("demo");
    app.get("/", || -> Result<(), Limit> { Err(Limit { retry: 7, token: "t".into() }) });
    app.errorhandler_for(|error: Limit| (error.token, 429, [("retry-after", error.retry.to_string())]));
    let client = client(app);
    let response = client.get("/");
    assert_eq!((response.status(), response.header("retry-after"), &*response.text()), (429, Some("7"), "t"));
}
