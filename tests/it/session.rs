//! Sessions and flashed messages: Flask's cookies, read and written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dewar::bridge;
use dewar::{
    App, BadSession, Cookie, Flashed, Result, SameSite, Session, SessionData, SessionSerializer, Tagged, TestClient,
    flash, flash_with, get_flashed_messages, session,
};
use serde_json::{Value, json};

use crate::support::{log_capture, panic_message};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// When the vectors were signed.
fn then() -> SystemTime {
    at(1_700_000_000)
}

fn read(cookie: &str) -> Result<SessionData, BadSession> {
    SessionSerializer::new("dev").loads(cookie, DAY, then())
}

/// What Flask 3.1.3 wrote with the key `dev`: the payload, and the cookie.
const FLASKS: &[(&str, &str)] = &[
    (r#"{"user_id":42}"#, "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs"),
    (
        r#"{"_flashes":[{" t":["message","Hello"]}],"name":"\u00e9"}"#,
        "eyJfZmxhc2hlcyI6W3siIHQiOlsibWVzc2FnZSIsIkhlbGxvIl19XSwibmFtZSI6Ilx1MDBlOSJ9.ZVPxAA.BvMYIUKb3X5WYjetfN76hCU6QqE",
    ),
    ("{}", "e30.ZVPxAA.G9CsbqNauYyuVcGETViEUblgw6A"),
    (r#"{" di":{" t__":5}}"#, "eyIgZGkiOnsiIHRfXyI6NX19.ZVPxAA.lh7wODQ9lM5795QUQCDeny6xrDE"),
    (r#"{"a":{" di":{" t__":[1]}}}"#, "eyJhIjp7IiBkaSI6eyIgdF9fIjpbMV19fX0.ZVPxAA.1_7FcmjhUp8crxSOsm7JOq_SIqo"),
    (r#"{"a":{" t__":1}}"#, "eyJhIjp7IiB0X18iOjF9fQ.ZVPxAA.2GD6QLcY6BX8IHMr5w8ktXwM3oo"),
    (r#"{"a":{" x":1}}"#, "eyJhIjp7IiB4IjoxfX0.ZVPxAA.nFd-duc4O2Su4I6Wr1_LYgYz928"),
    (r#"{"a":{" t":1,"b":2}}"#, "eyJhIjp7IiB0IjoxLCJiIjoyfX0.ZVPxAA.QbUStBhHD3Gq5zOA4kldY5zwZJU"),
    (
        r#"{"s":"\u0000\u001f\u007f\"\\/\b\f\n\r\t\ud83d\ude00<>&'\u2028"}"#,
        "eyJzIjoiXHUwMDAwXHUwMDFmXHUwMDdmXCJcXC9cYlxmXG5cclx0XHVkODNkXHVkZTAwPD4mJ1x1MjAyOCJ9.ZVPxAA.fu0-xaaMdIZCDziLnhXK5Dh-bHY",
    ),
];

const COMPRESSED: &str = ".eJyrVkrKyU9SslKqGCZAqRYAw0lhGg.ZVPxAA.uLnlNOnwi7PFcvpFAZuBeap4RC8";

const TAGS: &str = r#"{"all":[{" t":[1,{" t":[2,"x"]}]},{" b":"AP8="},{" m":"<b>&</b>"},{" u":"12345678123456781234567812345678"},{" d":"Tue, 02 Jan 2024 03:04:05 GMT"}]}"#;
const TAGS_COOKIE: &str = ".eJyrVkrMyVGyiq5WUigBUoY6UIaRjlKFUmxtbC1IIEnJSskxwMJWCczLBfJskuzUbPST7CAipUARQyNjE1MzcwtcNERlClBlSGmqjoKBkYJXYp6CkYGRiYKBsZWBiZWBqYK7b4gS0EoA_N8kiw.ZVPxAA.MwT1nfcqu_TioAYxI6oX3G9t3UU";

#[test]
fn flasks_cookies_are_read_and_written() {
    let serializer = SessionSerializer::new("dev");
    for (json, cookie) in FLASKS {
        let data = read(cookie).unwrap_or_else(|error| panic!("{json}: {error}"));
        assert_eq!(data.to_tagged_json(), *json);
        assert_eq!(serializer.dumps(&data, then()), *cookie, "{json}");
        let same = SessionData::from_tagged_json(json).unwrap();
        assert_eq!(serializer.dumps(&same, then()), *cookie, "{json}");
    }
    assert_eq!(read(TAGS_COOKIE).unwrap().to_tagged_json(), TAGS);

    // Numbers that no Rust type holds, and half a surrogate pair, which no Rust text holds: nobody asks for them.
    let odd = "eyJhIjoxMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwLCJiIjoxZTQwMCwiYyI6Ilx1ZDgwMCIsImQiOjEuNTB9";
    let odd = read(&format!("{odd}.ZVPxAA.XHEn3j2VXPEv0hpm0HVjY9HDeaM")).unwrap();
    assert_eq!(odd.to_tagged_json(), r#"{"a":1000000000000000000000000000000,"b":1e400,"c":"\ud800","d":1.50}"#);
    assert_eq!((odd.get::<String>("c"), odd.get::<f64>("d")), (None, Some(1.5)));

    let mut data = SessionData::new();
    data.set("blob", "x".repeat(200)).unwrap();
    assert_eq!(serializer.dumps(&data, then()), COMPRESSED);
    assert_eq!(read(COMPRESSED).unwrap().get::<String>("blob"), Some("x".repeat(200)));
    assert_eq!(format!("{serializer:?}"), "SessionSerializer { .. }");
}

#[test]
fn what_is_set_is_written_as_python_writes_it() {
    for (value, json) in [
        (json!("é😀\u{7f}/\u{1f}"), r#""\u00e9\ud83d\ude00\u007f/\u001f""#),
        (json!({"b": 1, "a": {"é": 2, "B": 3, "a": 4}}), r#"{"a":{"B":3,"a":4,"\u00e9":2},"b":1}"#),
        (
            json!([1.0, 0.1, 1e16, 1e-5, 1e-4, 1.2345678901234568e17, -1.5e300, 5e-324, 1e15, 0.0, -0.0, 1e22]),
            "[1.0,0.1,1e+16,1e-05,0.0001,1.2345678901234568e+17,-1.5e+300,5e-324,1000000000000000.0,0.0,-0.0,1e+22]",
        ),
        (json!([u64::MAX, i64::MIN]), "[18446744073709551615,-9223372036854775808]"),
        (json!({" t": [1]}), r#"{" di":{" t__":[1]}}"#),
        (json!([{" di": {" b": null}}]), r#"[{" di":{" di__":{" di":{" b__":null}}}}]"#),
        (json!({" t": 1, " b": 2}), r#"{" b":2," t":1}"#),
    ] {
        let mut data = SessionData::new();
        data.set("k", &value).unwrap();
        assert_eq!(data.to_tagged_json(), format!("{{\"k\":{json}}}"));
        assert_eq!(data.get::<Value>("k"), Some(value));
    }

    let mut data = SessionData::new();
    data.set(" u", 1).unwrap();
    assert_eq!(data.to_tagged_json(), r#"{" di":{" u__":1}}"#);
    let back = SessionData::from_tagged_json(&data.to_tagged_json()).unwrap();
    assert_eq!(back.get::<i32>(" u"), Some(1));
    data.set("b", 1).unwrap();
    assert_eq!(data.to_tagged_json(), r#"{" u":1,"b":1}"#);
}

#[test]
fn pythons_types_become_rusts() {
    let id = "12345678-1234-5678-1234-567812345678";
    let mut data = SessionData::new();
    data.set_tagged("t", Tagged::Tuple(vec![1.into(), "x".into(), json!({" t": 2})]));
    data.set_tagged("b", Tagged::Bytes(vec![0, 255]));
    data.set_tagged("m", Tagged::Markup("<b>&</b>".into()));
    data.set_tagged("u", Tagged::Uuid(id.parse().unwrap()));
    data.set_tagged("d", Tagged::DateTime(at(1_704_164_645)));
    let json = concat!(
        r#"{"b":{" b":"AP8="},"d":{" d":"Tue, 02 Jan 2024 03:04:05 GMT"},"m":{" m":"<b>&</b>"},"#,
        r#""t":{" t":[1,"x",{" di":{" t__":2}}]},"u":{" u":"12345678123456781234567812345678"}}"#
    );
    assert_eq!(data.to_tagged_json(), json);
    let data = SessionData::from_tagged_json(json).unwrap();
    assert_eq!(data.get::<(i32, String, Value)>("t"), Some((1, "x".into(), json!({" t": 2}))));
    assert_eq!(data.get::<Vec<u8>>("b"), Some(vec![0, 255]));
    assert_eq!(data.get::<String>("m").as_deref(), Some("<b>&</b>"));
    assert_eq!(data.get::<String>("u"), Some(id.replace('-', "")));
    assert_eq!(data.get::<String>("d").as_deref(), Some("Tue, 02 Jan 2024 03:04:05 GMT"));
    assert_eq!(data.get::<i32>("d"), None);
}

#[test]
fn only_what_was_signed_is_read() {
    let fine = FLASKS[0].1;
    let (signed, signature) = fine.rsplit_once('.').unwrap();
    for (cookie, why) in [
        ("", BadSession::Signature),
        (".", BadSession::Signature),
        ("..", BadSession::Signature),
        ("e30", BadSession::Signature),
        (signed, BadSession::Signature),
        (&fine[1..], BadSession::Signature),
        (&fine[..fine.len() - 1], BadSession::Signature),
        (&format!("{signed}."), BadSession::Signature),
        (&format!("{signed}.{signature}A"), BadSession::Signature),
        (&format!("{signed}.{signature}.{signature}"), BadSession::Signature),
        (&fine.replace("ZVPxAA", "ZVPxAB"), BadSession::Signature),
        (&fine.replacen("eyJ1", "eyJ2", 1), BadSession::Signature),
        (&fine.to_lowercase(), BadSession::Signature),
        ("ö.ö.ö", BadSession::Signature),
        // Signed with another key.
        ("eyJhIjoxfQ.ZVPxAA.EtvVbkLWruyuwgadx7VEldomVE0", BadSession::Signature),
        // Signed with the key, but no sessions.
        (".ZVPxAA.E3HszTh7mG9EKWlEnxf8xL_1c3w", BadSession::Malformed),
        ("...ZVPxAA.KY2pGtBfgA9RV7oLKW8caMURS-w", BadSession::Malformed),
        ("WzFd.ZVPxAA.csSsW5vt6Eis7xGAbjR9s5WYArQ", BadSession::Malformed),
        ("bm90IGpzb24.ZVPxAA.BZ_QwDeMSyPH87spq7LM3BKm79g", BadSession::Malformed),
        (".bm90IHpsaWI.ZVPxAA.qU-yR2WKC9UNXx6U3wM9jqH1zKY", BadSession::Malformed),
        ("*.ZVPxAA.XAZDJqcE_bPjnUS6BxBdxwqgFr4", BadSession::Malformed),
        ("eyIgdCI6WzFdfQ.ZVPxAA.I_aLCPI2l_Ad9JdqKk0cVoDSc-E", BadSession::Malformed),
    ] {
        assert_eq!(read(cookie).unwrap_err(), why, "{cookie}");
    }
    assert!(read(&format!("{fine}=")).is_ok(), "padding is tolerated, as Python does");
}

#[test]
fn a_bomb_is_not_unpacked() {
    // 1 MiB of JSON may be, a byte more may not.
    let filler = |n: usize| "A".repeat(n);
    let fine =
        format!(".eNrtwUENADAIBDAvJwM3c0FC8D4PvNtOXioN{}HCU_bzybtw.ZVPxAA.Wzwekjpqsb6R_rwYbDKoCcTWW7U", filler(1353));
    let bomb =
        format!(".eNrtwUENADAIBDAvJwM3c0FC8D4PvNtOXioN{}HCV_Symb1Q.ZVPxAA.0GX4dSd-VAqC7OvtGU8uo8LLVEg", filler(1353));
    let fine = read(&fine).unwrap().get::<String>("a").unwrap();
    assert_eq!(fine.len(), (1 << 20) - 8);
    assert_eq!(read(&bomb).unwrap_err(), BadSession::TooLarge);
}

#[test]
fn a_session_has_its_time() {
    let serializer = SessionSerializer::new("dev");
    let cookie = FLASKS[0].1;
    for (age, now, fine) in [
        (60, 1_700_000_000, true),
        (60, 1_700_000_060, true),
        (60, 1_700_000_061, false),
        (0, 1_700_000_000, true),
        (60, 1_699_999_999, false),
        (60, 0, false),
        (u64::MAX, 9_000_000_000, true),
    ] {
        let read = serializer.loads(cookie, Duration::from_secs(age), at(now));
        assert_eq!(read.is_ok(), fine, "{age} {now}");
        assert!(fine || read.unwrap_err() == BadSession::Expired);
    }
    let old = serializer.dumps(&SessionData::new(), UNIX_EPOCH);
    assert!(old.starts_with("e30.."), "a timestamp of 0 has no bytes: {old}");
    assert!(serializer.loads(&old, DAY, at(5)).is_ok());
}

#[test]
fn keys_of_before_are_read_but_not_used() {
    let serializer = SessionSerializer::new("new").with_fallbacks(["oldest", "old"]);
    for cookie in [
        "eyJhIjoxfQ.ZVPxAA.MURRRJpDg3aWu7ejt2QVczD6Tmg",
        "eyJhIjoxfQ.ZVPxAA.AyLvnx8ZSVH5AZ1qMRpmlR3I6wc",
        "eyJhIjoxfQ.ZVPxAA.Xhzv6UnVU0hNEvkd8ldUKVj6yiE",
    ] {
        let data = serializer.loads(cookie, DAY, then()).unwrap();
        assert_eq!(data.get::<i32>("a"), Some(1));
        assert_eq!(serializer.dumps(&data, then()), "eyJhIjoxfQ.ZVPxAA.MURRRJpDg3aWu7ejt2QVczD6Tmg");
    }
    let other = "eyJhIjoxfQ.ZVPxAA.EtvVbkLWruyuwgadx7VEldomVE0";
    assert_eq!(serializer.loads(other, DAY, then()).unwrap_err(), BadSession::Signature);

    let mut app = app();
    app.config_mut().set("SECRET_KEY_FALLBACKS", json!(["", "old"]));
    let client = app.test_client();
    for (key, fine) in [("dev", true), ("old", true), ("", false), ("other", false)] {
        client.set_cookie("session", &signed(key, &[("n", 7.into())]));
        let response = client.get("/get/n");
        assert_eq!(response.text() == "7", fine, "{key}");
        assert_eq!(response.header("set-cookie"), None);
    }
}

/// A cookie signed now.
fn signed(key: &str, values: &[(&str, Value)]) -> String {
    let mut data = SessionData::new();
    for (name, value) in values {
        data.set(*name, value).unwrap();
    }
    SessionSerializer::new(key).dumps(&data, SystemTime::now())
}

/// An app that does with its session what its paths say.
fn app() -> App {
    let mut app = App::new("sessions");
    app.config_mut().set("SECRET_KEY", "dev");
    app.get("/nothing", || "").endpoint("nothing");
    app.get("/argument", |_: Session| "").endpoint("argument");
    app.get("/get/<key>", |key: String| session().get::<Value>(&key).map(|v| v.to_string()).unwrap_or_default())
        .endpoint("get");
    app.get("/set/<key>/<int:n>", |key: String, n: i64| session().set(key, n)).endpoint("set");
    app.get("/remove/<key>", |key: String| session().remove(&key).to_string()).endpoint("remove");
    app.get("/pop/<key>", |key: String| format!("{:?}", session().pop::<i64>(&key))).endpoint("pop");
    app.get("/contains/<key>", |key: String| session().contains(&key).to_string()).endpoint("contains");
    app.get("/keys", || session().keys().join(" ")).endpoint("keys");
    app.get("/clear", || session().clear()).endpoint("clear");
    app.get("/permanent/<int:yes>", |yes: i64| session().set_permanent(yes != 0)).endpoint("permanent");
    app.get("/modified/<int:yes>", |yes: i64| session().set_modified(yes != 0)).endpoint("modified");
    app
}

fn config(key: &str, value: impl Into<Value>) -> TestClient {
    let mut app = app();
    app.config_mut().set(key, value);
    app.test_client()
}

#[test]
fn values_come_back() {
    let client = app().test_client();
    assert_eq!(client.get("/keys").text(), "");
    client.get("/set/b/2");
    client.get("/set/a/1");
    assert_eq!(client.get("/keys").text(), "a b");
    assert_eq!(client.get("/get/a").text(), "1");
    assert_eq!(client.get("/contains/c").text(), "false");
    assert_eq!(client.get("/pop/a").text(), "Some(1)");
    assert_eq!(client.get("/pop/a").text(), "None");
    assert_eq!(client.get("/remove/b").text(), "true");
    assert_eq!(client.cookie("session"), None);
    assert_eq!(client.get("/remove/b").text(), "false");
}

#[test]
fn a_tagged_value_that_nobody_asks_for_is_kept() {
    let data = SessionData::from_tagged_json(TAGS).unwrap();
    let client = app().test_client();
    client.set_cookie("session", &SessionSerializer::new("dev").dumps(&data, SystemTime::now()));
    client.get("/set/n/1");
    let cookie = client.cookie("session").unwrap();
    let data = SessionSerializer::new("dev").loads(&cookie, DAY, SystemTime::now()).unwrap();
    assert_eq!(data.to_tagged_json(), TAGS.replace("GMT\"}]}", "GMT\"}],\"n\":1}"));
}

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

/// What follows the value, without the time.
fn attributes(header: &str) -> String {
    let (_, attributes) = header.split_once(';').unwrap_or_default();
    let shown = attributes.split(';').map(|attribute| match attribute.strip_prefix(" Expires=") {
        Some(_) => " Expires=…".to_owned(),
        None => attribute.to_owned(),
    });
    shown.map(|attribute| format!(";{attribute}")).collect()
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
fn without_a_key_it_is_empty_and_cannot_be_written_to() {
    for key in [Value::Null, json!("")] {
        let client = config("SECRET_KEY", key);
        client.set_cookie("session", &signed("", &[("n", 1.into()), ("_permanent", true.into())]));
        for path in ["/get/n", "/keys", "/nothing", "/clear"] {
            let response = client.get(path);
            assert_eq!((response.status(), response.text()), (200, String::new()), "{path}");
            assert_eq!((response.header("set-cookie"), response.header("vary")), (None, None), "{path}");
        }
        let response = client.get("/set/n/1");
        assert_eq!(response.status(), 500);
        let error = response.error().unwrap();
        assert!(error.to_string().contains("no SECRET_KEY to sign it with"), "{error}");
        assert_eq!(error.at().file(), file!());
        assert_eq!(client.get("/permanent/1").status(), 500);
    }
    assert!(panic_message(session).contains("`session()` was asked for outside of a request"));
}

#[test]
fn it_is_saved_after_the_hooks_and_once() {
    let mut app = app();
    app.after_request(|mut response: dewar::Response| {
        session().set("after", 1)?;
        assert_eq!(response.header("vary"), None);
        assert_eq!(response.header("set-cookie"), None);
        response.set_header("vary", "Accept-Encoding");
        Ok::<_, dewar::Error>(response)
    });
    app.before_request(|| session().set("before", 1));
    app.get("/fail", || -> Result<()> { Err(dewar::Error::msg("as it should")) }).endpoint("fail");
    app.teardown_request(|_: Option<&dewar::Error>| {
        session().set("teardown", 1).unwrap();
    });
    let client = app.test_client();
    for (path, status) in [("/set/n/1", 200), ("/nowhere", 404), ("/fail", 500)] {
        client.delete_cookie("session");
        let response = client.get(path);
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 1, "{path}");
        assert_eq!(response.header("vary"), Some("Accept-Encoding, Cookie"), "{path}");
        assert_eq!(client.get("/keys").text(), if status == 200 { "after before n" } else { "after before" });
    }
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

#[test]
fn messages_are_flashed() {
    let mut app = app();
    app.get("/flash", || {
        flash("one")?;
        flash_with("<two>", "error")?;
        flash("three")
    })
    .endpoint("flash");
    app.get("/show", || {
        let (first, again) = (get_flashed_messages(), get_flashed_messages());
        assert_eq!(first, again);
        let text = |f: &Flashed| format!("{}:{f}:{}", f.category, f.markup);
        first.iter().map(text).collect::<Vec<_>>().join(" ")
    })
    .endpoint("show");
    app.get("/both", || {
        flash("before").unwrap();
        let shown = get_flashed_messages().len();
        flash("after").unwrap();
        format!("{shown} {}", get_flashed_messages().len())
    })
    .endpoint("both");
    let client = app.test_client();
    client.get("/flash");
    assert_eq!(client.get("/get/_flashes").text(), r#"[["message","one"],["error","<two>"],["message","three"]]"#);
    let cookie = client.cookie("session").unwrap();
    let data = SessionSerializer::new("dev").loads(&cookie, DAY, SystemTime::now()).unwrap();
    assert_eq!(
        data.to_tagged_json(),
        r#"{"_flashes":[{" t":["message","one"]},{" t":["error","<two>"]},{" t":["message","three"]}]}"#
    );
    assert_eq!(client.get("/show").text(), "message:one:false error:<two>:false message:three:false");
    assert_eq!(client.cookie("session"), None);
    let response = client.get("/show");
    assert_eq!((response.text().as_str(), response.header("set-cookie")), ("", None));
    assert_eq!(client.get("/both").text(), "1 1");
    assert_eq!(client.get("/show").text(), "message:after:false");

    // As other things than Flask itself may have left them.
    let odd = r#"{"_flashes":[["info","list"],{" t":["x",{" m":"<b>"}]},{" t":["n",7]},{" t":["short"]},3]}"#;
    let data = SessionData::from_tagged_json(odd).unwrap();
    client.set_cookie("session", &SessionSerializer::new("dev").dumps(&data, SystemTime::now()));
    assert_eq!(client.get("/show").text(), "info:list:false x:<b>:true n:7:false");
}

#[cfg(feature = "templates")]
#[test]
fn templates_see_it() {
    use dewar::{context, render_template_string};

    let json = concat!(
        r#"{"_flashes":[{" t":["message","<1>"]},{" t":["error",{" m":"<2>"}]},{" t":["info","3"]}],"#,
        r#""html":{" m":"<b>"},"n":[1,{" t":[2]}],"user":"<ada>"}"#
    );
    for (template, wanted) in [
        ("{{ session.user }} {{ session['html'] }} {{ session.n }}", "&lt;ada&gt; <b> [1, [2]]"),
        ("{{ session.nobody }}|{{ session.get('user') }}|{{ session.get('x', 'y') }}", "|&lt;ada&gt;|y"),
        ("{{ 'user' in session }} {{ 'x' in session }} {{ session|length }}", "True False 4"),
        ("{% for key in session %}{{ key }} {% endfor %}", "_flashes html n user "),
        ("{% for k, v in session.items() %}{{ k }}{% endfor %}", "_flasheshtmlnuser"),
        ("{{ get_flashed_messages()|join(' ') }}", "&lt;1&gt; <2> 3"),
        ("{% for m in get_flashed_messages() %}{{ m }}{% endfor %}", "&lt;1&gt;<2>3"),
        ("{{ get_flashed_messages()|length }}{{ get_flashed_messages()|length }}", "33"),
        (
            "{% for c, m in get_flashed_messages(with_categories=true) %}{{ c }}={{ m }};{% endfor %}",
            "message=&lt;1&gt;;error=<2>;info=3;",
        ),
        ("{% for c, m in get_flashed_messages(true) %}{{ c }} {% endfor %}", "message error info "),
        ("{% for m in get_flashed_messages(category_filter=['error', 'info']) %}{{ m }}{% endfor %}", "<2>3"),
        ("{% for c, m in get_flashed_messages(true, ['error']) %}{{ c }}{{ m }}{% endfor %}", "error<2>"),
    ] {
        let mut app = App::new("templates");
        app.config_mut().set("SECRET_KEY", "dev");
        app.get("/", move || render_template_string(template, context! {})).endpoint("index");
        let client = app.test_client();
        let data = SessionData::from_tagged_json(json).unwrap();
        client.set_cookie("session", &SessionSerializer::new("dev").dumps(&data, SystemTime::now()));
        let response = client.get("/");
        assert_eq!(response.text(), wanted, "{template}: {:?}", response.error());
        assert_eq!(response.header("vary"), Some("Cookie"), "{template}");
        assert_eq!(response.header("set-cookie").is_some(), template.contains("flashed"), "{template}");
    }
}

#[test]
fn many_threads_share_one_request_and_many_requests_one_cookie() {
    let mut app = app();
    app.get("/crowd", || {
        let session = session();
        std::thread::scope(|scope| {
            for n in 0..8 {
                let session = session.clone();
                scope.spawn(move || {
                    for i in 0..50 {
                        session.set(format!("k{n}"), i).unwrap();
                        session.flash("x", "y").unwrap();
                        assert_eq!(session.get::<i32>(&format!("k{n}")), Some(i));
                    }
                });
            }
        });
        format!("{} {}", session.keys().len(), session.flashed_messages().len())
    })
    .endpoint("crowd");
    let client = app.test_client();
    assert_eq!(client.get("/crowd").text(), "9 400");

    client.delete_cookie("session");
    client.get("/set/n/1");
    let cookie = format!("session={}", client.cookie("session").unwrap());
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (client, cookie) = (&client, &cookie);
            scope.spawn(move || {
                let response = client.request("GET", &format!("/set/m/{n}")).header("cookie", cookie).send();
                assert!(response.header("set-cookie").is_some());
            });
        }
    });
    // The last one wins, whole.
    assert_eq!(client.get("/keys").text(), "m n");
}

#[test]
fn it_is_there_in_async_fragments_and_for_the_test() {
    let mut app = app();
    app.get("/async", async || {
        dewar::bridge::sleep(Duration::from_millis(1)).await;
        session().set("n", 3)
    })
    .endpoint("async");
    let response = app.test_client().get("/async");
    let session = Session::of(response.context().unwrap());
    assert_eq!((session.get::<i32>("n"), session.is_modified(), session.permanent()), (Some(3), true, false));
    assert_eq!(format!("{session:?}"), r#"Session(["n"])"#);
}

#[test]
fn a_session_follows_an_async_view_into_its_tasks() {
    let mut app = App::new("dewar_it");
    app.config_mut().set("SECRET_KEY", "dev");
    app.get("/write", async || {
        let local = bridge::spawn(async { session().set("local", 1) });
        let shared = bridge::spawn_shared(async { session().set("shared", 2) });
        let elsewhere = bridge::unblock(|| session().set("elsewhere", 3));
        for task in [local, shared, elsewhere] {
            task.await.unwrap().unwrap();
        }
    })
    .endpoint("write");
    app.get("/read", || {
        ["local", "shared", "elsewhere"].map(|key| session().get::<u8>(key).unwrap().to_string()).join(" ")
    })
    .endpoint("read");
    let client = app.test_client();
    assert_eq!(client.get("/write").status(), 200);
    assert_eq!(client.get("/read").text(), "1 2 3");
}
