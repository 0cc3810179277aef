//! What a response says of itself, under Flask's names.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use dewar::{
    App, Body, CacheControl, ContentRange, CrossOriginEmbedderPolicy, CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy, HeaderSet, Response, Result, make_response, redirect,
};

use crate::support::{client, panic_message};

#[test]
fn tuples() {
    let mut app = App::new("demo");
    app.get("/words", || ("x", "404 nothing here"));
    app.get("/computed", || ("x", format!("4{} gone fishing", 10)));
    app.get("/number", || ("x", "201"));
    app.get("/three", || ("x", "202 fine", [("x-a", "b")]));
    app.get("/map", || ("x", BTreeMap::from([("content-type", "text/plain"), ("x-a", "b")])));
    app.get("/hash", || ("x", 203, HashMap::from([("x-a".to_owned(), "b".to_owned())])));
    app.get("/twice", || (("x", [("x-a", "a"), ("x-b", "c")]), [("x-a", "b"), ("x-a", "d")]));
    app.get("/bad", || ("x", "nonsense"));
    app.get("/split", || ("x", "200 a\r\nx-a: b"));
    app.get("/made", || -> Result<Response> {
        let mut response = make_response(("x", 201, [("x-a", "b")]))?;
        response.set_body("made");
        Ok(response)
    });
    app.get("/nothing", || make_response(()));
    let client = client(app);
    for (path, status, content_type, x_a) in [
        ("/words", 404, "text/html; charset=utf-8", None),
        ("/number", 201, "text/html; charset=utf-8", None),
        ("/three", 202, "text/html; charset=utf-8", Some("b")),
        ("/map", 200, "text/plain", Some("b")),
        ("/hash", 203, "text/html; charset=utf-8", Some("b")),
        ("/bad", 500, "text/html; charset=utf-8", None),
        ("/split", 500, "text/html; charset=utf-8", None),
        ("/made", 201, "text/html; charset=utf-8", Some("b")),
        ("/nothing", 200, "text/html; charset=utf-8", None),
    ] {
        let response = client.get(path);
        assert_eq!((response.status(), response.header("content-type")), (status, Some(content_type)), "{path}");
        assert_eq!(response.header("x-a"), x_a, "{path}");
    }
    assert_eq!(client.get("/computed").status(), 410);
    let twice = client.get("/twice");
    let values: Vec<_> = twice.headers().get_all("x-a").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!((values, twice.header("x-b")), (vec!["b", "d"], Some("c")));
    assert_eq!(client.get("/made").text(), "made");
    assert_eq!(client.get("/nothing").text(), "");
}

#[test]
fn status_lines() {
    let mut response = Response::empty(404);
    assert_eq!((response.status_line().as_str(), response.status_code()), ("404 NOT FOUND", 404));
    for (line, shown) in [
        ("200", "200 OK"),
        ("404 nothing here", "404 nothing here"),
        (" 299  a b ", "299 a b"),
        ("299", "299 UNKNOWN"),
        ("413", "413 REQUEST ENTITY TOO LARGE"),
        ("414", "414 REQUEST URI TOO LONG"),
        ("416", "416 REQUESTED RANGE NOT SATISFIABLE"),
        ("418", "418 I'M A TEAPOT"),
        ("200 é", "200 é"),
    ] {
        response.set_status_line(line).unwrap();
        assert_eq!(response.status_line(), shown);
    }
    for line in ["", "x", "20", "2000", "099", "-1", "200\n", "200 a\rb", "OK 200", "200OK"] {
        let refused = response.set_status_line(line);
        assert!(refused.is_err() || line.trim() == "200", "{line:?}");
    }
    assert!(response.set_status_line("nope").unwrap_err().to_string().contains("three digits"));
    // Another status has its own words.
    response.set_status_line("404 x").unwrap();
    response.set_status(200);
    assert_eq!(response.status_line(), "200 OK");
}

