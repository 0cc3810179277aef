//! Rules for hosts, rules that stand for others, and the map-wide switches, at the router itself.

use dewar::routing::{Converters, Found, Place, Router, RouterBuilder, Rule, ViewArg};
use http::Method;

fn rule(text: &str) -> Rule {
    Rule::parse(text, &Converters::default()).unwrap()
}

fn on(host: &str, text: &str) -> Rule {
    rule(text).on_host(host, &Converters::default()).unwrap()
}

fn router(rules: impl IntoIterator<Item = Rule>) -> Router {
    let mut builder = RouterBuilder::new();
    for (i, rule) in rules.into_iter().enumerate() {
        builder.add(rule, format!("e{i}"));
    }
    builder.freeze()
}

fn at(router: &Router, host: &str, path: &str) -> String {
    let place = Place::new(host, path);
    assert_eq!((place.host(), place.path()), (host, path));
    match router.find_at(&Method::GET, &place) {
        Found::Match { rule, args } => {
            let values: Vec<_> = args.iter(place.as_str()).map(|value| value.to_string()).collect();
            format!("{} {}", rule.index(), values.join(" ")).trim_end().to_owned()
        }
        Found::Redirect { path } => format!("-> {path}"),
        Found::Canonical { host, path } => format!("=> {}{path}", host.unwrap_or_default()),
        Found::MethodNotAllowed { .. } => "405".to_owned(),
        Found::NotFound => "404".to_owned(),
    }
}

#[test]
fn hosts_are_the_first_step() {
    let router = router([
        on("a.test", "/x"),
        on("<user>.test", "/x"),
        on("<int:n>.test:5000", "/<y>"),
        rule("/x"),
        on("<a>-<b>.test", "/<c>/"),
        on("B.Test", "/only"),
        on("a.test", "/y").methods([Method::POST]),
        on("<any(x, y):k>.any", "/"),
    ]);
    for (host, path, answer) in [
        ("a.test", "/x", "0"),
        ("b.test", "/x", "1 b"),
        ("b.c.test", "/x", "1 b.c"),
        ("7.test:5000", "/hey", "2 7 hey"),
        ("x.test:5000", "/hey", "404"),
        ("", "/x", "3"),
        ("other", "/x", "404"),
        ("x-y.test", "/z/", "4 x y z"),
        ("x-y.test", "/z", "-> /z/"),
        ("x-y.test", "//z", "-> /z/"),
        ("x-y.test", "/z//", "-> /z/"),
        ("b.test", "/only", "5"),
        ("a.test", "/y", "405"),
        ("y.any", "/", "7 y"),
        ("z.any", "/", "404"),
    ] {
        assert_eq!(at(&router, host, path), answer, "{host}{path}");
    }
    assert_eq!(router.allowed_at(&Place::new("a.test", "/y")), [Method::POST]);
    assert_eq!(router.rules().next().unwrap().1.host(), Some("a.test"));
}

#[test]
fn hosts_that_cannot_be() {
    let converters = Converters::default();
    for (host, what) in [
        ("a/b", "a host has no slash"),
        ("<path:x>.test", "a host has no slashes"),
        ("<page>.test", "two variables `page`"),
        ("<user.test", "never closed"),
        ("<nope:user>", "no converter `nope`"),
    ] {
        let message = rule("/<page>").on_host(host, &converters).unwrap_err().to_string();
        assert!(message.contains(what), "{message}");
    }
    assert_eq!(on("<any('/', b):x>", "/").arguments().collect::<Vec<_>>(), ["x"]);
    assert_eq!(on("", "/").host(), None);
}

/// Facts of Werkzeug 3.1.
#[test]
fn defaults_and_aliases_lead_to_the_rule_that_has_them() {
    let page = |n| vec![("page".to_owned(), ViewArg::Int(n))];
    let mut builder = RouterBuilder::new();
    builder.add(rule("/users/").defaults(page(1)), "users");
    builder.add(rule("/users/page/<int:page>"), "users");
    builder.add(rule("/all/").defaults(page(1)).methods([Method::POST]), "all");
    builder.add(rule("/all/page/<int:page>"), "all");
    builder.add(rule("/unnamed/").defaults(page(1)), "");
    builder.add(rule("/unnamed/<int:page>"), "");
    builder.add(rule("/m/<name>").alias(true), "name");
    builder.add(rule("/n/<name>"), "name");
    builder.add(rule("/lonely/<name>").alias(true), "lonely");
    builder.add(on("<user>.test", "/p/").defaults(page(1)), "host");
    builder.add(on("<user>.test", "/p/<int:page>"), "host");
    builder.add(rule("/built/").defaults(page(1)).build_only(true), "built");
    builder.add(rule("/built/<int:page>"), "built");
    let router = builder.freeze();
    for (host, path, answer) in [
        ("", "/users/page/1", "=> /users/"),
        ("", "/users/page/2", "1 2"),
        ("", "/users/", "0 1"),
        ("", "/all/page/1", "3 1"),
        ("", "/unnamed/1", "5 1"),
        ("", "/m/a b?", "=> /n/a%20b%3F"),
        ("", "/n/x", "7 x"),
        ("", "/lonely/x", "8 x"),
        ("ada.test", "/p/1", "=> ada.test/p/"),
        ("ada.test", "/p/2", "10 ada 2"),
        ("", "/built/1", "12 1"),
    ] {
        assert_eq!(at(&router, host, path), answer, "{host}{path}");
    }
    assert_eq!(router.build_for_endpoint("name", None, &[("name", "x".into())]).unwrap(), "/n/x");
    assert_eq!(router.build_for_endpoint("lonely", None, &[("name", "x".into())]).unwrap(), "/lonely/x");
}

#[test]
fn what_the_map_switches_off() {
    let mut builder = RouterBuilder::new();
    builder.merge_slashes(false).redirect_defaults(false);
    builder.add(rule("/users/").defaults(vec![("page".into(), 1.into())]), "users");
    builder.add(rule("/users/<int:page>"), "users");
    builder.add(rule("/m/<name>").alias(true), "name");
    builder.add(rule("/n/<name>"), "name");
    let router = builder.freeze();
    assert_eq!(at(&router, "", "/users/1"), "1 1");
    assert_eq!(at(&router, "", "/m/x"), "2 x");
    assert_eq!(at(&router, "", "/n//x"), "404");
}

#[test]
fn the_rules_of_an_endpoint() {
    let router = router([rule("/a"), rule("/b/<x>")]);
    assert_eq!(router.rules_of("e1").map(Rule::text).collect::<Vec<_>>(), ["/b/<x>"]);
    assert_eq!(router.rules_of("none").count(), 0);
}
