//! What is in the cookie, byte for byte.

use std::time::{Duration, UNIX_EPOCH};

use dewar::{BadSession, SessionData, SessionSerializer, Tagged};
use serde_json::{Value, json};

use super::{DAY, TAGS, app, at, read, signed, then};

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