/// The list is that of Werkzeug's `get_content_type`.
#[test]
fn charsets() {
    for (mimetype, content_type) in [
        ("text/html", "text/html; charset=utf-8"),
        ("text/x-anything", "text/x-anything; charset=utf-8"),
        ("application/javascript", "application/javascript; charset=utf-8"),
        ("application/ecmascript", "application/ecmascript; charset=utf-8"),
        ("application/sql", "application/sql; charset=utf-8"),
        ("application/xml", "application/xml; charset=utf-8"),
        ("application/xml-dtd", "application/xml-dtd; charset=utf-8"),
        ("application/xml-external-parsed-entity", "application/xml-external-parsed-entity; charset=utf-8"),
        ("application/atom+xml", "application/atom+xml; charset=utf-8"),
        ("image/svg+xml", "image/svg+xml; charset=utf-8"),
        ("application/json", "application/json"),
        ("application/vnd.x+json", "application/vnd.x+json"),
        ("application/octet-stream", "application/octet-stream"),
        ("image/png", "image/png"),
        ("text/plain; charset=latin1", "text/plain; charset=latin1"),
    ] {
        let response = Response::new("").with_mimetype(mimetype);
        assert_eq!(response.content_type(), Some(content_type));
        assert_eq!(response.mimetype(), Some(mimetype.split(';').next().unwrap()));
    }
    let mut response = Response::text("");
    response.set_content_type("text/plain");
    assert_eq!(response.content_type(), Some("text/plain"));
    assert!(panic_message(|| Response::text("").set_content_type("a\nb")).contains("content type"));
}

