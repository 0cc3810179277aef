//! URLs from endpoints and values: what Werkzeug builds, and the errors.

use dewar::routing::{BuildError, Converters, Router, RouterBuilder, Rule, UrlValue, ViewArg, encode_path};
use http::Method;
use uuid::Uuid;

fn rule(text: &str) -> Rule {
    Rule::parse(text, &Converters::default()).unwrap()
}

fn build(text: &str, values: &[(&str, UrlValue)]) -> Result<String, BuildError> {
    let mut builder = RouterBuilder::new();
    let id = builder.add(rule(text), "e");
    builder.freeze().build(id, values)
}

fn id() -> Uuid {
    "0b6e9a3c-1f2d-4c5b-8a79-ABCDEF012345".parse().unwrap()
}

/// Facts, found by asking Werkzeug 3.1.8.
#[test]
fn facts_of_werkzeug() {
    type Fact<'a> = (&'a str, &'a [(&'a str, UrlValue)], &'a str);
    let facts: &[Fact<'_>] = &[
        ("/u/<name>", &[("name", "ada l".into())], "/u/ada%20l"),
        ("/u/<name>", &[("name", "a/b?c#d%e".into())], "/u/a/b%3Fc%23d%25e"),
        ("/u/<name>", &[("name", "!$&'()*+,:;=@~-_.".into())], "/u/!$&'()*+,:;=@~-_."),
        ("/u/<name>", &[("name", "ü€".into())], "/u/%C3%BC%E2%82%AC"),
        ("/u/<name>", &[("name", "\"<>[]{}|\\^`".into())], "/u/%22%3C%3E%5B%5D%7B%7D%7C%5C%5E%60"),
        ("/u/<name>", &[("name", 7.into())], "/u/7"),
        ("/p/<path:x>", &[("x", "a b/c".into())], "/p/a%20b/c"),
        ("/<path:x>", &[("x", "//evil.example/".into())], "/evil.example/"),
        ("/i/<int:n>", &[("n", 5.into())], "/i/5"),
        ("/i/<int:n>", &[("n", (-5).into())], "/i/-5"),
        ("/i/<int:n>", &[("n", "12".into())], "/i/12"),
        ("/i/<int(fixed_digits=4):n>", &[("n", 7.into())], "/i/0007"),
        ("/i/<int(fixed_digits=4, signed=True):n>", &[("n", (-7).into())], "/i/-007"),
        ("/i/<int(max=3):n>", &[("n", 9.into())], "/i/9"),
        ("/f/<float:x>", &[("x", 1.0.into())], "/f/1.0"),
        ("/f/<float:x>", &[("x", 2.into())], "/f/2.0"),
        ("/f/<float:x>", &[("x", 1.25.into())], "/f/1.25"),
        ("/f/<float:x>", &[("x", "2.50".into())], "/f/2.5"),
        ("/x/<uuid:u>", &[("u", id().into())], "/x/0b6e9a3c-1f2d-4c5b-8a79-abcdef012345"),
        (
            "/x/<uuid:u>",
            &[("u", "0b6e9a3c-1f2d-4c5b-8a79-ABCDEF012345".into())],
            "/x/0b6e9a3c-1f2d-4c5b-8a79-ABCDEF012345",
        ),
        ("/ü/a b/<x>", &[("x", 1.into())], "/%C3%BC/a%20b/1"),
        ("/a&b=+c,d/", &[], "/a&b=+c,d/"),
        ("/a//b/<x>", &[("x", 1.into())], "/a/b/1"),
        ("/q", &[("a", "b c".into()), ("d", "e&f=g+h".into())], "/q?a=b+c&d=e%26f%3Dg%2Bh"),
        ("/q", &[("a", "!$'()*,/:;?@~-_.".into())], "/q?a=!$'()*,/:;?@~-_."),
        ("/q", &[("a", UrlValue::Many(vec!["1".into(), "2".into()])), ("b", UrlValue::Many(vec![]))], "/q?a=1&a=2"),
        ("/q", &[("a", UrlValue::None)], "/q"),
        ("/q", &[("ä b", "ü".into())], "/q?%C3%A4+b=%C3%BC"),
        ("/q", &[("a", 1.5.into()), ("b", (-3).into())], "/q?a=1.5&b=-3"),
        ("/q", &[("a", "".into())], "/q?a="),
        ("/q", &[("a", "\"#%<>[\\]^`{|}".into())], "/q?a=%22%23%25%3C%3E%5B%5C%5D%5E%60%7B%7C%7D"),
        ("/<a>-<b>.html", &[("a", "x".into()), ("b", "y".into()), ("c", "z".into())], "/x-y.html?c=z"),
    ];
    for (rule, values, url) in facts {
        assert_eq!(build(rule, values).unwrap(), *url, "{rule} {values:?}");
    }
}

