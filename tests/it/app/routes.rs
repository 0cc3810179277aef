//! What a route can say of itself, and what the whole map says for it: slashes, redirects, methods, views by endpoint.

use dewar::routing::{Converter, NamedArgs, Outcome, ViewArg};
use dewar::{App, Blueprint, HttpError, TestClient, url_for};

use crate::support::{Trace, client, mistakes};

/// Status and, where there is one, the location or the methods.
fn answer(client: &TestClient, method: &str, path: &str) -> String {
    let response = client.request(method, path).send();
    let more = response.header("location").or(response.header("allow"));
    match more {
        Some(more) => format!("{} {more}", response.status()),
        None => response.status().to_string(),
    }
}

fn answers(client: &TestClient, expected: &[(&str, &str, &str)]) {
    for (method, path, wanted) in expected {
        assert_eq!(answer(client, method, path), *wanted, "{method} {path}");
    }
}

#[test]
fn slashes() {
    let mut app = App::new("demo");
    app.get("/strict/", || "strict");
    app.get("/leaf", || "leaf");
    app.get("/both/", || "both").strict_slashes(false);
    app.get("/either", || "either").strict_slashes(false);
    app.get("/a//b/<x>", |x: String| x);
    app.get("/raw/<path:x>", |x: String| x).merge_slashes(false);
    let client = client(app);
    answers(
        &client,
        &[
            ("GET", "/strict/", "200"),
            ("GET", "/strict", "308 /strict/"),
            ("GET", "/strict?a=1&b=%20", "308 /strict/?a=1&b=%20"),
            ("POST", "/strict", "404"),
            ("GET", "/leaf", "200"),
            ("GET", "/leaf/", "404"),
            ("GET", "/both", "200"),
            ("GET", "/both/", "200"),
            ("GET", "/either/", "200"),
            ("GET", "/either", "200"),
            ("GET", "/a/b/c", "200"),
            ("GET", "/a//b///c?q", "308 /a/b/c?q"),
            ("GET", "/raw/x//y", "200"),
            ("GET", "/raw//x", "404"),
        ],
    );
    assert_eq!(client.get("/raw/x//y").text(), "x//y");
}

#[test]
fn the_map_says_it_for_all() {
    let mut app = App::new("demo");
    app.url_map().strict_slashes(false).merge_slashes(false).redirect_defaults(false);
    app.get("/users/", || "").endpoint("users").default("page", 1);
    app.add_url_rule("/users/<int:page>", "users");
    app.get("/strict/", || "").strict_slashes(true);
    let client = client(app);
    answers(
        &client,
        &[
            ("GET", "/users", "200"),
            ("GET", "/users/1", "200"),
            ("GET", "/strict", "308 /strict/"),
            ("GET", "//users//1", "404"),
        ],
    );
}

/// Facts of Flask 3.1, but for the location, which there is a whole URL.
#[test]
fn rules_that_redirect() {
    fn users(page: i64) -> String {
        format!("users {page}")
    }
    fn name(name: String) -> String {
        name
    }
    let mut app = App::new("demo");
    app.config_mut().set("APPLICATION_ROOT", "/app");
    app.get("/users/", users).default("page", 1);
    app.get("/users/page/<int:page>", users);
    app.get("/m/<name>", name).alias(true);
    app.get("/n/<name>", name);
    app.add_url_rule("/old/<int(fixed_digits=3):id>", "old").redirect_to("new/<id>/end");
    app.add_url_rule("/old2/<path:rest>", "old2").redirect_to("/top/<rest>");
    app.add_url_rule("/old3/<name>", "old3").redirect_to_with(|args: &NamedArgs<'_>| {
        assert_eq!((args.len(), args.is_empty(), args.get("other")), (1, false, None));
        args.iter().map(|(name, value)| format!("x?{name}={value}")).collect()
    });
    app.add_url_rule("/away/<name>", "away").redirect_to("https://other.test/<name>?from=here");
    app.add_url_rule("/<raw:any>/evil", "evil").redirect_to("<any>");
    app.converter("raw", Raw);
    let client = client(app);
    answers(
        &client,
        &[
            ("GET", "/users/page/1?a=b", "308 /app/users/?a=b"),
            ("OPTIONS", "/users/page/1", "308 /app/users/"),
            ("POST", "/users/page/1", "405 GET, HEAD, OPTIONS"),
            ("GET", "/m/a%20b?q=1", "308 /app/n/a%20b?q=1"),
            ("POST", "/m/x", "405 GET, HEAD, OPTIONS"),
            ("GET", "/old/007?q=1", "308 /app/new/007/end"),
            ("OPTIONS", "/old/007", "308 /app/new/007/end"),
            ("POST", "/old/007", "405 GET, HEAD, OPTIONS"),
            ("GET", "/old/7", "404"),
            ("GET", "/old2/a/b%20c", "308 /top/a/b%20c"),
            ("GET", "/old3/z", "308 /app/x?name=z"),
            ("GET", "/away/%2F%2Fa%3F", "308 /app/away/a%3F"),
            ("GET", "/away/a%3Fb%23c", "308 https://other.test/a%3Fb%23c?from=here"),
            ("GET", "/x/evil", "308 /evil.test"),
        ],
    );
    assert_eq!(client.get("/users/page/2").text(), "users 2");
    assert_eq!(client.get("/users/").text(), "users 1");
}

