//! Query strings.

use dewar::{App, Query, Result, request};
use serde::Deserialize;

use crate::support::client;

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "shown by Debug")]
struct Search {
    q: String,
    page: Option<u32>,
    #[serde(default)]
    tag: Vec<String>,
    exact: Option<bool>,
}

#[test]
fn typed() {
    let mut app = App::new("demo");
    app.get("/", |Query(s): Query<Search>| format!("{:?} {:?} {:?} {:?}", s.q, s.page, s.tag, s.exact));
    let client = client(app);
    for (query, text) in [
        ("q=x", r#""x" None [] None"#),
        ("q=", r#""" None [] None"#),
        ("q=a+b%20c%2B&page=2&tag=x&tag=y", r#""a b c+" Some(2) ["x", "y"] None"#),
        ("q=%C3%A9&exact=true&unknown=1", r#""é" None [] Some(true)"#),
        ("tag=x&q=x", r#""x" None ["x"] None"#),
    ] {
        let response = client.get(&format!("/?{query}"));
        assert_eq!((response.status(), &*response.text()), (200, text), "{query}");
    }
    for (query, name) in [("", "q"), ("q=x&page=two", "page"), ("q=x&page=-1", "page"), ("q=x&exact=maybe", "exact")] {
        let response = client.get(&format!("/?{query}"));
        assert_eq!(response.status(), 400, "{query}");
        assert!(response.text().contains(name), "{query}: {}", response.text());
    }
    for query in ["q=%", "q=%4", "q=%zz", "q=%ff", "q=%C3", "%=x&q=x"] {
        assert_eq!(client.get(&format!("/?{query}")).status(), 400, "{query}");
    }
}

#[test]
fn by_name() {
    let mut app = App::new("demo");
    app.get("/", || -> Result<String> {
        let request = request();
        let args = request.args();
        Ok(format!("{} {:?} {:?}", args.require("q")?, args.getlist("tag"), args.get_as::<u8>("n")))
    });
    let client = client(app);
    assert_eq!(client.get("/?q=1&tag=a&tag=&n=x").text(), r#"1 ["a", ""] None"#);
    assert_eq!(client.get("/?q=1&q=2&n=7").text(), "1 [] Some(7)");
    assert_eq!(client.get("/").status(), 400);
}

#[test]
fn as_a_dictionary() {
    let args = dewar::MultiDict::parse("b=1&a=2&b=x&&a=&c&b=3");
    assert_eq!(args.keys().collect::<Vec<_>>(), ["b", "a", "c"]);
    assert_eq!(args.getlist_as::<u8>("b"), [1, 3]);
    assert_eq!((args.get("c"), args.get_as::<u8>("c"), args.get("d")), (Some(""), None, None));
    assert_eq!(args.to_dict().into_iter().collect::<Vec<_>>(), [("a", "2"), ("b", "1"), ("c", "")]);
    assert_eq!(args.lists().collect::<Vec<_>>(), [("b", vec!["1", "x", "3"]), ("a", vec!["2", ""]), ("c", vec![""])]);
    let pairs: Vec<_> = args.iter().collect();
    assert_eq!(pairs, [("b", "1"), ("a", "2"), ("b", "x"), ("a", ""), ("c", ""), ("b", "3")]);
}

#[test]
fn bad_escapes_stay() {
    let mut app = App::new("demo");
    app.get("/", || request().args().get("q").map(str::to_owned));
    let client = client(app);
    for (query, text) in
        [("%FF", "%FF"), ("%c3", "%C3"), ("a%", "a%"), ("%zz", "%zz"), ("%C3%A9", "é"), ("%E2%82x", "%E2%82x")]
    {
        assert_eq!(client.get(&format!("/?q={query}")).text(), text, "{query}");
    }
}
