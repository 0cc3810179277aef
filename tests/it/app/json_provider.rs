//! JSON as Flask prints it. The tables were made by Flask 3.1's `jsonify` and `app.json.dumps`.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use dewar::{App, Json, JsonProvider, Response, Result, json, jsonify};
use serde::Serialize;

use crate::support::{Random, client, mistakes};

/// What `jsonify` answers, compact and in debug mode, and what `dumps` gives.
fn printed(value: impl Serialize) -> (String, String, String) {
    let text = |response: Result<Response>| response.unwrap().get_data_as_text().unwrap();
    let compact = JsonProvider::default();
    let indented = JsonProvider { compact: Some(false), ..JsonProvider::default() };
    (text(compact.response(&value)), text(indented.response(&value)), compact.dumps(&value).unwrap())
}

#[test]
fn numbers() {
    for (number, text) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (123.456, "123.456"),
        (1e15, "1000000000000000.0"),
        (9007199254740993.0, "9007199254740992.0"),
        (1e16, "1e+16"),
        (123456789012345680.0, "1.2345678901234568e+17"),
        (1e-4, "0.0001"),
        (1.25e-3, "0.00125"),
        (1e-5, "1e-05"),
        (1.5e-7, "1.5e-07"),
        (-1e22, "-1e+22"),
        (1e100, "1e+100"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        assert_eq!(printed(number), (format!("{text}\n"), format!("{text}\n"), text.to_owned()));
    }
    assert_eq!(printed(0.1_f32).2, "0.1");
    assert_eq!(printed((u64::MAX, i64::MIN)).2, "[18446744073709551615, -9223372036854775808]");
    assert_eq!(printed(u128::MAX).2, "340282366920938463463374607431768211455");
}

#[test]
fn texts() {
    let all = "\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}é€😀";
    assert_eq!(printed(all).2, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\\u00e9\\u20ac\\ud83d\\ude00\"");
    let open = JsonProvider { ensure_ascii: false, ..JsonProvider::default() };
    assert_eq!(open.dumps(all).unwrap(), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}é€😀\"");
}

