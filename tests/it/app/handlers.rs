//! What handlers take and return.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use dewar::{
    App, Body, Cookies, Ctx, Error, Form, Json, Path, Query, Request, Response, Result, State, bridge, redirect,
};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde::Deserialize;
use uuid::Uuid;

use crate::support::{client, logged};

#[test]
fn view_arguments_of_every_type() {
    let mut app = App::new("demo");
    app.get("/string/<x>", |x: String| x);
    app.get("/any/<any(a,b):x>", |x: String| x);
    app.get("/path/<path:x>", |x: String| x);
    app.get("/buf/<path:x>", |x: PathBuf| x.display().to_string());
    app.get("/uuid/<uuid:x>", |x: Uuid| x.to_string());
    app.get("/f64/<float:x>", |x: f64| x.to_string());
    app.get("/f32/<float:x>", |x: f32| x.to_string());
    app.get("/i8/<int(signed=True):x>", |x: i8| x.to_string());
    app.get("/u8/<int(signed=True):x>", |x: u8| x.to_string());
    app.get("/i64/<int(signed=True):x>", |x: i64| x.to_string());
    app.get("/u64/<int(signed=True):x>", |x: u64| x.to_string());
    app.get("/u128/<int:x>", |x: u128| x.to_string());
    app.get("/usize/<int:x>", |x: usize| x.to_string());
    let client = client(app);
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    for (path, text) in [
        ("/string/a%20%C3%A9", "a é"),
        ("/any/b", "b"),
        ("/path/a/b", "a/b"),
        ("/buf/a/b", "a/b"),
        (&*format!("/uuid/{}", id.to_uppercase()), id),
        ("/f64/1.50", "1.5"),
        ("/f32/0.25", "0.25"),
        ("/i8/-128", "-128"),
        ("/u8/255", "255"),
        ("/i64/-9223372036854775808", "-9223372036854775808"),
        ("/u64/9223372036854775807", "9223372036854775807"),
        ("/u128/7", "7"),
        ("/usize/007", "7"),
    ] {
        assert_eq!(client.get(path).text(), text, "{path}");
    }
    // What does not fit names nothing.
    for path in ["/any/c", "/uuid/x", "/f64/1", "/i8/128", "/i8/-129", "/u8/256", "/u8/-1", "/u64/-1"] {
        assert_eq!(client.get(path).status(), 404, "{path}");
    }
    assert_eq!(client.get("/i64/9223372036854775808").status(), 404);
    assert_eq!(client.get("/u128/99999999999999999999999999999").status(), 404);
}

#[derive(Deserialize)]
struct Named {
    b: u8,
    a: String,
}

#[derive(Deserialize)]
struct Tags {
    tag: Vec<String>,
}

