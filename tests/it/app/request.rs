//! What a request says of itself.

use dewar::http::{HeaderValue, Method};
use dewar::{App, Blueprint, Body, BodyTooLarge, Ctx, Request, Response, Result, g, request};
use std::sync::Arc;

use crate::support::client;

#[test]
fn urls() {
    for (target, root, url, base, full) in [
        ("/", "", "http://h/", "http://h/", "/?"),
        ("/a/b?x=1", "", "http://h/a/b?x=1", "http://h/a/b", "/a/b?x=1"),
        ("/a?", "", "http://h/a", "http://h/a", "/a?"),
        ("/%C3%A9?%C3%A9", "", "http://h/%C3%A9?%C3%A9", "http://h/%C3%A9", "/%C3%A9?%C3%A9"),
        ("/a", "/m", "http://h/m/a", "http://h/m/a", "/a?"),
        ("/", "m/n/", "http://h/m/n/", "http://h/m/n/", "/?"),
        ("/a?b", "/é x/?#", "http://h/%C3%A9%20x/%3F%23/a?b", "http://h/%C3%A9%20x/%3F%23/a", "/a?b"),
        ("/a", "/%C3%A9", "http://h/%C3%A9/a", "http://h/%C3%A9/a", "/a?"),
        ("/a", "//", "http://h/a", "http://h/a", "/a?"),
        ("//evil.example/x", "", "http://h/evil.example/x", "http://h/evil.example/x", "/evil.example/x?"),
        ("///", "", "http://h/", "http://h/", "/?"),
        ("//a//b?c", "/m", "http://h/m/a//b?c", "http://h/m/a//b", "/a//b?c"),
    ] {
        let request = Request::get(target).with_header("host", "h").with_script_root(root);
        assert_eq!(request.url(), url, "{target} {root}");
        assert_eq!(request.base_url(), base, "{target} {root}");
        assert_eq!(request.full_path(), full, "{target} {root}");
        assert_eq!(request.host_url(), "http://h/");
        let root = request.root_url();
        assert!(url.starts_with(&root), "{url} {root}");
        assert_eq!(root, format!("http://h{}/", request.script_root()));
        assert_eq!((request.url_root(), request.root_path()), (root, request.script_root()));
        // A copy that middleware changes stays where it is mounted.
        let mut copy = request.clone();
        copy.head_mut().method = Method::PUT;
        assert_eq!(copy.url(), url);
    }
    // Of a host case does not count; the header stays what it is.
    let request = Request::get("/A?B").with_header("host", "H.Example:81").with_script_root("M");
    assert_eq!((&*request.url(), request.host()), ("http://h.example:81/M/A?B", "H.Example:81"));
    assert_eq!((&*request.host_url(), &*request.root_url()), ("http://h.example:81/", "http://h.example:81/M/"));
    let request = Request::get("/a").with_header("host", "h:443").with_secure(true);
    assert_eq!((request.url(), request.root_url()), ("https://h/a".to_owned(), "https://h/".to_owned()));
}

#[test]
fn mounted_apps_build_urls_below_their_mount() {
    let mut app = App::new("demo");
    app.get("/here/", || -> Result<String> { dewar::url_for!("here") }).endpoint("here");
    let service = crate::support::service(app);
    let call = |path: &str| {
        let request = Request::get(path).with_script_root("/mount");
        dewar::Service::call(&service, request)
    };
    assert_eq!(call("/here/").into_body().into_bytes().unwrap(), "/mount/here/");
    assert_eq!(call("/here").headers()["location"], "/mount/here/");
}

