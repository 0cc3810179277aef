//! JSON bodies: what is refused, and how the refusal helps.

use dewar::{App, Json, Result, request};
use serde::{Deserialize, Serialize};

use crate::support::client;

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    customer: Customer,
    items: Vec<Item>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Customer {
    name: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Item {
    count: u8,
}

fn app() -> App {
    let mut app = App::new("demo");
    app.post("/order", |Json(order): Json<Order>| Json(order));
    app.post("/any", |Json(value): Json<serde_json::Value>| Json(value));
    app.post("/by-hand", || -> Result<String> {
        let order: Order = request().json()?;
        Ok(order.customer.name)
    });
    app
}

#[test]
fn what_is_right() {
    let client = client(app());
    let order = Order { customer: Customer { name: "Ada é".into() }, items: vec![Item { count: 2 }] };
    let response = client.post("/order").json(&order).send();
    assert_eq!(response.text(), r#"{"customer":{"name":"Ada é"},"items":[{"count":2}]}"#);
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.json::<Order>().items[0].count, 2);
    assert_eq!(client.post("/by-hand").json(&order).send().text(), "Ada é");
}

#[test]
fn content_types() {
    let client = client(app());
    let body = r#"{"customer":{"name":"x"},"items":[]}"#;
    for (content_type, status) in [
        (Some("application/json"), 200),
        (Some("application/json; charset=utf-8"), 200),
        (Some("Application/JSON"), 200),
        (Some("application/vnd.api+json"), 200),
        (Some("text/json"), 415),
        (Some("application/jsonx"), 415),
        (Some("text/plain"), 415),
        (Some("image/svg+json"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (None, 415),
    ] {
        let mut request = client.post("/order").body(body);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let response = request.send();
        assert_eq!(response.status(), status, "{content_type:?}");
        if status == 415 {
            assert!(response.text().contains("Did not attempt to load JSON data because the request Content-Type"));
        }
    }
}

#[test]
fn refusals_say_where() {
    let client = client(app());
    for (body, status, parts) in [
        ("", 400, &["not JSON", "line 1 column 0"][..]),
        ("{", 400, &["line 1 column 1"]),
        ("{\"customer\":\n  oops}", 400, &["line 2 column 3"]),
        (r#"{"customer":{"name":"x"},"items":[]} more"#, 400, &["trailing characters"]),
        // What does not fit is said only of what is JSON.
        ("{\"customer\":1,\n}", 400, &["not JSON", "line 2 column 1"]),
        (r#"{"items":[]}"#, 422, &["missing field `customer`"]),
        (r#"{"customer":{"name":7},"items":[]}"#, 422, &["'customer.name'", "invalid type: integer"]),
        (r#"{"customer":{"name":"x"},"items":[{"count":1},{"count":300}]}"#, 422, &["'items[1].count'", "300"]),
        (r#"{"customer":{"name":"x"},"items":[{"count":"<b>"}]}"#, 422, &["'items[0].count'", "&lt;b&gt;"]),
        ("[1]", 422, &["The JSON does not fit"]),
    ] {
        let response = client.post("/order").header("content-type", "application/json").body(body.to_owned()).send();
        assert_eq!(response.status(), status, "{body}");
        let text = response.text().replace("&#39;", "'");
        for part in parts {
            assert!(text.contains(part), "{body}: {text}");
        }
    }
    let send = |body: Vec<u8>| client.post("/any").header("content-type", "application/json").body(body).send();
    for (body, part) in [(vec![b'['; 10_000], "recursion limit"), (b"\"\xff\"".to_vec(), "not JSON")] {
        let response = send(body);
        assert_eq!(response.status(), 400);
        assert!(response.text().contains(part), "{}", response.text());
    }
    assert_eq!(send(b"[1.5, null]".to_vec()).text(), "[1.5,null]");
}

#[test]
fn too_long() {
    let mut app = app();
    app.config_mut().set("MAX_CONTENT_LENGTH", 10);
    let client = client(app);
    assert_eq!(client.post("/order").json(&"more than ten bytes").send().status(), 413);
}
