//! Errors that pass handlers by, JSON errors, and what a developer is shown.

use std::time::{Duration, SystemTime};

use dewar::{App, Error, HttpError, Response, Result, abort, request};
use serde_json::{Value, json};

use crate::support::{Trace, client, logged};

fn fails() -> Result<String> {
    Ok("x".parse::<i64>()?.to_string())
}

#[test]
fn propagated_errors_pass_500_handlers_and_after_hooks_by() {
    for (key, value) in
        [("PROPAGATE_EXCEPTIONS", true), ("TESTING", true), ("DEBUG", true), ("PROPAGATE_EXCEPTIONS", false)]
    {
        let trace = Trace::default();
        let mut app = App::new("demo");
        app.config_mut().set(key, value);
        app.get("/", fails).endpoint("index");
        let t = trace.clone();
        app.errorhandler(500, move |_: HttpError| {
            t.add("handler");
            ("handled", 500)
        });
        let t = trace.clone();
        app.after_request(move |response: Response| {
            t.add("after");
            response
        });
        let t = trace.clone();
        app.teardown_request(move |error: Option<&Error>| t.add(format!("teardown {}", error.is_some())));
        let service = crate::support::service(app);
        let (response, log) = logged(|| dewar::Service::call(&service, dewar::Request::get("/")));
        assert_eq!(response.status(), 500);
        assert!(log.iter().any(|line| line.contains("invalid digit")), "{log:?}");
        let expected: &[&str] = if value { &["teardown true"] } else { &["handler", "after", "teardown true"] };
        assert_eq!(trace.take(), expected, "{key}={value}");
    }
}

#[test]
fn trapped_http_errors_are_faults() {
    let made = |key: &str, value: Value| {
        let mut app = App::new("demo");
        app.config_mut().set(key, value).set("PROPAGATE_EXCEPTIONS", false);
        app.get("/404", || -> Result<()> { abort!(404) }).endpoint("a");
        app.get("/400", || -> Result<()> { abort!(400) }).endpoint("b");
        app.get("/418", || -> Result<()> { abort!(418) }).endpoint("c");
        app.errorhandler(418, |_: HttpError| ("tea", 418));
        client(app)
    };
    let statuses = |client: &crate::support::Client| ["/404", "/400", "/418"].map(|path| client.get(path).status());
    let plain = made("TRAP_HTTP_EXCEPTIONS", json!(false));
    assert_eq!(statuses(&plain), [404, 400, 418]);
    let http = made("TRAP_HTTP_EXCEPTIONS", json!(true));
    let (seen, log) = logged(|| statuses(&http));
    assert_eq!(seen, [500, 500, 418], "a handler still comes first");
    assert!(log.iter().any(|line| line.contains("Exception on /404")), "{log:?}");
    let bad = made("TRAP_BAD_REQUEST_ERRORS", json!(true));
    assert_eq!(statuses(&bad), [404, 500, 418]);
}

#[test]
fn a_missing_field_is_named_in_debug_mode_only() {
    let made = |debug: bool, trap: Option<bool>| {
        let mut app = App::new("demo");
        app.config_mut().set("DEBUG", debug).set("TRAP_BAD_REQUEST_ERRORS", trap).set("PROPAGATE_EXCEPTIONS", false);
        app.get("/", || -> Result<()> { Err(HttpError::bad_request_key("page").into()) }).endpoint("index");
        client(app).get("/")
    };
    let plain = made(false, None);
    assert_eq!(plain.status(), 400);
    assert!(!plain.text().contains("page</p>") && !plain.text().contains("KeyError"), "{}", plain.text());
    let told = made(true, Some(false));
    assert_eq!(told.status(), 400);
    assert!(told.text().contains("<br>KeyError: &#39;page&#39;</p>"), "{}", told.text());
    assert_eq!(made(true, None).status(), 500, "trapped, as Flask does in debug mode");
}

