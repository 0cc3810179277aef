//! Forms: urlencoded, and multipart where it is built in.

use dewar::{App, Form, Result, request};
use serde::Deserialize;

use crate::support::client;

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "shown by Debug")]
struct Entry {
    name: String,
    age: u8,
    #[serde(default)]
    tag: Vec<String>,
}

fn app() -> App {
    let mut app = App::new("demo");
    app.post("/", |Form(entry): Form<Entry>| format!("{} {} {:?}", entry.name, entry.age, entry.tag));
    app.post("/raw", || -> Result<String> {
        let request = request();
        let form = request.form()?;
        let files: Vec<_> = form.files.iter().map(|f| (f.name(), f.filename(), f.content_type(), f.len())).collect();
        Ok(format!("{:?} {files:?}", form.fields))
    });
    app.post("/twice", || -> Result<String> {
        let request = request();
        let first = request.form().map(|form| form.fields.len()).map_err(|error| error.status().as_u16());
        let second = request.form().map(|form| form.fields.len()).map_err(|error| error.status().as_u16());
        let data = request.data().map(|data| data.len()).map_err(|error| error.status().as_u16());
        Ok(format!("{first:?} {second:?} {data:?}"))
    });
    app
}

const URLENCODED: &str = "application/x-www-form-urlencoded";

#[test]
fn urlencoded() {
    let client = client(app());
    let send = |body: &'static str| client.post("/").header("content-type", URLENCODED).body(body).send();
    for (body, text) in [
        ("name=Ada&age=36", r#"Ada 36 []"#),
        ("age=36&tag=a&name=A+%26+B&tag=b&unknown=1", r#"A & B 36 ["a", "b"]"#),
        ("name=&age=0", " 0 []"),
        ("name=%C3%A9&age=1", "é 1 []"),
    ] {
        assert_eq!(send(body).text(), text, "{body}");
    }
    for (body, field) in [
        ("age=36", "name"),
        ("name=Ada", "age"),
        ("name=Ada&age=old", "age"),
        ("name=Ada&age=", "age"),
        ("name=Ada&age=300", "age"),
        ("", "name"),
    ] {
        let response = send(body);
        assert_eq!(response.status(), 422, "{body}");
        assert!(response.text().contains(field), "{body}: {}", response.text());
    }
}

#[test]
fn other_types_are_no_forms() {
    let client = client(app());
    for content_type in [None, Some("application/json"), Some("text/plain")] {
        let post = |path| {
            let request = client.post(path).body("name=Ada&age=1");
            match content_type {
                Some(content_type) => request.header("content-type", content_type),
                None => request,
            }
        };
        let response = post("/").send();
        assert_eq!(response.status(), 415, "{content_type:?}");
        assert!(response.text().contains(URLENCODED), "{}", response.text());
        assert_eq!(post("/raw").send().text(), "{} []");
    }
    let response = client.post("/").header("content-type", &URLENCODED.to_uppercase()).body("name=A&age=1").send();
    assert_eq!(response.status(), 200);
}

#[test]
fn limits() {
    let mut app = app();
    app.config_mut().set("MAX_FORM_MEMORY_SIZE", 20).set("MAX_CONTENT_LENGTH", 1000);
    let limited = client(app);
    let form = |name: &str| limited.post("/raw").form([("n", name)]).send().status();
    assert_eq!(form(&"x".repeat(18)), 200); // n=… is 20 bytes
    assert_eq!(form(&"x".repeat(19)), 413);

    // Once too large, always too large: the second look is not an empty form.
    let text = limited.post("/twice").form([("n", "x".repeat(30))]).send().text();
    assert_eq!(text, "Err(413) Err(413) Err(413)");

    let defaults = client(self::app());
    let form = |n: usize| defaults.post("/raw").form([("n", "x".repeat(n))]).send().status();
    assert_eq!(form(499_998), 200);
    assert_eq!(form(499_999), 413);
}

#[cfg(not(feature = "multipart"))]
#[test]
fn multipart_wants_its_feature() {
    let client = client(app());
    assert_eq!(client.post("/").multipart(&[("name", "Ada"), ("age", "36")], &[]).send().status(), 415);
    assert_eq!(client.post("/raw").multipart(&[("name", "Ada")], &[]).send().text(), "{} []");
}

#[test]
fn any_method_has_a_form() {
    let mut app = App::new("demo");
    app.route("/", || request().form().map(|form| format!("{:?}", form.fields)))
        .methods(["PUT", "DELETE", "PATCH", "GET"]);
    let client = client(app);
    for method in ["PUT", "DELETE", "PATCH", "GET"] {
        assert_eq!(client.request(method, "/").form([("a", "")]).send().text(), r#"{"a": ""}"#, "{method}");
    }
}

#[test]
fn what_is_not_utf8_is_no_form() {
    let client = client(app());
    let send = |path: &str| client.post(path).header("content-type", URLENCODED).body(&b"name=\xff&age=1"[..]).send();
    assert_eq!(send("/raw").text(), "{} []");
    assert_eq!(send("/").status(), 400);
    let escaped = client.post("/raw").header("content-type", URLENCODED).body("a=%ff&b").send();
    assert_eq!(escaped.text(), r#"{"a": "%FF", "b": ""} []"#);
}

#[test]
fn limits_of_one_request() {
    let mut app = App::new("demo");
    app.config_mut().set("MAX_FORM_MEMORY_SIZE", 5).set("MAX_FORM_PARTS", serde_json::Value::Null);
    app.post("/", || -> Result<String> {
        let request = request();
        assert_eq!((request.max_form_memory_size(), request.max_form_parts()), (Some(5), None));
        let allowed = request.args().get_as("allowed");
        if let Some(bytes) = allowed {
            request.set_max_form_memory_size(bytes);
        }
        Ok(request.form()?.fields.len().to_string())
    });
    let client = client(app);
    let send = |path: &str| client.post(path).form([("n", "1234")]).send().status();
    assert_eq!((send("/"), send("/?allowed=6"), send("/?allowed=5")), (413, 200, 413));
}

#[cfg(feature = "multipart")]
mod multipart {
    use super::*;

    #[test]
    fn fields_and_files() {
        let client = client(app());
        let response = client.post("/").multipart(&[("name", "Ada"), ("age", "36"), ("tag", "é")], &[]).send();
        assert_eq!(response.text(), r#"Ada 36 ["é"]"#);
        let files: [(&str, &str, &[u8]); 2] = [("doc", "a b.txt", b"\0\r\n--x"), ("doc", "../é", b"")];
        let response = client.post("/raw").multipart(&[("n", "1"), ("n", "2")], &files).send();
        assert_eq!(
            response.text(),
            r#"{"n": "1", "n": "2"} [("doc", "a b.txt", Some("application/octet-stream"), 6), ("doc", "../é", Some("application/octet-stream"), 0)]"#
        );
        assert_eq!(client.post("/").multipart(&[("name", "Ada")], &[]).send().status(), 422);
    }
}
