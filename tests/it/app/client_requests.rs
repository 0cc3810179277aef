//! What the test client sends, where to, and how it follows.

use dewar::{App, Cookie, Response, TestClient, redirect, request};

use crate::support::{client, panic_message};

/// An app that says what it was asked.
fn echo() -> App {
    let mut app = App::new("demo");
    let say = || {
        let r = request();
        let body = r.get_data().map(|data| String::from_utf8_lossy(&data).into_owned()).unwrap_or_default();
        format!("{} {} {} {body}", r.method(), r.url(), r.content_type().unwrap_or("-"))
    };
    app.route("/<path:p>", say).methods(["GET", "POST", "PUT"]).endpoint("say");
    app.route("/", say).methods(["GET", "POST", "PUT"]).endpoint("index");
    app
}

#[test]
fn where_it_goes() {
    let client = client(echo());
    for (path, wanted) in [
        ("/x", "GET http://localhost/x - "),
        ("x", "GET http://localhost/x - "),
        ("", "GET http://localhost/ - "),
        ("?a=1", "GET http://localhost/?a=1 - "),
        ("http://example.org/x?a=1", "GET http://example.org/x?a=1 - "),
        ("https://example.org:444", "GET https://example.org:444/ - "),
    ] {
        assert_eq!(client.get(path).text(), wanted, "{path}");
    }
    let there = |url: &str| client.request("GET", "/x").base_url(url).send().text();
    assert_eq!(there("https://example.org"), "GET https://example.org/x - ");
    assert_eq!(there("http://[::1]:8000/app/"), "GET http://[::1]:8000/x - ");
    for bad in ["example.org", "/app", "ftp://example.org", "http://example.org?x", ""] {
        let text = panic_message(|| there(bad));
        assert!(text.contains("no base URL"), "{text}");
    }
    let mut app = echo();
    app.config_mut().set("SERVER_NAME", "shop.example:8080").set("PREFERRED_URL_SCHEME", "https");
    assert_eq!(app.test_client().get("/x").text(), "GET https://shop.example:8080/x - ");
}

#[test]
fn what_is_sent() {
    let client = client(echo());
    let get = || client.request("GET", "/x");
    let args = [("a", "1 2"), ("b", "é&")];
    assert_eq!(get().query_string(args).send().text(), "GET http://localhost/x?a=1+2&b=%C3%A9%26 - ");
    let twice = panic_message(|| client.request("GET", "/x?c=1").query_string(args));
    assert!(twice.contains("has the query string \"c=1\""), "{twice}");
    assert_eq!(
        client.post("/x").form([("a", "1")]).form([("b", "2")]).send().text(),
        "POST http://localhost/x application/x-www-form-urlencoded a=1&b=2"
    );
    for builder in [
        client.post("/x").content_type("application/problem+json").json(&[1]),
        client.post("/x").json(&[1]).content_type("application/problem+json"),
    ] {
        assert_eq!(builder.send().text(), "POST http://localhost/x application/problem+json [1]");
    }
    let response = client.request("GET", "/x").headers([("x-a", "1"), ("x-a", "2")]).header("x-b", "3").send();
    let sent = response.request();
    assert_eq!(sent.headers().get_all("x-a").iter().count(), 2);
    assert_eq!((sent.header("x-b"), sent.url().as_str()), (Some("3"), "http://localhost/x"));
    for (name, password, wanted) in
        [("", "", "Og=="), ("a", "b", "YTpi"), ("a", "bc", "YTpiYw=="), ("Zoë", "p:w", "Wm/DqzpwOnc=")]
    {
        let response = client.request("GET", "/").auth(name, password).send();
        assert_eq!(response.request().header("authorization"), Some(&*format!("Basic {wanted}")));
    }
    assert!(panic_message(|| client.request("GET", "/").auth("a:b", "c")).contains("has a colon"));
}

