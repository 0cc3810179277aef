//! Paths as clients write them.

use dewar::{App, Blueprint, request};

use crate::support::client;

#[test]
fn escapes() {
    let mut app = App::new("demo");
    app.get("/x/<a>", |a: String| format!("one {a}"));
    app.get("/x/<a>/<b>", |a: String, b: String| format!("two {a} {b}"));
    app.get("/é/<path:p>", |p: String| format!("path {p}"));
    let client = client(app);
    for (path, text) in [
        ("/x/a%20b", "one a b"),
        ("/x/a+b", "one a+b"),
        ("/x/%C3%A9", "one é"),
        ("/%78/a", "one a"),
        ("/x/a%2Fb", "two a b"), // an encoded slash is a slash
        ("/x/a%2fb", "two a b"),
        ("/x/%25", "one %"),
        ("/x/%2525", "one %25"), // decoded once
        ("/x/a%3Fb%23", "one a?b#"),
        ("/%C3%A9/a/b", "path a/b"),
        ("/x/%00", "one \0"),
    ] {
        assert_eq!(client.get(path).text(), text, "{path}");
    }
    for path in ["/x/%", "/x/%4", "/x/%zz", "/x/%ff", "/x/%C3", "/x/%C3%28", "/%ED%A0%80", "/nowhere/%"] {
        let response = client.get(path);
        assert_eq!(response.status(), 400, "{path}");
        assert!(response.text().contains("not percent-encoded UTF-8"), "{}", response.text());
    }
}

#[test]
fn redirects_to_the_rules_own_form() {
    let mut app = App::new("demo");
    let mut blueprint = Blueprint::new("bp").url_prefix("/bp");
    app.get("/folder/", || "folder");
    app.get("/é ö/", || "umlauts");
    app.get("/leaf", || "leaf");
    app.get("/lax/", || "lax").strict_slashes(false);
    blueprint.get("/", || "bp");
    app.register_blueprint(blueprint);
    let client = client(app);
    for (path, location) in [
        ("/folder", "/folder/"),
        ("/folder?q=%20a&b", "/folder/?q=%20a&b"),
        ("//folder//", "/folder/"),
        ("/%C3%A9%20%C3%B6", "/%C3%A9%20%C3%B6/"),
        ("/bp", "/bp/"),
        ("/%2Ffolder", "/folder/"),
    ] {
        let response = client.get(path);
        assert_eq!((response.status(), response.header("location")), (308, Some(location)), "{path}");
    }
    // Slashes at the start are one slash, as in Werkzeug.
    for (path, status) in
        [("//leaf", 200), ("/%2Fleaf", 200), ("/leaf/", 404), ("/lax", 200), ("/lax/", 200), ("/", 404)]
    {
        assert_eq!(client.get(path).status(), status, "{path}");
    }
}

#[test]
fn a_redirect_never_leads_to_another_host() {
    let mut app = App::new("demo");
    app.get("/<path:p>/", |p: String| p);
    let client = client(app);
    for path in ["//evil.example", "/%2Fevil.example", "///evil.example", "/%2f%2fevil.example", "/%5Cevil.example"] {
        let response = client.get(path);
        assert_eq!(response.status(), 308, "{path}");
        let location = response.header("location").unwrap();
        assert!(!location.starts_with("//") && !location.contains('\\'), "{path}: {location}");
    }
}

#[test]
fn behind_a_prefix() {
    let mut app = App::new("demo");
    app.config_mut().set("APPLICATION_ROOT", "/app/");
    app.get("/folder/", || "folder");
    let client = client(app);
    assert_eq!(client.get("/folder?x").header("location"), Some("/app/folder/?x"));
    assert_eq!(client.get("/folder?").header("location"), Some("/app/folder/"));
}

#[test]
fn what_a_request_says_of_its_url() {
    let mut app = App::new("demo");
    app.get("/a b", || {
        let r = request();
        format!("{} {} {} {} {}", r.path(), r.full_path(), r.url(), r.host(), r.scheme())
    });
    let client = client(app);
    let response = client.request("GET", "/a%20b?x=%20").header("host", "h.example:80").send();
    assert_eq!(response.text(), "/a%20b /a%20b?x=%20 http://h.example/a%20b?x=%20 h.example http");
}
