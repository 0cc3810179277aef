use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use dewar::{App, JsonProvider, Markup, Response, Result, abort, current_app, json, jsonify};

#[derive(serde::Serialize)]
#[serde(transparent)]
struct At(#[serde(with = "dewar::http_date")] SystemTime);

#[derive(serde::Serialize)]
struct Point {
    y: i64,
    x: Vec<i64>,
}

#[derive(serde::Serialize)]
struct Nested {
    at: At,
    ids: Vec<&'static str>,
}

/// Of the second of January, 2024.
fn at(seconds: u64) -> At {
    At(SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_153_600 + seconds))
}

fn value(name: String) -> Result<Response> {
    match name.as_str() {
        "datetime" => jsonify(at(11_045)),
        "aware" => jsonify(at(11_045 - 7200)),
        "date" => jsonify(at(0)),
        "uuid" => jsonify("12345678-1234-5678-1234-567812345678"),
        "decimal" => jsonify("1.50"),
        "dataclass" => jsonify(Point { y: 1, x: vec![2] }),
        "markup" => jsonify(Markup("<b>".into())),
        "int_keys" => jsonify(BTreeMap::from([(2, "b"), (1, "a")])),
        "nested" => jsonify(Nested { at: at(11_045), ids: vec!["00000000-0000-0000-0000-000000000000"] }),
        _ => abort!(500),
    }
}

pub(crate) fn app() -> App {
    let mut app = crate::app("json_types");
    app.json(JsonProvider::default());
    app.get("/value/<name>", value);
    app.get("/args", || jsonify((1, "two", ())));
    app.get("/kwargs", || jsonify(json!({ "b": 1, "a": 2 })));
    app.get("/nothing", || jsonify(()));
    app.get("/dumps", || -> Result<String> {
        let app = current_app();
        app.json().expect("it has one").dumps(json!({ "b": [1, 2], "a": "\u{e9}" }))
    });
    app
}