#[test]
fn files_make_it_multipart() {
    let mut app = App::new("demo");
    app.post("/", || request().get_data());
    let client = client(app);
    let response = client
        .post("/")
        .file("a", "a b\r\n\"é\".bin", vec![0_u8, 255, 13, 10])
        .form([("title", "T\r\n\"é")])
        .file_with_type("b", "b", "dewar-test-", "text/x-own")
        .send();
    let said = response.request().content_type().unwrap().to_owned();
    let boundary = said.strip_prefix("multipart/form-data; boundary=").unwrap();
    let wanted = [
        &b"--B\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nT\r\n\"\xc3\xa9\r\n"[..],
        b"--B\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a b%0D%0A%22\xc3\xa9%22.bin\"\r\n",
        b"Content-Type: application/octet-stream\r\n\r\n\x00\xff\r\n\r\n",
        b"--B\r\nContent-Disposition: form-data; name=\"b\"; filename=\"b\"\r\nContent-Type: text/x-own\r\n\r\ndewar-test-\r\n",
        b"--B--\r\n",
    ];
    let sent = response.bytes().escape_ascii().to_string();
    assert_eq!(sent, wanted.concat().escape_ascii().to_string().replace("--B", &format!("--{boundary}")));
    let guessed = client.post("/").file("a", "page.html", "").send().text();
    assert_eq!(guessed.contains("Content-Type: text/html\r\n"), cfg!(feature = "static_files"), "{guessed}");
}

#[test]
fn what_is_followed() {
    let mut app = echo();
    app.route("/to/<int:status>/<path:to>", |status: i64, to: String| redirect(format!("/{to}")).status(status as u16))
        .methods(["GET", "POST", "PUT", "HEAD"])
        .endpoint("to");
    app.get("/go", || redirect(request().args().get("to").unwrap_or("/"))).endpoint("go");
    app.get("/deep/er/go", || redirect(request().args().get("to").unwrap_or("/"))).endpoint("deeper");
    app.get("/a", || redirect("/b")).endpoint("a");
    app.get("/b", || redirect("/a")).endpoint("b");
    let client = client(app);
    for (status, wanted) in [
        (301, "GET http://localhost/x - "),
        (302, "GET http://localhost/x - "),
        (303, "GET http://localhost/x - "),
        (307, "PUT http://localhost/x application/json 7"),
        (308, "PUT http://localhost/x application/json 7"),
    ] {
        let response = client.put(&format!("/to/{status}/x")).json(&7).follow_redirects().send();
        assert_eq!(response.text(), wanted, "{status}");
        assert_eq!(response.history()[0].status(), status);
        assert_eq!(response.history()[0].request().path(), format!("/to/{status}/x"));
    }
    let head = client.request("HEAD", "/to/302/x").follow_redirects().send();
    assert_eq!(head.request().method(), "HEAD");

    let follow = |from: &str, to: &str| {
        client.request("GET", from).query_string([("to", to)]).follow_redirects().send().request().url()
    };
    for (from, to, wanted) in [
        ("/go", "y", "http://localhost/y"),
        ("/deep/er/go", "y", "http://localhost/deep/er/y"),
        ("/deep/er/go", "../y?q=1#f", "http://localhost/deep/y?q=1"),
        ("/deep/er/go", "./", "http://localhost/deep/er/"),
        ("/deep/er/go", "../../../..", "http://localhost/"),
        ("/go", "/x/./y/../z", "http://localhost/x/z"),
        ("/go", "https://localhost/x", "https://localhost/x"),
        ("/go", "http://LOCALHOST:8080", "http://localhost:8080/"),
        ("/go", "//localhost/x", "http://localhost/x"),
    ] {
        assert_eq!(follow(from, to), wanted, "{from} {to}");
    }
    for (to, why) in [
        ("http://example.org/", "leads to another host than localhost"),
        ("//localhost.example.org/", "leads to another host"),
        ("http://nolocalhost/", "leads to another host"),
        ("http://sub.localhost/", "`allow_subdomain_redirects(true)`"),
        ("mailto:ada@example.org", "leads away from HTTP"),
        ("/a", "a circle of redirects: it was at /a with 302 before"),
    ] {
        let text = panic_message(|| follow("/go", to));
        assert!(text.contains(why), "{to}: {text}");
    }
    let bold = TestClient::clone(&client).allow_subdomain_redirects(true);
    let response =
        bold.request("GET", "/go").query_string([("to", "http://sub.localhost/x")]).follow_redirects().send();
    assert_eq!(response.text(), "GET http://sub.localhost/x - ");
}