#[test]
fn errors_as_json_by_one_setting() {
    let mut app = App::new("api");
    app.config_mut().set("JSON_ERRORS", true);
    app.get("/teapot", || -> Result<()> { abort!(418, "no <coffee> \"here\"") }).endpoint("teapot");
    app.get("/busy", || -> Result<()> { Err(abort(503).with_retry_after(Duration::from_millis(2_900)))? })
        .endpoint("busy");
    app.get("/wrong", fails).endpoint("wrong");
    app.get("/given", || -> Result<()> { abort!(Response::text("as it is").with_status(409)) }).endpoint("given");
    app.errorhandler(410, |_: HttpError| ("gone", 410));
    app.get("/gone", || -> Result<()> { abort!(410) }).endpoint("gone");
    let client = client(app);
    let teapot = client.get("/teapot");
    assert_eq!(teapot.header("content-type"), Some("application/json"));
    assert_eq!(
        teapot.json::<Value>(),
        json!({"code": 418, "name": "I'm a teapot", "description": "no <coffee> \"here\""})
    );
    let busy = client.get("/busy");
    assert_eq!((busy.header("retry-after"), busy.json::<Value>()["code"].as_u64()), (Some("2"), Some(503)));
    assert_eq!(client.get("/nowhere").json::<Value>()["name"], "Not Found");
    let refused = client.post("/teapot").send();
    assert_eq!((refused.status(), refused.json::<Value>()["code"].as_u64()), (405, Some(405)));
    assert!(refused.header("allow").is_some());
    let (wrong, _) = logged(|| client.get("/wrong"));
    assert_eq!(wrong.json::<Value>()["code"], 500);
    assert!(!wrong.text().contains("digit"), "nothing of the error itself");
    assert_eq!(client.get("/given").text(), "as it is");
    assert_eq!(client.get("/gone").text(), "gone");
}

#[test]
fn the_set_of_http_errors_and_their_headers() {
    for (error, status, header, value) in [
        (HttpError::unauthorized("Basic realm=\"x\""), 401, "www-authenticate", "Basic realm=\"x\""),
        (HttpError::range_not_satisfiable(Some(10)), 416, "content-range", "bytes */10"),
        (abort(429).with_retry_after(Duration::from_secs(7)), 429, "retry-after", "7"),
        (
            abort(503).with_retry_at(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)),
            503,
            "retry-after",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ),
    ] {
        let response = error.into_response();
        assert_eq!((response.status().as_u16(), response.header(header)), (status, Some(value)));
    }
    assert!(HttpError::range_not_satisfiable(None).headers().is_empty());
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    assert_eq!(abort(503).with_retry_at(far).headers()["retry-after"], "Fri, 31 Dec 9999 23:59:59 GMT");
    for (code, name) in [
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (406, "Not Acceptable"),
        (408, "Request Timeout"),
        (409, "Conflict"),
        (410, "Gone"),
        (411, "Length Required"),
        (412, "Precondition Failed"),
        (413, "Request Entity Too Large"),
        (414, "Request URI Too Long"),
        (415, "Unsupported Media Type"),
        (416, "Requested Range Not Satisfiable"),
        (417, "Expectation Failed"),
        (418, "I'm a teapot"),
        (421, "Misdirected Request"),
        (422, "Unprocessable Entity"),
        (423, "Locked"),
        (424, "Failed Dependency"),
        (428, "Precondition Required"),
        (429, "Too Many Requests"),
        (431, "Request Header Fields Too Large"),
        (451, "Unavailable For Legal Reasons"),
        (500, "Internal Server Error"),
        (501, "Not Implemented"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
        (504, "Gateway Timeout"),
        (505, "HTTP Version Not Supported"),
    ] {
        assert_eq!(abort(code).name(), name);
        assert!(abort(code).description().len() > 20, "{code}");
    }
}

fn deep(n: u8) -> Result<String> {
    if n == 0 { fails() } else { deep(n - 1) }
}

