//! The short examples and the bench server, each driven by the test client as its head says.
#![allow(unreachable_pub, dead_code, reason = "the examples are programs of their own; here they are modules")]

#[path = "../../examples/async_views.rs"]
mod async_views;
#[path = "../../examples/bench/main.rs"]
mod bench;
#[path = "../../examples/blueprints.rs"]
mod blueprints;
#[path = "../../examples/errors.rs"]
mod errors;
#[path = "../../examples/hello.rs"]
mod hello;
#[path = "../../examples/state.rs"]
mod state;

#[test]
fn hello_escapes() {
    let client = hello::app().test_client();
    assert_eq!(client.get("/hello/you").text(), "Hello, you!");
    assert_eq!(client.get("/hello/%3Cb%3E").text(), "Hello, &lt;b&gt;!");
}

#[test]
fn blueprints_nest() {
    let client = blueprints::app().test_client();
    let response = client.request("GET", "/").follow_redirects().send();
    assert_eq!(response.location(), "/blog/");
    assert!(response.text().contains("<a href=\"/blog/0\">Why sync?</a>"), "{response:?}");
    assert_eq!(response.header("x-part"), Some("blog"));
    assert!(client.get("/blog/1").text().contains("href=\"/blog/\""));

    let missing = client.get("/blog/9");
    assert_eq!((missing.status(), missing.text()), (404, "<h1>Not in this blog</h1><p>There is no post 9.".into()));
    assert!(!client.get("/elsewhere").text().contains("Not in this blog"));

    assert_eq!(client.get("/blog/admin/").status(), 401);
    let response = client.request("GET", "/blog/admin/").header("x-user", "ada").send();
    assert_eq!(response.text(), "Welcome, ada: 3 posts.");
}

#[test]
fn errors_are_answered() {
    let client = errors::app().test_client();
    for (path, status, text) in [
        ("/buy/apple", 200, "an apple for you"),
        ("/buy/pear", 409, "there are no pears left"),
        ("/buy/stone", 400, r#"{"code":400,"description":"We do not sell stones."}"#),
        ("/buy/house", 404, "<h1>Nothing here</h1>"),
        ("/double/21", 200, "42"),
        ("/double/x", 400, "That is no number: invalid digit found in string."),
        ("/nowhere", 404, "<h1>Nothing here</h1>"),
    ] {
        let response = client.get(path);
        assert_eq!((response.status(), response.text().as_str()), (status, text), "{path}");
    }
    for (path, why) in [("/unlucky", "the wheel is stuck"), ("/broken", "this handler is broken")] {
        let response = client.get(path);
        assert_eq!(response.status(), 500, "{path}");
        assert!(response.error().unwrap().to_string().contains(why), "{path}");
    }
}

#[test]
fn async_views_are_bridged() {
    let client = async_views::app().test_client();
    assert_eq!(client.get("/one").text(), "BB: 200");
    assert!(client.get("/together").text().starts_with("1500 in "));
    assert_eq!(client.get("/in_time").text(), "too slow");
}

#[test]
fn state_is_shared() {
    let client = state::app().test_client();
    assert_eq!(client.post("/").form([("name", "tea"), ("count", "1")]).send().status(), 201);
    assert_eq!(client.get("/").text(), r#"{"tea":1}"#);
    assert_eq!(client.post("/buy/tea").send().status(), 401);
    assert_eq!(client.post("/buy/tea").header("x-customer", "ada").send().text(), "tea for ada, 0 left");
    assert_eq!(client.post("/buy/tea").header("x-customer", "ada").send().status(), 404);
    assert_eq!(client.post("/").form([("name", "tea"), ("count", "lots")]).send().status(), 422);
}

#[test]
fn the_bench_server_has_its_routes() {
    let client = bench::app().unwrap().test_client();
    assert_eq!(client.get("/").status(), 200);
    assert_eq!(client.get("/plaintext").text(), "Hello, World!");
    assert_eq!(client.get("/json").text(), r#"{"message":"Hello, World!"}"#);
    assert_eq!(client.get("/json").header("content-type"), Some("application/json"));
    assert_eq!(client.get("/hello/peter").text(), "Hello, peter!");
    assert_eq!(client.get("/sleep10").text(), "ok");
    assert_eq!(client.get("/async10").text(), "ok");
    assert_eq!(client.get("/sleep/1").text(), "ok");
    assert_eq!(client.get("/sleep/10001").status(), 400);
    assert_eq!(client.post("/echo").body("abc").send().text(), "abc");
    assert_eq!(client.get("/bytes/100000").bytes().len(), 100_000);
    assert_eq!(client.head("/bytes/9223372036854775807").status(), 200);
    assert_eq!(client.get("/panic").status(), 500);

    let row: serde_json::Value = client.get("/db").json();
    assert!((1..=10_000).contains(&row["id"].as_i64().unwrap()));
    assert!(row["name"].as_str().unwrap().starts_with("name of row "));
}
