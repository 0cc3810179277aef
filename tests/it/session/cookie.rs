//! When the cookie is set, and how.

use std::time::{Duration, SystemTime};

use dewar::{App, Cookie, SameSite, SessionData, SessionSerializer, session};
use serde_json::{Value, json};

use super::{DAY, app, attributes, config, signed};
use crate::support::log_capture;

#[test]
fn the_cookie_is_set_when_it_must_be() {
    let full = signed("dev", &[("n", 1.into())]);
    let permanent = signed("dev", &[("n", 1.into()), ("_permanent", true.into())]);
    let was_permanent = signed("dev", &[("n", 1.into()), ("_permanent", false.into())]);
    let forged = signed("other", &[("n", 1.into()), ("_permanent", true.into())]);
    // The cookie that is sent, the path, what is set, and whether the response varies by it.
    for (cookie, path, set, vary) in [
        ("", "/nothing", "", false),
        ("", "/argument", "", false),
        ("", "/get/n", "", true),
        ("", "/contains/n", "", true),
        ("", "/remove/n", "", true),
        ("", "/keys", "", true),
        ("", "/set/n/1", "; HttpOnly; Path=/", true),
        ("", "/clear", "gone", true),
        ("", "/modified/1", "gone", true),
        (&full, "/nothing", "", false),
        (&full, "/argument", "", false),
        (&full, "/get/n", "", true),
        (&full, "/set/n/1", "; HttpOnly; Path=/", true),
        (&full, "/modified/1", "; HttpOnly; Path=/", true),
        (&full, "/pop/n", "gone", true),
        (&full, "/clear", "gone", true),
        (&full, "/permanent/1", "; Expires=…; HttpOnly; Path=/", true),
        (&full, "/nowhere", "", false),
        (&was_permanent, "/nothing", "", false),
        (&permanent, "/nothing", "; Expires=…; HttpOnly; Path=/", true),
        (&permanent, "/nowhere", "; Expires=…; HttpOnly; Path=/", true),
        (&permanent, "/get/n", "; Expires=…; HttpOnly; Path=/", true),
        (&permanent, "/permanent/0", "; HttpOnly; Path=/", true),
        (&permanent, "/clear", "gone", true),
        (&forged, "/nothing", "", false),
        (&forged, "/get/n", "", true),
        (&forged, "/set/n/1", "; HttpOnly; Path=/", true),
    ] {
        let client = app().test_client();
        client.set_cookie("session", cookie);
        let response = client.get(path);
        let header = response.header("set-cookie").unwrap_or("");
        match set {
            "gone" => assert_eq!(
                header, "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/",
                "{path}"
            ),
            "" => assert_eq!(header, "", "{path} {cookie}"),
            set => assert_eq!(attributes(header), set, "{path} {cookie}"),
        }
        assert_eq!(response.header("vary"), vary.then_some("Cookie"), "{path} {cookie}");
    }

    let client = config("SESSION_REFRESH_EACH_REQUEST", false);
    client.set_cookie("session", &permanent);
    let response = client.get("/get/n");
    assert_eq!((response.text().as_str(), response.header("set-cookie")), ("1", None));
    assert_eq!(attributes(client.get("/set/n/2").header("set-cookie").unwrap()), "; Expires=…; HttpOnly; Path=/");
}