#[test]
fn headers() {
    let request = Request::post("/", "x")
        .with_header("content-type", "Text/HTML ; Charset=\"UTF-8\"; x=y")
        .with_header("content-encoding", "gzip")
        .with_header("content-length", "1")
        .with_header("referer", "http://a/")
        .with_header("origin", "http://b")
        .with_header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .with_header("max-forwards", "7")
        .with_header("user-agent", "test/1")
        .with_header("access-control-request-headers", "x-a, x-b")
        .with_header("access-control-request-method", "PUT");
    assert_eq!(request.mimetype(), "text/html");
    let params: Vec<_> = request.mimetype_params().into_iter().collect();
    assert_eq!(params, [("charset".to_owned(), "UTF-8".to_owned()), ("x".to_owned(), "y".to_owned())]);
    assert_eq!(request.content_encoding(), Some("gzip"));
    assert_eq!(request.content_length(), Some(1));
    assert_eq!((request.referrer(), request.origin()), (Some("http://a/"), Some("http://b")));
    let since = request.date().unwrap().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_secs(), 784_111_777);
    assert_eq!(request.max_forwards(), Some(7));
    assert_eq!(request.user_agent(), "test/1");
    assert_eq!(request.access_control_request_headers(), ["x-a", "x-b"]);
    assert_eq!(request.access_control_request_method(), Some("PUT"));

    let bare = Request::get("/");
    assert_eq!((bare.referrer(), bare.origin(), bare.content_encoding()), (None, None, None));
    assert_eq!((bare.date(), bare.max_forwards(), bare.content_length()), (None, None, None));
    assert_eq!((&*bare.user_agent(), &*bare.mimetype()), ("", ""));
    assert!(bare.authorization().is_none() && bare.mimetype_params().is_empty());

    for (name, value) in [("date", "yesterday"), ("max-forwards", "-1"), ("max-forwards", "many")] {
        let bad = Request::get("/").with_header(name, value);
        assert_eq!((bad.date(), bad.max_forwards()), (None, None), "{name}: {value}");
    }
    for (value, length) in [("12", 12), ("-1", 0), ("+1", 0), ("x", 0), ("", 0), ("99999999999999999999", 0)] {
        assert_eq!(Request::get("/").with_header("content-length", value).content_length(), Some(length), "{value}");
    }
    let chunked =
        Request::get("/").with_header("content-length", "1").with_header("transfer-encoding", "gzip, Chunked");
    assert_eq!(chunked.content_length(), None);
}

#[test]
fn headers_that_are_not_utf8() {
    let mut request = Request::post("/", "");
    for name in
        ["user-agent", "content-type", "authorization", "accept", "x-forwarded-for", "cookie", "referer", "date"]
    {
        request.head_mut().headers.insert(name, HeaderValue::from_bytes(b"a/\xff \xc3; x=\"\xfe\"").unwrap());
    }
    assert_eq!(request.user_agent(), "a/\u{ff} \u{c3}; x=\"\u{fe}\"");
    assert_eq!(request.mimetype(), "a/\u{ff} \u{c3}");
    assert_eq!(request.mimetype_params()["x"], "\u{fe}");
    assert_eq!(request.authorization().unwrap().scheme(), "a/\u{ff}");
    assert_eq!(request.access_route().len(), 1);
    assert_eq!((request.referrer(), request.date()), (None, None));
    let _ = (request.cookies(), request.form().map(|_| ()), request.accept_mimetypes());
}

#[test]
fn access_route() {
    let request = Request::get("/").with_remote_addr("10.0.0.1:80".parse().unwrap());
    assert_eq!(request.access_route(), ["10.0.0.1"]);
    assert_eq!(request.with_header("x-forwarded-for", "1.2.3.4, ::1 ,").access_route(), ["1.2.3.4", "::1"]);
    assert!(Request::get("/").access_route().is_empty());
}