/// Writes what would be another site.
struct Raw;

impl Converter for Raw {
    fn matches(&self, _: &str) -> bool {
        true
    }

    fn to_url(&self, _: &ViewArg) -> Result<String, String> {
        Ok("//evil.test".to_owned())
    }
}

#[test]
fn a_redirect_comes_after_the_hooks_and_belongs_to_no_blueprint() {
    let trace = Trace::default();
    let mut app = App::new("demo");
    let mut blueprint = Blueprint::new("bp");
    blueprint.add_url_rule("/old", "old").redirect_to("/new");
    blueprint.before_request({
        let trace = trace.clone();
        move || trace.add("blueprint")
    });
    app.before_request({
        let trace = trace.clone();
        move || trace.add(format!("{:?}", dewar::current_context().unwrap().endpoint()))
    });
    app.register_blueprint(blueprint);
    let client = client(app);
    assert_eq!(answer(&client, "GET", "/old"), "308 /new");
    assert_eq!(trace.take(), ["None"]);
}

#[test]
fn views_by_endpoint() {
    let mut app = App::new("demo");
    app.add_url_rule("/<int:n>", "number").methods(["post", "GET"]);
    app.endpoint("number", |n: i64| (n + 1).to_string());
    app.get("/", || "first").endpoint("index");
    app.add_url_rule("/index.html", "index");
    app.add_url_rule("/uploads/<name>", "uploads").build_only(true);
    app.get("/links", || url_for!("uploads", name = "a b"));
    let mut blueprint = Blueprint::new("bp").url_prefix("/bp");
    blueprint.add_url_rule("/x", "x");
    blueprint.endpoint("x", || url_for!(".x"));
    app.register_blueprint(blueprint);
    let client = client(app);
    assert_eq!(client.post("/7").send().text(), "8");
    assert_eq!(client.get("/index.html").text(), "first");
    assert_eq!(client.get("/bp/x").text(), "/bp/x");
    assert_eq!(client.get("/links").text(), "/uploads/a%20b");
    answers(&client, &[("GET", "/uploads/a", "404"), ("PUT", "/7", "405 GET, HEAD, OPTIONS, POST")]);
}

#[test]
fn mistakes_of_routes() {
    let mut app = App::new("demo");
    app.add_url_rule("/nobody", "nobody");
    app.add_url_rule("/<int:n>/<x>", "two");
    app.endpoint("two", |n: i64| n.to_string());
    app.endpoint("two", || "another");
    app.get("/get", || "").methods(["POST"]);
    app.add_url_rule("/<a>", "a").redirect_to("/<b>");
    app.get("/host", || "").subdomain("a/b");
    let found = mistakes(app);
    for (found, what) in found.iter().zip([
        "`.get(…)`",
        "`redirect_to(\"/<b>\")` has a variable `<b>`",
        "a host has no slash",
        "the endpoint `two` belongs to another view already",
        "no view has the endpoint `nobody`",
        "gives 2 view arguments",
    ]) {
        assert!(found.contains(what) && found.contains("routes.rs:"), "{found} ≠ {what}");
    }
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn several_variables_in_a_segment_and_priorities() {
    let mut app = App::new("demo");
    app.get("/<a>-<b>.html", |a: String, b: String| format!("both {a} {b}"));
    app.get("/<a>.html", |a: String| format!("one {a}"));
    app.get("/<path:p>", |p: String| format!("path {p}"));
    app.get("/<s>", |s: String| format!("string {s}"));
    app.get("/<int:n>", |n: i64| format!("int {n}"));
    app.get("/new", || "static");
    app.get("/n/<int(min=3):n>", |n: i64| format!("int {n}"));
    app.get("/n/<s>", |s: String| format!("string {s}"));
    let client = client(app);
    for (path, text) in [
        ("/new", "static"),
        ("/7", "int 7"),
        ("/x-y-z.html", "both x-y z"),
        ("/x.html", "one x"),
        ("/x", "string x"),
        ("/x/y.html", "path x/y.html"),
        ("/n/3", "int 3"),
        ("/n/x", "string x"),
    ] {
        assert_eq!(client.get(path).text(), text, "{path}");
    }
    // A number out of its bounds ends the search.
    assert_eq!(client.get("/n/2").status(), 404);
}

/// `a+b` as `a b`: light, so that it comes before `string`.
struct Plus;

impl Converter for Plus {
    fn matches(&self, text: &str) -> bool {
        text.contains('+')
    }

    fn convert(&self, text: &str) -> Outcome {
        match text {
            "+" => Outcome::Reject,
            text => Outcome::Value(text.replace('+', " ").into()),
        }
    }

    fn to_url(&self, value: &ViewArg) -> Result<String, String> {
        Ok(value.to_string().replace(' ', "+"))
    }

    fn weight(&self) -> i32 {
        10
    }
}

#[test]
fn custom_converters() {
    let mut app = App::new("demo");
    app.url_map().converters().register("plus", Plus);
    app.get("/<s>", |s: String| format!("string {s}"));
    app.get("/<plus:words>", |words: String| url_for!("words", words = words)).endpoint("words");
    app.errorhandler(404, |_: HttpError| ("none", 404));
    let client = client(app);
    assert_eq!(client.get("/a+b").text(), "/a+b");
    assert_eq!(client.get("/ab").text(), "string ab");
    assert_eq!(client.get("/+").text(), "none");
}