#[test]
fn the_configuration_makes_the_cookie() {
    for (key, value, header) in [
        ("SESSION_COOKIE_NAME", json!("id"), "; HttpOnly; Path=/"),
        ("SESSION_COOKIE_DOMAIN", json!(".example.org:80"), "; Domain=example.org; HttpOnly; Path=/"),
        ("SESSION_COOKIE_DOMAIN", json!(""), "; HttpOnly; Path=/"),
        ("SESSION_COOKIE_PATH", json!("/app"), "; HttpOnly; Path=/app"),
        ("APPLICATION_ROOT", json!("/root"), "; HttpOnly; Path=/root"),
        ("SESSION_COOKIE_HTTPONLY", json!(false), "; Path=/"),
        ("SESSION_COOKIE_SECURE", json!(true), "; Secure; HttpOnly; Path=/"),
        ("SESSION_COOKIE_SAMESITE", json!("lax"), "; HttpOnly; Path=/; SameSite=Lax"),
        ("SESSION_COOKIE_PARTITIONED", json!(true), "; Secure; HttpOnly; Path=/; Partitioned"),
    ] {
        let client = config(key, value.clone());
        let response = client.get("/set/n/1");
        let set = response.header("set-cookie").unwrap();
        assert!(set.starts_with(if key == "SESSION_COOKIE_NAME" { "id=" } else { "session=" }));
        assert_eq!(attributes(set), header, "{key} {value}");
        let response = client.get("/clear");
        let gone = response.header("set-cookie").unwrap();
        assert!(gone.contains("Max-Age=0"), "{gone}");
        assert_eq!(attributes(gone).replace(" Expires=…; Max-Age=0;", ""), header, "{key} {value}");
    }
    let all = Cookie::new("a", "b").partitioned(true).same_site(SameSite::None).max_age(DAY).domain("x.org");
    let all = all.to_header();
    assert_eq!(
        attributes(all.to_str().unwrap()),
        "; Domain=x.org; Expires=…; Max-Age=86400; Secure; Path=/; SameSite=None; Partitioned"
    );

    // A lifetime of nothing: what was signed a second ago is too old.
    let client = config("PERMANENT_SESSION_LIFETIME", 0);
    let mut data = SessionData::new();
    data.set("n", 1).unwrap();
    let before = SystemTime::now() - Duration::from_secs(5);
    client.set_cookie("session", &SessionSerializer::new("dev").dumps(&data, before));
    assert_eq!(client.get("/get/n").text(), "");
    let client = config("PERMANENT_SESSION_LIFETIME", u64::MAX);
    client.get("/permanent/1");
    assert_eq!(client.get("/get/_permanent").text(), "true");
}

#[test]
fn wrong_keys_are_reported_at_the_start_and_secrets_are_not_shown() {
    let mut app = app();
    app.config_mut()
        .set("SECRET_KEY", 123_456)
        .set("SECRET_KEY_FALLBACKS", "hush")
        .set("SESSION_COOKIE_NAME", "a b")
        .set("SESSION_COOKIE_DOMAIN", "ä.org")
        .set("SESSION_COOKIE_PATH", "/a;b")
        .set("SESSION_COOKIE_SECURE", "yes")
        .set("SESSION_COOKIE_SAMESITE", "loose")
        .set("PERMANENT_SESSION_LIFETIME", "31 days")
        .set("MAX_COOKIE_SIZE", -1);
    assert!(!format!("{:?}", app.config()).contains("hush"));
    let text = app.into_service().unwrap_err().to_string();
    for wanted in [
        "SECRET_KEY is of another type, but it must be text",
        "SECRET_KEY_FALLBACKS is of another type",
        "SESSION_COOKIE_NAME is \"a b\"",
        "SESSION_COOKIE_DOMAIN is \"ä.org\"",
        "SESSION_COOKIE_PATH is \"/a;b\"",
        "SESSION_COOKIE_SECURE is \"yes\", but it must be true or false",
        "SESSION_COOKIE_SAMESITE is \"loose\", but it must be \"Lax\", \"Strict\" or \"None\"",
        "PERMANENT_SESSION_LIFETIME is \"31 days\", but it must be a number of seconds",
        "MAX_COOKIE_SIZE is -1",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("123456") && !text.contains("hush"), "{text}");
}

#[test]
fn a_response_that_says_it_varies_says_it_once() {
    for (own, wanted) in
        [("Accept, COOKIE", "Accept, COOKIE"), ("*", "*"), ("Cookies", "Cookies, Cookie"), ("", "Cookie")]
    {
        let mut app = app();
        app.after_request(move |response: dewar::Response| match own {
            "" => response,
            own => response.with_header("vary", own),
        });
        assert_eq!(app.test_client().get("/get/n").header("vary"), Some(wanted));
    }
}

#[test]
fn a_large_cookie_is_warned_of() {
    let log = log_capture();
    let run = |limit: Value, name: &str| {
        let mut app = App::new("large");
        app.config_mut().set("SECRET_KEY", "dev").set("MAX_COOKIE_SIZE", limit).set("SESSION_COOKIE_NAME", name);
        app.get("/", || session().set("n", (0..2000).collect::<Vec<u32>>())).endpoint("index");
        app.test_client().get("/");
        log.with(&format!("the cookie `{name}` is too large"))
    };
    let warned = run(Value::Null, "large_one");
    assert!(
        warned.len() == 1 && warned[0].starts_with("WARN") && warned[0].contains("the limit is 4093"),
        "{warned:?}"
    );
    assert_eq!(run(0.into(), "large_allowed").len(), 0);
}
