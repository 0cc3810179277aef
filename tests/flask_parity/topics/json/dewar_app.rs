use dewar::serde_json::Value;
use dewar::{App, Json, Request, Response, Result, abort, json, jsonify};

fn value(name: &str) -> Option<Value> {
    Some(match name {
        "object" => json!({ "b": 1, "a": 2, "C": 3 }),
        "nested" => json!({ "z": { "y": [1, { "x": null }], "a": {} }, "list": [] }),
        "text" => json!({ "text": "caf\u{e9} \u{2603} \u{1f600}" }),
        "escapes" => json!({ "text": "\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}\u{2028}" }),
        "html" => json!({ "text": "<script>&'\"</script>" }),
        "numbers" => json!([0, -1, 1.5, 1e3, 123_456_789_012_345_678_i64, 0.1, -0.0, 1e-7]),
        "words" => json!([true, false, null]),
        "array" => json!([1, "two", [3]]),
        "empty_object" => json!({}),
        "empty_array" => json!([]),
        "uuid" => json!({ "id": "12345678-1234-5678-1234-567812345678" }),
        "unicode_key" => json!({ "\u{e9}": 1, "e": 2, "\u{1f600}": 3 }),
        _ => return None,
    })
}

fn dump(name: String) -> Result<Response> {
    match value(&name) {
        Some(value) => jsonify(value),
        None => abort!(500),
    }
}

fn echo(request: Request) -> Result<Json<Value>> {
    Ok(Json(request.json()?))
}

fn silent(request: Request) -> Json<Value> {
    Json(request.json().unwrap_or_default())
}

pub(crate) fn app() -> App {
    let mut app = crate::app("json");
    // The bytes that Flask writes, too.
    app.config_mut().set("FLASK_JSON", true);
    app.get("/dump/<name>", dump);
    app.get("/returned", || Json(json!({ "b": 1, "a": [1, 2] })));
    app.get("/returned-status", || (Json(json!({ "b": 1, "a": [1, 2] })), 201, [("x-more", "yes")]));
    app.get("/null", || Json(()));
    app.get("/text", || Json("text"));
    app.get("/number", || Json(5));
    app.route("/echo", echo).methods(["POST", "PUT", "GET"]);
    app.post("/silent", silent);
    app.post("/is-json", |request: Request| if request.is_json() { "yes" } else { "no" });
    app
}