struct Shop(&'static str);

#[test]
fn extractors_mixed_with_view_arguments() {
    #[allow(clippy::too_many_arguments, reason = "as many as there may be")]
    fn eight(
        method: Method,
        a: String,
        Query(tags): Query<Tags>,
        headers: HeaderMap,
        b: u8,
        shop: State<Shop>,
        cookies: Cookies,
        body: Bytes,
    ) -> String {
        let host = headers["host"].to_str().unwrap();
        format!("{method} {a} {:?} {host} {b} {} {:?} {}", tags.tag, shop.0, cookies.get("c"), body.len())
    }
    fn more(uri: Uri, ctx: Arc<Ctx>, request: Request, _: String, _: u8) -> String {
        format!("{uri} {:?} {}", ctx.endpoint(), request.path())
    }
    dewar::check_handler!(eight);
    dewar::check_handler!(more);
    let mut app = App::new("demo");
    app.state(Shop("shop"));
    app.post("/<a>/<int:b>", eight);
    app.put("/<a>/<int:b>", more);
    let client = client(app);
    client.set_cookie("c", "v");
    let response = client.post("/x/7?tag=p&tag=q").body("12345").send();
    assert_eq!(response.text(), r#"POST x ["p", "q"] localhost 7 shop Some("v") 5"#);
    assert_eq!(client.put("/x/7?tag=p").send().text(), r#"/x/7?tag=p Some("more") /x/7"#);
}

#[test]
fn arguments_all_together() {
    let mut app = App::new("demo");
    app.get("/named/<a>/<int:b>", |Path(n): Path<Named>| format!("{} {}", n.a, n.b));
    app.get("/tuple/<a>/<int:b>", |Path((a, b)): Path<(String, u8)>| format!("{a} {b}"));
    app.get("/single/<int:b>", |Path(b): Path<u8>| b.to_string());
    app.get("/map/<a>/<b>", |Path(m): Path<std::collections::BTreeMap<String, String>>| format!("{m:?}"));
    app.get("/option/<int:b>", |b: Option<Path<u8>>| format!("{b:?}"));
    app.get("/uuid/<uuid:x>", |Path(x): Path<String>| x);
    let client = client(app);
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    for (path, text) in [
        ("/named/x/7", "x 7"),
        ("/tuple/x/7", "x 7"),
        ("/single/7", "7"),
        ("/map/x/y", r#"{"a": "x", "b": "y"}"#),
        ("/option/7", "Some(Path(7))"),
        ("/option/700", "None"),
        (&format!("/uuid/{id}"), id),
    ] {
        assert_eq!(client.get(path).text(), text, "{path}");
    }
    for path in ["/named/x/700", "/tuple/x/700", "/single/700"] {
        assert_eq!(client.get(path).status(), 404, "{path}");
    }
}

#[test]
fn a_path_that_can_never_fit_is_the_programs_fault() {
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only their names matter")]
    struct Wrong {
        nobody: u8,
    }
    let mut app = App::new("demo");
    app.get("/a/<int:b>", |_: Path<Wrong>| "never");
    app.get("/b/<int:b>", |_: Path<(u8, u8)>| "never");
    app.get("/c/<int:b>/<int:c>", |_: Path<(u8,)>| "never");
    app.get("/d/<b>", |_: Path<u8>| "never");
    app.get("/e/<int:b>/<int:c>", |_: Path<u8>| "never");
    let client = client(app);
    for (path, text) in [
        ("/a/1", "missing field `nobody`"),
        ("/b/1", "invalid length 1"),
        ("/c/1/2", "2 view arguments"),
        ("/d/1", "invalid type: string"),
        ("/e/1/2", "2 view arguments"),
    ] {
        let (response, records) = logged(|| client.get(path));
        assert_eq!(response.status(), 500, "{path}");
        assert!(records[0].contains(text), "{records:?}");
    }
}

#[test]
fn optional_and_fallible_arguments() {
    fn both(a: Option<u8>, query: Result<Query<Tags>>, b: u8) -> String {
        format!("{a:?} {} {b}", query.map_or_else(|error| error.status().to_string(), |Query(t)| t.tag.join("+")))
    }
    let mut app = App::new("demo");
    app.get("/<int:a>/<int:b>", both);
    app.post("/json", |json: Result<Json<u8>>| match json {
        Ok(Json(n)) => (n.to_string(), 200),
        Err(error) => (format!("my own {}", error.status().as_u16()), 418),
    });
    app.post("/form", |form: Option<Form<Tags>>| format!("{}", form.is_some()));
    let client = client(app);
    assert_eq!(client.get("/1/2?tag=x&tag=y").text(), "Some(1) x+y 2");
    // One that does not fit takes its place all the same.
    assert_eq!(client.get("/300/2?no=1").text(), "None 400 Bad Request 2");
    assert_eq!(client.post("/json").json(&7).send().text(), "7");
    assert_eq!(client.post("/json").body("7").send().text(), "my own 415");
    assert_eq!(client.post("/form").send().text(), "false");
    assert_eq!(client.post("/form").form([("tag", "a")]).send().text(), "true");
}

#[test]
fn async_handlers() {
    async fn named(id: i64) -> Result<Json<i64>> {
        bridge::yield_now().await;
        Ok(Json(id))
    }
    let mut app = App::new("demo");
    dewar::check_handler!(named);
    let captured = Arc::new(String::from("captured"));
    app.get("/named/<int:id>", named);
    app.get("/borrowing", async move || {
        bridge::yield_now().await;
        captured.to_string()
    });
    app.get("/error", async || -> Result<String> {
        bridge::yield_now().await;
        Ok("x".parse::<i64>()?.to_string())
    });
    app.get("/panic", async || -> &str {
        bridge::yield_now().await;
        panic!("async")
    });
    let client = client(app);
    assert_eq!(client.get("/named/7").text(), "7");
    assert_eq!(client.get("/borrowing").text(), "captured");
    assert_eq!(client.get("/borrowing").text(), "captured");
    assert_eq!(
        logged(|| client.get("/error")).0.error().map(Error::to_string).unwrap(),
        "invalid digit found in string"
    );
    assert_eq!(logged(|| client.get("/panic")).0.error().map(Error::to_string).unwrap(), "panicked: async");
    assert_eq!(client.get("/url_for").status(), 404);
    let service = client.get("/named/7");
    assert_eq!(service.context().unwrap().endpoint(), Some("named"));
}

#[test]
fn what_is_returned() {
    let mut app = App::new("demo");
    app.get("/str", || "str");
    app.get("/string", || String::from("string"));
    app.get("/cow", || std::borrow::Cow::Borrowed("cow"));
    app.get("/bytes", || vec![1u8, 2]);
    app.get("/unit", || ());
    app.get("/json", || Json([1, 2]));
    app.get("/status", || ("made", 201));
    app.get("/code", || ("made", StatusCode::CREATED));
    app.get("/headers", || ("x", [("x-a", "1"), ("x-a", "2"), ("content-type", "text/x")]));
    app.get("/all", || (Json(1), 202, vec![(String::from("x-a"), "1")]));
    app.get("/nested", || (Some(("x", 201)), [("x-a", "1")]));
    app.get("/http", || http::Response::builder().status(203).body("x").unwrap());
    app.get("/redirect", || redirect("/str?q=é").status(303));
    app.get("/impl", || -> Result<Response> { dewar::jsonify(7) });
    let client = client(app);
    let html = Some("text/html; charset=utf-8");
    for (path, status, content_type, text) in [
        ("/str", 200, html, "str"),
        ("/string", 200, html, "string"),
        ("/cow", 200, html, "cow"),
        ("/bytes", 200, html, "\u{1}\u{2}"),
        ("/unit", 200, html, ""),
        ("/json", 200, Some("application/json"), "[1,2]"),
        ("/status", 201, html, "made"),
        ("/code", 201, html, "made"),
        ("/headers", 200, Some("text/x"), "x"),
        ("/all", 202, Some("application/json"), "1"),
        ("/nested", 201, html, "x"),
        ("/http", 203, None, "x"),
        ("/impl", 200, Some("application/json"), "7"),
    ] {
        let response = client.get(path);
        assert_eq!((response.status(), response.header("content-type")), (status, content_type), "{path}");
        assert_eq!(response.text(), text, "{path}");
    }
    let both: Vec<_> = client.get("/headers").headers().get_all("x-a").iter().cloned().collect();
    assert_eq!(both, ["1", "2"]);
    let response = client.get("/redirect");
    assert_eq!((response.status(), response.header("location")), (303, Some("/str?q=%C3%A9")));
}

#[test]
fn what_cannot_be_sent_is_an_error() {
    let mut app = App::new("demo");
    app.get("/status", || ("x", 1000));
    app.get("/name", || ("x", [("no name", "1")]));
    app.get("/value", || ("x", [("x-a", "split\r\nset-cookie: a=1")]));
    app.get("/json", || Json(std::collections::HashMap::from([((1, 2), 3)])));
    let client = client(app);
    for path in ["/status", "/name", "/value", "/json"] {
        let (response, records) = logged(|| client.get(path));
        assert_eq!((response.status(), records.len()), (500, 1), "{path}");
        assert_eq!(response.header("set-cookie"), None);
    }
}

#[test]
fn streams() {
    let mut app = App::new("demo");
    app.get("/reader", || Body::reader(std::io::Cursor::new("read")));
    app.get("/blocks", || (Body::blocks(["a", "", "b"]), [("content-type", "text/plain")]));
    app.get("/good", || Body::try_blocks([Ok::<_, Error>("a"), Ok("b")].map(|b| b.map_err(|e| e.to_string()))));
    app.get("/broken", || Body::try_blocks([Ok("a"), Err("broke"), Ok("never")]));
    app.get("/short", || Body::sized_reader(std::io::Cursor::new("shor"), 5));
    app.post("/echo", |body: Body| body);
    let client = client(app);
    assert_eq!(client.get("/reader").text(), "read");
    assert_eq!(client.get("/blocks").text(), "ab");
    assert_eq!(client.get("/good").text(), "ab");
    assert_eq!(client.post("/echo").body("there and back").send().text(), "there and back");
    let response = client.get("/broken");
    assert_eq!((response.status(), &*response.text()), (200, "a"));
    assert_eq!(response.body_error().unwrap().to_string(), "broke");
    let response = client.get("/short");
    assert_eq!(&*response.text(), "shor");
    assert_eq!(response.body_error().unwrap().kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn methods_as_in_flask() {
    let mut app = App::new("demo");
    app.get("/get", || "got");
    app.route("/two", request_method).methods(["PUT", "PATCH"]);
    app.post("/both", || "posted");
    app.get("/both", || "got");
    app.get("/none", || "x").automatic_options(false);
    app.route("/own", || "my options").methods(["GET", "OPTIONS"]);
    app.route("/odd", || "purged").methods(["PURGE"]);
    let client = client(app);
    for (method, path, status, allow, text) in [
        ("HEAD", "/get", 200, None, ""),
        ("POST", "/get", 405, Some("GET, HEAD, OPTIONS"), "405"),
        ("OPTIONS", "/get", 200, Some("GET, HEAD, OPTIONS"), ""),
        ("PUT", "/two", 200, None, "PUT"),
        ("GET", "/two", 405, Some("OPTIONS, PATCH, PUT"), "405"),
        ("HEAD", "/two", 405, Some("OPTIONS, PATCH, PUT"), ""),
        ("POST", "/both", 200, None, "posted"),
        ("GET", "/both", 200, None, "got"),
        ("OPTIONS", "/both", 200, Some("GET, HEAD, OPTIONS, POST"), ""),
        ("OPTIONS", "/none", 405, Some("GET, HEAD"), "405"),
        ("OPTIONS", "/own", 200, None, "my options"),
        ("PURGE", "/odd", 200, None, "purged"),
        ("OPTIONS", "/nowhere", 404, None, "404"),
        ("OPTIONS", "*", 404, None, "404"),
    ] {
        let response = client.request(method, path).send();
        assert_eq!(response.status(), status, "{method} {path}");
        let mut allowed: Vec<_> = response.header("allow").map(|a| a.split(", ").collect()).unwrap_or_default();
        allowed.sort_unstable();
        assert_eq!(allowed, allow.map(|a| a.split(", ").collect::<Vec<_>>()).unwrap_or_default(), "{method} {path}");
        assert!(response.text().contains(text), "{method} {path}: {}", response.text());
    }
}

fn request_method() -> String {
    dewar::request().method().to_string()
}