#[test]
fn data() {
    let mut response = Response::text(Body::blocks(["a", "", "bc"]));
    assert!(response.is_streamed());
    assert_eq!(response.content_length(), None);
    assert_eq!(response.get_data().unwrap(), "abc");
    assert_eq!(response.get_data_as_text().unwrap(), "abc"); // and again
    assert!(!response.is_streamed());
    assert_eq!(response.content_length(), Some(3));
    write!(response.stream().unwrap(), "-{}", 1).unwrap();
    response.stream().unwrap().write_all(b"!").unwrap();
    assert_eq!(response.get_data().unwrap(), "abc-1!");

    let mut broken = Response::text(Body::try_blocks([Ok("a"), Err("no more")]));
    assert_eq!(broken.get_data().unwrap_err().to_string(), "no more");
    assert_eq!(broken.get_data().unwrap(), "");

    let mut json = Response::text(r#"{"a":1}"#);
    assert_eq!(json.get_json::<serde_json::Value>().unwrap(), None);
    for mimetype in ["application/json", "application/problem+json"] {
        json.set_mimetype(mimetype);
        assert!(json.is_json());
        assert_eq!(json.get_json::<serde_json::Value>().unwrap().unwrap()["a"], 1);
    }
    assert!(json.get_json::<Vec<u8>>().is_err());
    assert_eq!(Response::new(vec![0xff, b'a']).get_data_as_text().unwrap(), "\u{fffd}a");
}

#[test]
fn what_runs_on_close_outlives_the_body() {
    let closed = Arc::new(AtomicBool::new(false));
    let told = closed.clone();
    let mut response = Response::text(Body::blocks(["a"]));
    response.call_on_close(move || told.store(true, Relaxed));
    response.get_data().unwrap();
    response.set_body("b");
    assert!(!closed.load(Relaxed), "the response is not sent yet");
    drop(response);
    assert!(closed.load(Relaxed));
}

#[cfg(feature = "static_files")]
#[test]
fn tags() {
    let mut response = Response::text("hello");
    assert_eq!(response.get_etag(), None);
    response.set_etag("v1", true);
    assert_eq!((response.header("etag"), response.get_etag()), (Some("W/\"v1\""), Some(("v1", true))));
    response.add_etag(false, false).unwrap();
    assert_eq!(response.get_etag(), Some(("v1", true)));
    response.add_etag(true, false).unwrap();
    assert_eq!(response.header("etag"), Some("\"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d\""));
    assert!(panic_message(|| Response::text("").set_etag("a\"b", false)).contains("quote"));

    let mut frozen = Response::text(Body::blocks(["he", "llo"]));
    frozen.freeze().unwrap();
    assert_eq!(frozen.header("content-length"), Some("5"));
    assert_eq!(frozen.get_etag(), Some(("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", false)));
    frozen.set_body("other"); // what was said of the former body goes
    assert_eq!(frozen.header("content-length"), None);
}

#[test]
fn headers() {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let mut r = Response::text("x");
    r.set_date(at);
    r.set_expires(at);
    r.set_last_modified(at);
    r.set_age(Duration::from_millis(5999));
    r.set_location("/x");
    r.set_content_location("/y");
    r.set_content_encoding("gzip");
    r.set_content_md5("Q2hlY2s=");
    r.set_accept_ranges("bytes");
    r.set_content_range(ContentRange::bytes(0..5, Some(9)));
    r.set_vary(["Cookie", "cookie", "Accept"]);
    r.set_allow(vec!["GET", "HEAD"]);
    r.set_content_language(["en"]);
    r.set_access_control_allow_origin("*");
    r.set_access_control_allow_methods(["GET", "PUT"]);
    r.set_access_control_allow_headers(["x-a"]);
    r.edit_access_control_expose_headers(|set| set.add("x-b"));
    r.set_access_control_allow_credentials(true);
    r.set_access_control_max_age(Duration::from_secs(60));
    r.set_cross_origin_opener_policy(CrossOriginOpenerPolicy::SameOrigin);
    r.set_cross_origin_embedder_policy(CrossOriginEmbedderPolicy::RequireCorp);
    r.set_cross_origin_resource_policy(CrossOriginResourcePolicy::SameSite);
    r.set_www_authenticate("Basic realm=\"x\"");
    r.add_www_authenticate(&dewar::WwwAuthenticate::new("bearer"));
    r.edit_content_security_policy_report_only(|csp| _ = csp.set("default-src", "'none'"));
    r.edit_content_security_policy(|csp| _ = csp.set("img-src", "*").set("upgrade-insecure-requests", ""));
    for (name, value) in [
        ("date", date),
        ("expires", date),
        ("last-modified", date),
        ("age", "5"),
        ("location", "/x"),
        ("content-location", "/y"),
        ("content-encoding", "gzip"),
        ("content-md5", "Q2hlY2s="),
        ("accept-ranges", "bytes"),
        ("content-range", "bytes 0-4/9"),
        ("vary", "Cookie, Accept"),
        ("allow", "GET, HEAD"),
        ("content-language", "en"),
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, PUT"),
        ("access-control-allow-headers", "x-a"),
        ("access-control-expose-headers", "x-b"),
        ("access-control-allow-credentials", "true"),
        ("access-control-max-age", "60"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
        ("cross-origin-resource-policy", "same-site"),
        ("www-authenticate", "Basic realm=\"x\""),
        ("content-security-policy-report-only", "default-src 'none'"),
        ("content-security-policy", "img-src *; upgrade-insecure-requests"),
    ] {
        assert_eq!(r.header(name), Some(value));
    }
    assert_eq!((r.date(), r.expires(), r.last_modified()), (Some(at), Some(at), Some(at)));
    assert_eq!(r.age(), Some(Duration::from_secs(5)));
    assert_eq!((r.location(), r.content_encoding()), (Some("/x"), Some("gzip")));
    assert_eq!(r.content_range().unwrap().range(), Some(0..5));
    assert!(r.vary().contains("ACCEPT") && r.allow().contains("get"));
    assert!(r.access_control_allow_credentials());
    assert_eq!(r.access_control_max_age(), Some(Duration::from_secs(60)));
    assert_eq!(r.cross_origin_opener_policy(), Some(CrossOriginOpenerPolicy::SameOrigin));
    assert_eq!(r.headers().get_all("www-authenticate").iter().count(), 2);
    assert_eq!(r.content_security_policy().get("img-src"), Some("*"));

    // Taken away again.
    r.set_date(None);
    r.set_vary(HeaderSet::default());
    r.set_location(None);
    r.set_content_range(None);
    r.set_access_control_allow_credentials(false);
    r.set_cross_origin_opener_policy(None);
    r.edit_content_security_policy(|csp| _ = csp.remove("img-src").remove("upgrade-insecure-requests"));
    for name in [
        "date",
        "vary",
        "location",
        "content-range",
        "access-control-allow-credentials",
        "cross-origin-opener-policy",
        "content-security-policy",
    ] {
        assert_eq!(r.header(name), None, "{name}");
    }

    r.set_retry_after(Duration::from_secs(120));
    assert_eq!(r.header("retry-after"), Some("120"));
    assert!(r.retry_after().unwrap() > SystemTime::now());
    r.set_retry_after(at);
    assert_eq!((r.header("retry-after"), r.retry_after()), (Some(date), Some(at)));
    assert!(panic_message(|| Response::text("").set_location("a\r\nb")).contains("cannot carry"));
    assert!(
        panic_message(
            || Response::text("").edit_content_security_policy(|csp| _ = csp.set("img-src", "*; script-src *"))
        )
        .contains("percent-encode")
    );
}

#[test]
fn caches() {
    let mut r = Response::text("x");
    r.edit_cache_control(|cache| _ = cache.set_no_cache(true));
    assert_eq!(r.header("cache-control"), Some("no-cache"));
    r.edit_cache_control(|cache| {
        cache.set_no_cache(false).set_public(true).set_max_age(Duration::from_secs(60)).set("private", Some("x, y"));
    });
    assert_eq!(r.header("cache-control"), Some("public, max-age=60, private=\"x, y\""));
    assert_eq!(r.cache_control().get("private"), Some("x, y"));
    r.edit_cache_control(|cache| _ = cache.set_max_age(Duration::from_secs(5)).remove("private").set_immutable(true));
    assert_eq!(r.header("cache-control"), Some("public, max-age=5, immutable"));
    r.set_cache_control(CacheControl::new());
    assert_eq!(r.header("cache-control"), None);
    assert!(panic_message(|| _ = CacheControl::new().set("a b", None)).contains("directive"));
}

/// Made by Werkzeug 3.1's `redirect`.
#[test]
fn locations() {
    let mut app = App::new("demo");
    app.get("/", || redirect(dewar::request().header("x-to").unwrap_or("/é?q=é#é").to_owned()));
    app.get("/see", || redirect("/").see_other());
    let client = client(app);
    for (location, written) in [
        ("/a b", "/a%20b"),
        ("http://EXAMPLE.com/A", "http://example.com/A"),
        ("//x/y", "//x/y"),
        ("relative/x", "relative/x"),
        ("?a=b", "?a=b"),
        ("#f", "#f"),
        ("/x?", "/x"),
        ("/x#", "/x"),
        ("/%zz", "/%zz"),
        ("/a|b^c`d{e}", "/a%7Cb%5Ec%60d%7Be%7D"),
        ("http://user:p@ss@host:80/", "http://user:p%40ss@host:80/"),
        ("/a\\b", "/a%5Cb"),
        ("javascript:alert('x')", "javascript:alert('x')"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("/<\"'&>", "/%3C%22'&%3E"),
        ("mailto:a@b", "mailto:a@b"),
        ("/a;b=c,d~e", "/a;b=c,d~e"),
        ("http://host", "http://host"),
        ("HTTP://host/x", "http://host/x"),
        ("http://x/a[b]", "http://x/a%5Bb%5D"),
        ("", ""),
    ] {
        let response = client.request("GET", "/").header("x-to", location).send();
        assert_eq!((response.status(), response.header("location")), (302, Some(written)), "{location}");
    }
    let page = client.get("/");
    assert_eq!(page.header("location"), Some("/%C3%A9?q=%C3%A9#%C3%A9"));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(
        page.text(),
        "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be \
         redirected automatically to the target URL: <a href=\"/é?q=é#é\">/é?q=é#é</a>. If not, click the link.\n"
    );
    let quoted = client.request("GET", "/").header("x-to", "/<\"'&>").send();
    assert!(quoted.text().contains("<a href=\"/&lt;&#34;&#39;&amp;&gt;\">/&lt;&#34;&#39;&amp;&gt;</a>"));
    assert_eq!(client.get("/see").status(), 303);
    for (location, written) in [
        ("http://☃.net/påth?q=èry%DF", "http://xn--n3h.net/p%C3%A5th?q=%C3%A8ry%DF"),
        ("http://bücher.example:8080/", "http://xn--bcher-kva.example:8080/"),
        ("http://例え.テスト/", "http://xn--r8jz45g.xn--zckzah/"),
        ("http://Bücher/", "http://xn--bcher-kva/"),
        ("/a\r\nset-cookie: b", "/aset-cookie:%20b"),
        ("http://ü:ü@é:é/é", "http://%C3%BC:%C3%BC@xn--9ca:%C3%A9/%C3%A9"),
    ] {
        assert_eq!(Response::redirect(location, 302).header("location"), Some(written), "{location}");
    }
}

#[test]
fn no_body_headers_with_304() {
    let mut app = App::new("demo");
    app.get("/", || ("body", 304, [("content-language", "en"), ("expires", "0"), ("etag", "\"a\""), ("allow", "GET")]));
    let response = client(app).get("/");
    assert_eq!(response.status(), 304);
    for (name, value) in [
        ("content-type", None),
        ("content-language", None),
        ("allow", None),
        ("expires", Some("0")),
        ("etag", Some("\"a\"")),
    ] {
        assert_eq!(response.header(name), value, "{name}");
    }
}