/// Several rules for one endpoint; facts of Werkzeug as well.
#[test]
fn the_suitable_rule_is_chosen() {
    let router = pages();
    let url = |endpoint: &str, method: Option<Method>, values: &[(&str, UrlValue)]| {
        router.build_for_endpoint(endpoint, method.as_ref(), values).unwrap()
    };
    let p = |n: i64| ("p", UrlValue::from(n));
    let q = ("q", UrlValue::from("z"));
    assert_eq!(url("a", None, &[]), "/a/");
    assert_eq!(url("a", None, &[p(1)]), "/a/");
    assert_eq!(url("a", None, &[("p", 1.0.into())]), "/a/");
    assert_eq!(url("a", None, &[p(2)]), "/a/2");
    assert_eq!(url("a", None, &[p(2), q.clone()]), "/a/2/z");
    assert_eq!(url("a", None, &[p(1), q.clone()]), "/a/1/z");
    assert_eq!(url("a", None, &[q]), "/a/?q=z");
    assert_eq!(url("a", None, &[p(1), ("o", 2.into())]), "/a/?o=2");
    assert_eq!(url("a", None, &[("p", UrlValue::None)]), "/a/");
    assert_eq!(url("m", None, &[]), "/m2");
    assert_eq!(url("m", Some(Method::POST), &[]), "/m");
    assert_eq!(url("m", Some(Method::HEAD), &[]), "/m2");
    assert_eq!(url("x", None, &[]), "/x/3");
    assert_eq!(url("x", None, &[p(3)]), "/x/3");
}

fn pages() -> Router {
    let mut builder = RouterBuilder::new();
    builder.add(rule("/a/").defaults(vec![("p".into(), ViewArg::Int(1))]), "a");
    builder.add(rule("/a/<int:p>"), "a");
    builder.add(rule("/a/<int:p>/<q>"), "a");
    builder.add(rule("/m").methods([Method::POST]), "m");
    builder.add(rule("/m2").methods([Method::GET]), "m");
    builder.add(rule("/x/<int:p>").defaults(vec![("p".into(), ViewArg::Int(3))]), "x");
    builder.add(rule("/admin/<name>/<int:id>"), "admin.user");
    builder.freeze()
}

#[test]
fn errors_say_what_was_meant() {
    let router = pages();
    let error = |endpoint: &str, method: Option<Method>, values: &[(&str, UrlValue)]| {
        router.build_for_endpoint(endpoint, method.as_ref(), values).unwrap_err()
    };
    for (error, message) in [
        (
            error("admin.users", None, &[("x", 1.into())]),
            "no URL for endpoint 'admin.users' with values ['x']. Did you mean 'admin.user' instead?",
        ),
        (
            error("admin.user", None, &[("id", UrlValue::None)]),
            "no URL for endpoint 'admin.user'. Did you forget to specify values ['id', 'name']?",
        ),
        (
            error("admin.user", None, &[("id", 1.into())]),
            "no URL for endpoint 'admin.user' with values ['id']. Did you forget to specify values ['name']?",
        ),
        (error("m", Some(Method::PUT), &[]), "no URL for endpoint 'm' ('PUT'). Did you mean to use methods ['POST']?"),
        (error("x", None, &[("p", 4.into())]), "no URL for endpoint 'x' with values ['p']."),
        (error("q#!", None, &[]), "no URL for endpoint 'q#!'."),
        (
            error("admin.user", None, &[("name", "n".into()), ("id", "x".into())]),
            "no URL for endpoint 'admin.user' with values ['id', 'name']. The value of 'id' does not fit: \
             `x` is not an integer.",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
    let error = error("admin.usr", Some(Method::GET), &[]);
    assert_eq!((error.endpoint(), error.suggested()), ("admin.usr", Some("admin.user")));
    assert_eq!((error.method(), error.missing()), (Some(&Method::GET), &[][..]));
}

#[test]
fn values_that_do_not_fit() {
    for (rule, value, reason) in [
        ("/<int:v>", UrlValue::from(1.5), "`1.5` is not an integer"),
        ("/<int:v>", u64::MAX.into(), "is not an integer"),
        ("/<float:v>", f64::NAN.into(), "cannot stand in a URL"),
        ("/<float:v>", "x".into(), "`x` is not a number"),
        ("/<any(a, b):v>", "c".into(), "`c` is none of a, b"),
        ("/<v>", vec!["a"].into(), "it is a list"),
    ] {
        let message = build(rule, &[("v", value)]).unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn other_than_werkzeug() {
    // It leaves the space as it is.
    assert_eq!(build("/<any('b c'):k>", &[("k", "b c".into())]).unwrap(), "/b%20c");
    // It writes 1e+16, which its own `float` does not match.
    assert_eq!(build("/<float:x>", &[("x", 1e16.into())]).unwrap(), "/10000000000000000.0");
    assert_eq!(build("/<float:x>", &[("x", 1e-7.into())]).unwrap(), "/0.0000001");
}

#[test]
fn redirects_are_encoded() {
    assert_eq!(encode_path("/a b/\u{fc}\r\n\\//x?y#z"), "/a%20b/%C3%BC%0D%0A%5C//x%3Fy%23z");
}