#[test]
fn lists_and_maps() {
    let value = json!({ "b": 1, "a": { "z": [1, 2, { "k": null }], "A": 2 }, "é": 1, "😀": 1, "\u{ffff}": 2 });
    let (compact, indented, dumped) = printed(value);
    assert_eq!(
        compact,
        "{\"a\":{\"A\":2,\"z\":[1,2,{\"k\":null}]},\"b\":1,\"\\u00e9\":1,\"\\uffff\":2,\"\\ud83d\\ude00\":1}\n"
    );
    assert_eq!(
        indented,
        "{\n  \"a\": {\n    \"A\": 2,\n    \"z\": [\n      1,\n      2,\n      {\n        \"k\": null\n      }\n    ]\n  },\n  \
         \"b\": 1,\n  \"\\u00e9\": 1,\n  \"\\uffff\": 2,\n  \"\\ud83d\\ude00\": 1\n}\n"
    );
    assert_eq!(
        dumped,
        "{\"a\": {\"A\": 2, \"z\": [1, 2, {\"k\": null}]}, \"b\": 1, \"\\u00e9\": 1, \"\\uffff\": 2, \"\\ud83d\\ude00\": 1}"
    );
    assert_eq!(printed(json!([])), ("[]\n".into(), "[]\n".into(), "[]".into()));
    assert_eq!(printed(json!({})), ("{}\n".into(), "{}\n".into(), "{}".into()));
    assert_eq!(printed(json!([[], {}])).1, "[\n  [],\n  {}\n]\n");
    assert_eq!(printed((1, (2, (3,)))).1, "[\n  1,\n  [\n    2,\n    [\n      3\n    ]\n  ]\n]\n");
    assert_eq!(printed(()).2, "null");

    // Keys that are numbers are sorted as such.
    assert_eq!(printed(HashMap::from([(10, 1), (9, 2), (-1, 0)])).2, r#"{"-1": 0, "9": 2, "10": 1}"#);
    assert_eq!(printed(BTreeMap::from([(true, 1), (false, 2)])).2, r#"{"false": 2, "true": 1}"#);
    assert!(JsonProvider::default().dumps(BTreeMap::from([(vec![1], 1)])).is_err());
}

#[derive(Serialize)]
struct Post {
    title: &'static str,
    #[serde(with = "dewar::http_date")]
    created: SystemTime,
    #[serde(with = "dewar::http_date::option")]
    edited: Option<SystemTime>,
    kind: Kind,
    raw: Box<serde_json::value::RawValue>,
}

#[derive(Serialize)]
enum Kind {
    Plain,
    Named(u8),
    Pair(u8, u8),
    Fields { b: u8, a: u8 },
}

#[test]
fn types() {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
    let post = |kind| Post {
        title: "x",
        created: at,
        edited: None,
        kind,
        raw: raw("{\"n\" : [1e2, 12345678901234567890123]}"),
    };
    for (kind, text) in [
        (Kind::Plain, "\"Plain\""),
        (Kind::Named(1), "{\"Named\": 1}"),
        (Kind::Pair(1, 2), "{\"Pair\": [1, 2]}"),
        (Kind::Fields { b: 1, a: 2 }, "{\"Fields\": {\"a\": 2, \"b\": 1}}"),
    ] {
        assert_eq!(
            printed(post(kind)).2,
            format!(
                "{{\"created\": \"Sun, 06 Nov 1994 08:49:37 GMT\", \"edited\": null, \"kind\": {text}, \"raw\": \
                 {{\"n\": [100.0, 12345678901234567890123]}}, \"title\": \"x\"}}"
            )
        );
    }
    // What would be too deep to print is refused.
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert!(JsonProvider::default().dumps(raw(&deep)).unwrap_err().to_string().contains("1000 deep"));
}

#[test]
fn what_an_app_answers() {
    let make = |setup: fn(&mut App)| {
        let mut app = App::new("demo");
        setup(&mut app);
        app.get("/jsonify", || jsonify(json!({ "b": "é", "a": 1e16 })));
        app.get("/nan", || jsonify([f64::NAN]));
        app.get("/json", || Json(BTreeMap::from([("b", "é"), ("a", "\u{1}")])));
        app.get("/value", || (json!({ "b": 1.5, "a": [] }), 201, [("x-a", "b")]));
        app.get("/map", || HashMap::from([("b", 1), ("a", 2)]));
        app.get("/problem", || (json!({ "a": 1 }), [("content-type", "application/problem+json")]));
        app.get("/mine", || (r#"{"b":1,"a":2}"#, [("content-type", "application/json")]));
        app.get("/changed", || -> Result<Response> {
            let mut response = jsonify(json!({ "b": 1, "a": 2 }))?;
            let text = response.get_data_as_text()? + "!";
            response.set_body(text);
            Ok(response)
        });
        app.before_request(|| (dewar::request().path() == "/before").then(|| Json(json!({ "b": 1, "a": 2 }))));
        app.errorhandler(404, |_| (json!({ "b": 1, "a": "é" }), 404));
        app.after_request(|response: Response| {
            let length = response.content_length().unwrap_or(0).to_string();
            response.with_header("x-length", &length)
        });
        client(app)
    };
    let flask = make(|app| _ = app.config_mut().set("FLASK_JSON", true));
    for (path, text) in [
        ("/jsonify", "{\"a\":1e+16,\"b\":\"\\u00e9\"}\n"),
        ("/nan", "[NaN]\n"),
        ("/json", "{\"a\":\"\\u0001\",\"b\":\"\\u00e9\"}\n"),
        ("/value", "{\"a\":[],\"b\":1.5}\n"),
        ("/map", "{\"a\":2,\"b\":1}\n"),
        ("/problem", "{\"a\":1}\n"),
        ("/mine", "{\"b\":1,\"a\":2}"),
        ("/changed", "{\"a\":2,\"b\":1}\n!"),
        ("/before", "{\"a\":2,\"b\":1}\n"),
        ("/nowhere", "{\"a\":\"\\u00e9\",\"b\":1}\n"),
    ] {
        let response = flask.get(path);
        assert_eq!(response.text(), text, "{path}");
        // Hooks see what is sent.
        assert_eq!(response.header("x-length"), Some(&*text.len().to_string()), "{path}");
        let content_type = if path == "/problem" { "application/problem+json" } else { "application/json" };
        assert_eq!(response.header("content-type"), Some(content_type), "{path}");
    }
    assert_eq!((flask.get("/value").status(), flask.get("/value").header("x-a")), (201, Some("b")));

    // Without a provider it is serde_json's.
    let plain = make(|_| {});
    assert_eq!(plain.get("/json").text(), r#"{"a":"\u0001","b":"é"}"#);
    assert_eq!(plain.get("/nan").text(), "[null]");
    assert_eq!(plain.get("/value").text(), r#"{"a":[],"b":1.5}"#);

    let debug = make(|app| _ = app.config_mut().set("FLASK_JSON", true).set("DEBUG", true));
    assert_eq!(debug.get("/map").text(), "{\n  \"a\": 2,\n  \"b\": 1\n}\n");
    let own = make(|app| {
        app.json(JsonProvider {
            ensure_ascii: false,
            compact: Some(true),
            mimetype: "application/vnd.x+json".into(),
            ..JsonProvider::default()
        });
        app.config_mut().set("DEBUG", true);
    });
    for path in ["/jsonify", "/json"] {
        assert_eq!(own.get(path).header("content-type"), Some("application/vnd.x+json"), "{path}");
    }
    assert_eq!(own.get("/jsonify").text(), "{\"a\":1e+16,\"b\":\"é\"}\n");
    assert_eq!(own.get("/problem").header("content-type"), Some("application/problem+json"));
}

#[test]
fn a_type_that_is_none_is_a_mistake() {
    let mut app = App::new("demo");
    app.json(JsonProvider { mimetype: "a\nb".into(), ..JsonProvider::default() });
    let found = mistakes(app);
    assert!(found[0].starts_with(&format!("{}:{}:", file!(), line!() - 2)), "{found:?}");
    assert!(found[0].contains("mimetype"));
}

#[cfg(feature = "templates")]
#[test]
fn in_templates() {
    let make = |flask: bool, template: &'static str| {
        let mut app = App::new("demo");
        app.config_mut().set("FLASK_JSON", flask);
        app.get("/", move || {
            let x = json!({ "b": "<a href='x'>&\"é", "a": [1.0, null] });
            dewar::render_template_string(template, dewar::context! { x })
        });
        app
    };
    let text = |app: App| client(app).get("/").text();
    assert_eq!(
        text(make(true, "{{ x|tojson }}")),
        "{\"a\": [1.0, null], \"b\": \"\\u003ca href=\\u0027x\\u0027\\u003e\\u0026\\\"\\u00e9\"}"
    );
    assert_eq!(text(make(true, "{{ 7|tojson(indent=2) }}{{ [1]|tojson(2) }}")), "7[\n  1\n]");
    assert!(text(make(false, "{{ x|tojson }}")).contains("\\u00e9"), "Flask's way without a provider, too");
    // A filter of one's own comes first.
    let mut app = make(true, "{{ x|tojson }}");
    app.jinja_env().add_filter("tojson", |_: minijinja::Value| "mine");
    assert_eq!(text(app), "mine");
}

/// What is printed is read back as the same value, and printing serde_json's text anew is printing the value.
#[test]
fn round_trips() {
    fn any(random: &mut Random, depth: usize) -> serde_json::Value {
        match random.below(if depth == 0 { 5 } else { 7 }) {
            0 => json!(null),
            1 => json!(random.below(2) == 0),
            2 => json!(random.next() as i64),
            3 => json!(f64::from_bits(random.next())), // null where it is not finite
            4 => json!(random.text(&['a', '"', '\\', '\n', 'é', '😀', '\u{7f}', '/', '\0'], 6)),
            5 => (0..random.below(4)).map(|_| any(random, depth - 1)).collect(),
            _ => {
                let pairs = (0..random.below(4)).map(|_| {
                    let key = random.text(&['a', 'b', 'é', '\u{ffff}', '😀', '"'], 3);
                    (key, any(random, depth - 1))
                });
                serde_json::Value::Object(pairs.collect())
            }
        }
    }
    let mut app = App::new("demo");
    app.config_mut().set("FLASK_JSON", true);
    app.post("/json", |Json(value): Json<serde_json::Value>| Json(value));
    app.post("/jsonify", |Json(value): Json<serde_json::Value>| jsonify(value));
    let client = client(app);
    let mut random = Random(7);
    for _ in 0..500 {
        let value = any(&mut random, 4);
        let (once, again) = (client.post("/jsonify").json(&value).send(), client.post("/json").json(&value).send());
        assert_eq!(once.text(), again.text(), "{value}");
        assert_eq!(once.json::<serde_json::Value>(), value);
        assert!(once.text().is_ascii());
    }
}
