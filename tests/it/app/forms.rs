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
        let files: Vec<_> = form.files.iter().map(|f| (&f.name, &f.filename, &f.content_type, f.data.len())).collect();
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

    fn post(client: &dewar::TestClient, content_type: &str, body: &str) -> dewar::TestResponse {
        client.post("/raw").header("content-type", content_type).body(body.to_owned()).send()
    }

    #[test]
    fn malformed() {
        let client = client(app());
        let head = "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n";
        for (content_type, body, why) in [
            ("multipart/form-data", format!("{head}x\r\n--b--\r\n"), "no boundary"),
            ("multipart/form-data; boundary=", format!("{head}x\r\n--b--\r\n"), ""),
            ("multipart/form-data; boundary=b", format!("{head}x"), ""),
            ("multipart/form-data; boundary=b", head.to_owned(), ""),
            ("multipart/form-data; boundary=b", "--b\r\nno header\r\n\r\nx\r\n--b--\r\n".to_owned(), ""),
            ("multipart/form-data; boundary=b", String::new(), ""),
            ("multipart/form-data; boundary=b", "something else".to_owned(), ""),
        ] {
            let response = post(&client, content_type, &body);
            assert_eq!(response.status(), 400, "{content_type} {body:?}");
            assert!(response.text().contains("multipart form is malformed"), "{}", response.text());
            assert!(response.text().contains(why), "{}", response.text());
        }
        // No parts at all is a form all the same.
        assert_eq!(post(&client, "multipart/form-data; boundary=b", "--b--\r\n").text(), "{} []");
        assert_eq!(post(&client, "Multipart/Form-Data; Boundary=\"b\"", &format!("{head}x\r\n--b--")).status(), 200);

        let mut bytes = head.as_bytes().to_vec();
        bytes.extend_from_slice(b"\xff\r\n--b--\r\n");
        let response = client.post("/raw").header("content-type", "multipart/form-data; boundary=b").body(bytes).send();
        assert_eq!(response.status(), 400);
        assert!(response.text().contains("not UTF-8"), "{}", response.text());
    }

    #[test]
    fn limits() {
        let mut app = app();
        let config = app.config_mut();
        config.set("MAX_FORM_MEMORY_SIZE", 20).set("MAX_FORM_PARTS", 3).set("MAX_CONTENT_LENGTH", 1000);
        let client = client(app);
        let send = |fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]| {
            client.post("/raw").multipart(fields, files).send().status()
        };
        let (twenty, long) = ("x".repeat(20), vec![b'x'; 100]);
        assert_eq!(send(&[("n", &twenty)], &[]), 200);
        assert_eq!(send(&[("n", &(twenty.clone() + "x"))], &[]), 413);
        assert_eq!(send(&[("n", &twenty), ("m", &twenty)], &[]), 200, "the limit is for each");
        assert_eq!(send(&[], &[("f", "f", &long)]), 200, "not for files");
        assert_eq!(send(&[("a", ""), ("b", "")], &[("c", "c", b"")]), 200);
        assert_eq!(send(&[("a", ""), ("b", "")], &[("c", "c", b""), ("d", "d", b"")]), 413);
        assert_eq!(send(&[], &[("f", "f", &[b'x'; 2000])]), 413);
        let text = client.post("/twice").multipart(&[("n", &(twenty + "x"))], &[]).send().text();
        assert_eq!(text, "Err(413) Err(413) Ok(0)");
    }
}