#[test]
fn below_a_root() {
    let mut app = App::new("demo");
    app.config_mut().set("APPLICATION_ROOT", "/root");
    app.get("/set", || redirect("/root/seen").with_cookie(Cookie::new("a", "1").path("/root"))).endpoint("set");
    app.get("/seen", || request().cookie("a").unwrap_or_default()).endpoint("seen");
    app.get("/out", || redirect("/rooted")).endpoint("out");
    app.get("/rooted", || request().cookie("a").unwrap_or("none".into())).endpoint("rooted");
    let client = client(app);
    let response = client.request("GET", "/set").follow_redirects().send();
    assert_eq!((response.text().as_str(), response.location()), ("1", "/seen"));
    assert_eq!(client.request("GET", "/out").follow_redirects().send().text(), "none");
    assert_eq!(client.cookie_at("a", "localhost", "/root").as_deref(), Some("1"));
    client.delete_cookie_at("a", "localhost", "/");
    assert!(client.cookie("a").is_some());
    client.delete_cookie_at("a", "localhost", "/root");
    assert!(client.cookie("a").is_none());
}

#[test]
fn cookies_have_domains() {
    let mut app = App::new("demo");
    app.get("/set/here", || {
        Response::text("")
            .with_cookie(Cookie::new("own", "1"))
            .with_cookie(Cookie::new("all", "2").domain("example.org"))
            .with_cookie(Cookie::new("dotted", "3").domain(".example.org"))
    });
    app.get("/p/q", || Response::text("").with_header("set-cookie", "folder=4")).endpoint("folder");
    let seen = || request().header("cookie").unwrap_or("none").to_owned();
    app.get("/", seen).endpoint("index");
    app.get("/p/", seen).endpoint("p");
    let client = client(app);
    client.get("http://example.org/set/here");
    for (host, wanted) in [
        ("example.org", "all=2; dotted=3; own=1"),
        ("EXAMPLE.org:8080", "all=2; dotted=3; own=1"),
        ("www.example.org", "all=2; dotted=3"),
        ("badexample.org", "none"),
        ("org", "none"),
        ("localhost", "none"),
    ] {
        assert_eq!(client.get(&format!("http://{host}/")).text(), wanted, "{host}");
        let by_hand = client.request("GET", "/").header("host", host).send();
        assert_eq!(by_hand.text(), wanted, "{host}");
    }
    client.get("/p/q");
    assert_eq!((client.get("/p/").text().as_str(), client.get("/").text().as_str()), ("folder=4", "none"));
    assert_eq!(client.cookie_at("all", "example.org", "/").as_deref(), Some("2"));
    assert_eq!(client.cookie_at("all", "localhost", "/"), None);
    client.store_cookie(&Cookie::removal("all").domain("example.org"));
    assert_eq!(client.cookie("all"), None);

    let without = TestClient::clone(&client).use_cookies(false);
    without.get("http://example.org/set/here");
    assert_eq!(without.get("http://example.org/").text(), "none");
    assert!(panic_message(|| without.set_cookie("a", "1")).contains("keeps no cookies"));
}

#[test]
fn errors_reach_the_test_where_they_are_wanted() {
    let make = |keys: &[(&str, bool)]| {
        let mut app = App::new("demo");
        for (key, value) in keys {
            app.config_mut().set(*key, *value);
        }
        app.get("/broken", || -> dewar::Result<()> { Err(dewar::Error::msg("out of tea")) });
        app.get("/missing", || -> dewar::Result<()> { dewar::abort!(404) });
        app.test_client()
    };
    for keys in [
        &[("TESTING", true)][..],
        &[("PROPAGATE_EXCEPTIONS", true)],
        &[("PROPAGATE_EXCEPTIONS", true), ("TESTING", false)],
    ] {
        let client = make(keys);
        let text = panic_message(|| client.get("/broken"));
        assert!(text.starts_with("Exception on /broken [GET]: out of tea\n"), "{text}");
        assert!(text.contains(file!()), "{text}");
        assert_eq!(client.get("/missing").status(), 404, "an answer is no error");
    }
    for keys in [&[][..], &[("TESTING", false)], &[("TESTING", true), ("PROPAGATE_EXCEPTIONS", false)]] {
        let response = make(keys).get("/broken");
        assert_eq!(response.status(), 500);
        assert_eq!(response.error().unwrap().to_string(), "out of tea");
    }
}

#[test]
fn a_request_that_is_not_sent() {
    let service = crate::support::service(echo());
    let client = TestClient::new(service.clone());
    client.set_cookie("a", "1");
    let built = client.post("/mail").query_string([("q", "1")]).json(&7).into_request();
    let seen = service.with_context(built, || {
        let r = request();
        (r.full_path(), r.data().unwrap(), r.cookie("a"), r.is_json())
    });
    assert_eq!(seen, ("/mail?q=1".into(), "7".into(), Some("1".into()), true));
}