#[test]
fn in_debug_mode_the_page_shows_source_and_backtrace_and_nothing_secret() {
    let mut app = App::new("demo");
    app.config_mut().set("DEBUG", true).set("SECRET_KEY", SECRETS[4]);
    let view = |_: String, _: String| deep(2);
    app.get("/<name>/<password>", view).endpoint("index");
    app.post("/panic", || -> String { panic!("at this very <line>") }).endpoint("panic");
    let client = client(app);
    let (page, _) = logged(|| {
        client
            .request("GET", &format!("/ada/{}?q=1&api_key={}", SECRETS[0], SECRETS[1]))
            .header("accept", "text/html,*/*")
            .header("authorization", &format!("Bearer {}", SECRETS[2]))
            .header("cookie", &format!("session={}", SECRETS[3]))
            .header("x-plain", "<shown>")
            .send()
    });
    assert_eq!((page.status(), page.header("content-type")), (500, Some("text/html; charset=utf-8")));
    let text = page.text();
    for shown in
        ["invalid digit", "fn fails", "app/trapped.rs", "trapped::deep", "&lt;shown&gt;", "<th>q</th><td>1</td>", "ada"]
    {
        assert!(text.contains(shown), "{shown} is not in {text}");
    }
    for hidden in SECRETS {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    assert!(text.matches("<mark>").count() >= 3, "{text}");

    let (page, _) = logged(|| client.post("/panic").send());
    let text = page.text();
    assert_eq!(page.header("content-type"), Some("text/plain; charset=utf-8"), "for curl and programs");
    assert!(text.contains("panicked: at this very <line>"), "{text}");
    let marked = text.lines().find(|line| line.starts_with('>')).unwrap();
    assert!(marked.contains("panic!(\"at this very"), "{text}");
}

#[test]
fn a_trapped_error_is_shown_where_it_came_from() {
    let mut app = App::new("demo");
    app.config_mut().set("DEBUG", true);
    let view = || -> Result<String> { Ok(request().form()?.require("title")?.to_owned()) };
    app.post("/", view).endpoint("index");
    let client = client(app);
    let (page, log) = logged(|| client.post("/").form([("titel", "x")]).send());
    let text = page.text();
    assert_eq!(page.status(), 500);
    assert!(text.contains("KeyError: 'title'") && text.contains("app/trapped.rs"), "{text}");
    let marked = text.lines().find(|line| line.starts_with('>')).unwrap();
    assert!(marked.contains(".require(\"title\")?"), "{text}");
    assert!(log.iter().any(|record| record.contains("app/trapped.rs")), "{log:?}");
}

#[cfg(feature = "templates")]
#[test]
fn in_debug_mode_the_page_shows_the_line_of_a_template() {
    use dewar::{context, render_template, render_template_string};

    let folder = crate::support::Folder::new("debug-page-template");
    folder
        .write("templates/base.html", "<title>{% block title %}{% endblock %}</title>")
        .write(
            "templates/page.html",
            "{% extends 'base.html' %}\n{% block title %}\n{{ user.name.first }}\n{% endblock %}",
        )
        .write("templates/outer.html", "1\n{% include 'page.html' %}")
        .write("templates/broken.html", "1\n2\n{% fro x in y %}<b>");
    let mut app = App::new("demo");
    app.root_path(&folder.0).config_mut().set("DEBUG", true);
    app.get("/<path:name>", |name: String| render_template(&name, context! {})).endpoint("page");
    app.get("/", || render_template_string("1\n{{ url_for('nowhere') }}", context! {})).endpoint("text");
    let client = client(app);
    let shown = |path: &str, accept: &str| {
        let (page, _) = logged(|| client.request("GET", path).header("accept", accept).send());
        assert_eq!(page.status(), 500, "{path}");
        page.text().to_string()
    };
    for (path, place, line) in [
        ("/page.html", "page.html:3", "{{ user.name.first }}"),
        ("/outer.html", "page.html:3", "{{ user.name.first }}"),
        ("/broken.html", "broken.html:3", "{% fro x in y %}<b>"),
        ("/", "<string>:2", "{{ url_for('nowhere') }}"),
    ] {
        let text = shown(path, "*/*");
        let (_, below) = text.split_once(&format!("in the template {place}\n")).unwrap_or_else(|| panic!("{text}"));
        let marked = below.lines().find(|line| line.starts_with('>')).unwrap();
        assert!(marked.ends_with(&format!("| {line}")), "{text}");
        let html = shown(path, "text/html");
        let line = dewar::escape_html(line);
        assert!(html.contains(&format!("  {line}</mark>")), "{html}");
    }
}

#[test]
fn without_debug_nothing_of_it() {
    let mut app = App::new("demo");
    app.get("/", || -> Result<String> { request().args().require("x").map(str::to_owned).map_err(Into::into) })
        .endpoint("index");
    app.get("/panic", || -> String { panic!("secret words") }).endpoint("panic");
    let client = client(app);
    let (page, _) = logged(|| client.request("GET", "/panic").header("accept", "text/html").send());
    assert!(!page.text().contains("secret") && !page.text().contains(".rs"), "{}", page.text());
}

/// Far from the lines whose surroundings the page shows.
const SECRETS: [&str; 5] = ["hunter2", "k3y-of-the-api", "b34rer", "c00kie", "hush-hush"];