#[test]
fn what_matched_is_in_the_context() {
    let mut inner = Blueprint::new("inner");
    inner
        .get("/<int:n>", |_: i64| -> String {
            let ctx = dewar::current_context().unwrap();
            let arg = ctx.view_arg_named("n").map(|arg| arg.to_string());
            format!("{:?} {:?} {:?} {:?} {arg:?}", ctx.endpoint(), ctx.url_rule(), ctx.blueprint(), ctx.blueprints())
        })
        .endpoint("show");
    let mut outer = Blueprint::new("outer");
    outer.register_blueprint(inner);
    let mut app = App::new("demo");
    app.register_blueprint(outer);
    app.post("/post", || "").endpoint("post");
    app.before_request(|| {
        let ctx = dewar::current_context().unwrap();
        let error = ctx.routing_exception();
        let allow = error.and_then(|error| Some(error.headers().get("allow")?.to_str().ok()?.to_owned()));
        g().set("seen", format!("{:?} {allow:?} {:?}", error.map(|error| error.status().as_u16()), ctx.blueprints()));
    });
    app.after_request(|response: Response| response.with_header("x-seen", &g().get::<String>("seen").unwrap()));
    let client = client(app);
    let response = client.get("/7");
    assert_eq!(
        response.text(),
        r#"Some("outer.inner.show") Some("/<int:n>") Some("outer.inner") ["outer.inner", "outer"] Some("7")"#
    );
    assert_eq!(response.header("x-seen"), Some(r#"None None ["outer.inner", "outer"]"#));
    assert_eq!(client.get("/none").header("x-seen"), Some("Some(404) None []"));
    let seen = client.get("/post");
    assert!(seen.header("x-seen").unwrap().starts_with("Some(405) Some(\""), "{seen:?}");
    assert_eq!(client.get("/%zz").header("x-seen"), Some("Some(400) None []"));
}

#[test]
fn bodies() {
    let mut app = App::new("demo");
    app.post("/data", || request().data());
    app.post("/raw", || request().get_data());
    app.post("/raw-then-form", || -> Result<String> {
        let request = request();
        let raw = request.get_data()?;
        Ok(format!("{} {:?} {}", raw.len(), request.form()?.fields, request.data()?.len()))
    });
    app.post("/form-then-raw", || -> Result<String> {
        let request = request();
        let form = format!("{:?}", request.form()?.fields);
        let streamed = request.stream()?.into_bytes()?.len();
        Ok(format!("{form} {} {} {streamed}", request.get_data()?.len(), request.data()?.len()))
    });
    app.post("/stream", || -> Result<String> {
        let request = request();
        let first = request.stream()?.into_bytes()?.len();
        Ok(format!("{first} {}", request.stream()?.into_bytes()?.len()))
    });
    let client = client(app);
    let form = |path: &str| client.post(path).form([("a", "b")]).send().text();
    assert_eq!((form("/data"), form("/raw")), (String::new(), "a=b".to_owned()));
    assert_eq!(form("/raw-then-form"), r#"3 {"a": "b"} 3"#);
    assert_eq!(form("/form-then-raw"), r#"{"a": "b"} 0 0 0"#);
    assert_eq!(form("/stream"), "3 0");
    let text = |path: &str| client.post(path).body("a=b").send().text();
    assert_eq!((text("/data"), text("/raw")), ("a=b".to_owned(), "a=b".to_owned()));
    assert_eq!(text("/form-then-raw"), "{} 0 0 3", "the stream was first");
}

/// A body without a declared length.
fn streamed(bytes: &'static [u8]) -> Body {
    Body::reader(bytes)
}

#[test]
fn limits_of_bodies() {
    let mut app = App::new("demo");
    app.config_mut().set("MAX_CONTENT_LENGTH", 10);
    app.post("/unread", || "fine");
    app.post("/data", || request().get_data());
    app.post("/raised", || -> Result<String> {
        let request = request();
        assert_eq!(request.max_content_length(), Some(10));
        let before = request.get_data().is_err();
        request.set_max_content_length(u64::MAX);
        assert_eq!(request.max_content_length(), None);
        Ok(format!("{before} {}", request.get_data()?.len()))
    });
    app.post("/stream", || -> Result<String> {
        let error = request().stream()?.into_bytes().unwrap_err();
        Ok(format!("{}", BodyTooLarge::caused(&error)))
    });
    app.post("/taken", || BodyTooLarge::caused(&request().take_body().into_bytes().unwrap_err()).to_string());
    let service = crate::support::service(app);
    let call = |path: &str, body: Body| {
        let response = dewar::Service::call(&service, Request::post(path, body));
        (response.status().as_u16(), String::from_utf8(response.into_body().into_bytes().unwrap().to_vec()).unwrap())
    };
    const ELEVEN: &[u8] = b"elevenbytes";
    for body in [|| Body::from(ELEVEN), || streamed(ELEVEN)] {
        assert_eq!(call("/unread", body()).0, 200, "not before it is read");
        assert_eq!(call("/data", body()).0, 413);
        assert_eq!(call("/taken", body()), (200, "true".to_owned()));
    }
    assert_eq!(call("/data", Body::from(&ELEVEN[..10])).0, 200);
    assert_eq!(call("/data", streamed(&ELEVEN[..10])).0, 200);
    assert_eq!(call("/raised", Body::from(ELEVEN)), (200, "true 11".to_owned()));
    assert_eq!(call("/stream", Body::from(ELEVEN)).0, 413, "declared");
    assert_eq!(call("/stream", streamed(ELEVEN)), (200, "true".to_owned()));
    // A client that goes away.
    assert_eq!(call("/data", Body::sized_reader(&b"half"[..], 8)).0, 400);
}

#[test]
fn json_by_hand() {
    let app = |debug: bool| {
        let mut app = App::new("demo");
        app.config_mut().set("DEBUG", debug);
        app.post("/<int:force>/<int:silent>", |force: u8, silent: u8| -> Result<String> {
            Ok(format!("{:?}", request().get_json(force == 1, silent == 1)?))
        });
        app
    };
    let client = client(app(false));
    let send = |path: &str, content_type: &str, body: &'static str| {
        let response = client.post(path).header("content-type", content_type).body(body).send();
        (response.status(), response.text())
    };
    let json = "application/json";
    assert_eq!(send("/0/0", json, "null"), (200, "Some(Null)".to_owned()));
    assert_eq!(
        send("/0/0", "application/vnd.a+json; charset=utf-8", "[1]"),
        (200, "Some(Array [Number(1)])".to_owned())
    );
    let (status, text) = send("/0/0", "text/plain", "1");
    assert_eq!(status, 415);
    assert!(text.contains("Did not attempt to load JSON data because the request Content-Type was not"), "{text}");
    assert_eq!(send("/0/1", "text/plain", "1"), (200, "None".to_owned()));
    assert_eq!(send("/1/0", "text/plain", "1"), (200, "Some(Number(1))".to_owned()));
    assert_eq!(send("/1/1", "text/plain", "{"), (200, "None".to_owned()));
    let (status, text) = send("/0/0", json, "{");
    assert_eq!(status, 400);
    assert!(!text.contains("Failed to decode"), "{text}");
    let debug = crate::support::client(app(true));
    let response = debug.post("/0/0").header("content-type", json).body("{").send();
    assert_eq!(response.status(), 400);
    assert!(response.text().contains("Failed to decode JSON object: "), "{}", response.text());
}

#[test]
fn keys_that_are_missing() {
    let app = |debug: bool| {
        let mut app = App::new("demo");
        app.config_mut().set("DEBUG", debug);
        app.post("/args", || -> Result<String> { Ok(request().args().require("na<me")?.to_owned()) });
        app.post("/form", || -> Result<String> { Ok(request().form()?.require("na<me")?.to_owned()) });
        app.post("/file", || -> Result<String> { Ok(request().files()?.require("na<me")?.filename().to_owned()) });
        app.errorhandler(dewar::http::StatusCode::BAD_REQUEST, |error: dewar::HttpError| error);
        client(app)
    };
    let (quiet, debug) = (app(false), app(true));
    for path in ["/args", "/form", "/file"] {
        let response = quiet.post(path).send();
        assert_eq!(response.status(), 400);
        assert!(!response.text().contains("na&lt;me"), "{}", response.text());
        let response = debug.post(path).send();
        assert_eq!(response.status(), 400);
        assert!(response.text().contains("na&lt;me"), "{}", response.text());
    }
    assert!(debug.post("/file").send().text().contains("multipart/form-data"));
}

#[test]
fn values() {
    let mut app = App::new("demo");
    app.route("/", |ctx: Arc<Ctx>| -> Result<String> {
        let values = ctx.request().values()?;
        Ok(format!("{:?} {:?}", *values, values.get("a")))
    })
    .methods([Method::GET, Method::POST]);
    let client = client(app);
    let send = |method: &str, path: &str| client.request(method, path).form([("a", "2"), ("b", "3")]).send().text();
    assert_eq!(send("POST", "/?a=1"), r#"{"a": "1", "a": "2", "b": "3"} Some("1")"#);
    assert_eq!(send("GET", "/?a=1"), r#"{"a": "1"} Some("1")"#);
    assert_eq!(send("POST", "/"), r#"{"a": "2", "b": "3"} Some("2")"#);
    assert_eq!(client.post("/?a=1").send().text(), r#"{"a": "1"} Some("1")"#);
}

#[test]
fn a_header_as_one_text() {
    let mut request = Request::get("/").with_header("x-one", "a").with_header("x-two", "");
    request.head_mut().headers.append("x-one", HeaderValue::from_static("b, c"));
    let latin = HeaderValue::from_bytes(b"caf\xe9").unwrap();
    request.head_mut().headers.append("x-latin", latin);
    for (name, text) in [
        ("X-One", Some("a,b, c")),
        ("x-two", Some("")),
        ("x-latin", Some("caf\u{e9}")),
        ("x-none", None),
        ("no name", None),
        ("", None),
    ] {
        assert_eq!(request.header_text(name).as_deref(), text, "{name}");
    }
    assert_eq!((request.header("x-one"), request.header("x-latin")), (Some("a"), None));
}
