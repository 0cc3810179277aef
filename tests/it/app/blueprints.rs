//! Blueprints: prefixes, names, nesting, several registrations of one.

use dewar::{App, Blueprint, Path, Result, request, url_for};

use crate::support::client;

fn show() -> Result<String> {
    let ctx = dewar::current_context().unwrap();
    Ok(format!("{} in {} by {}", ctx.endpoint().unwrap(), ctx.blueprint().unwrap_or("-"), ctx.url_rule().unwrap()))
}

#[test]
fn prefixes_are_joined_by_one_slash() {
    for (prefix, rule, path) in [
        ("/a", "/b", "/a/b"),
        ("/a/", "/b", "/a/b"),
        ("/a/", "b", "/a/b"),
        ("/a", "", "/a"),
        ("/a", "/", "/a/"),
        ("", "/b", "/b"),
        ("/<int:n>", "/<name>", "/7/x"),
    ] {
        let mut app = App::new("demo");
        let mut blueprint = Blueprint::new("bp").url_prefix(prefix);
        blueprint.get(rule, || request().path().to_owned());
        app.register_blueprint(blueprint);
        let client = client(app);
        assert_eq!(client.get(path).text(), path, "{prefix} + {rule}");
    }
}

#[test]
fn names_and_prefixes_nest() {
    let mut app = App::new("demo");
    let mut outer = Blueprint::new("outer").url_prefix("/o");
    let mut inner = Blueprint::new("inner").url_prefix("/i");
    app.get("/show", show);
    outer.get("/show", show);
    inner.get("/show", show);
    inner.get("/named", show).endpoint("other");
    outer.register_blueprint(inner);
    app.register_blueprint(outer);
    let client = client(app);
    for (path, text) in [
        ("/show", "show in - by /show"),
        ("/o/show", "outer.show in outer by /o/show"),
        ("/o/i/show", "outer.inner.show in outer.inner by /o/i/show"),
        ("/o/i/named", "outer.inner.other in outer.inner by /o/i/named"),
    ] {
        assert_eq!(client.get(path).text(), text);
    }
}

#[test]
fn view_arguments_come_from_the_outside_in() {
    let mut app = App::new("demo");
    let mut outer = Blueprint::new("outer").url_prefix("/<lang>");
    let mut inner = Blueprint::new("inner").url_prefix("/<int:year>");
    inner
        .get("/<slug>", |lang: String, year: u16, slug: String, page: i64| format!("{lang} {year} {slug} {page}"))
        .default("page", 1);
    inner.get("/<slug>/path", |Path(all): Path<(String, u16, String)>| format!("{all:?}"));
    outer.register_blueprint(inner);
    app.register_blueprint(outer);
    let client = client(app);
    assert_eq!(client.get("/de/2024/x").text(), "de 2024 x 1");
    assert_eq!(client.get("/de/2024/x/path").text(), r#"("de", 2024, "x")"#);
}

#[test]
fn one_maker_registered_twice() {
    fn pages() -> Blueprint {
        let mut blueprint = Blueprint::new("pages").url_prefix("/pages");
        blueprint.get("/", || url_for!(".index")).endpoint("index");
        blueprint
    }
    let mut app = App::new("demo");
    app.register_blueprint(pages());
    app.register_blueprint(pages()).name("more").url_prefix("/more");
    let client = client(app);
    assert_eq!(client.get("/pages/").text(), "/pages/");
    assert_eq!(client.get("/more/").text(), "/more/");
}

#[test]
fn url_for_knows_the_current_blueprint() {
    fn links() -> Result<String> {
        let outside = url_for!("links")?;
        Ok(format!("{outside} {} {}", url_for!(".links")?, url_for!("bp.links", page = 2, tag = vec!["a", "b"])?))
    }
    let mut app = App::new("demo");
    let mut blueprint = Blueprint::new("bp").url_prefix("/bp");
    blueprint.get("/", links);
    app.get("/", links);
    app.register_blueprint(blueprint);
    let client = client(app);
    assert_eq!(client.get("/").text(), "/ / /bp/?page=2&tag=a&tag=b");
    assert_eq!(client.get("/bp/").text(), "/ /bp/ /bp/?page=2&tag=a&tag=b");
}

#[test]
fn url_for_in_full() {
    fn post(id: i64) -> Result<String> {
        let none: Option<i64> = None;
        Ok([
            url_for!("post", id = id)?,
            url_for!("post", id = id, q = "a b&c", none = none)?,
            url_for!("post", id = id, _anchor = "top <1>")?,
            url_for!("post", id = id, _external = true)?,
            url_for!("post", id = id, _scheme = "https")?,
            url_for!("post", id = id, _external = false)?,
        ]
        .join("\n"))
    }
    let mut app = App::new("demo");
    app.config_mut().set("APPLICATION_ROOT", "/app");
    app.get("/post/<int:id>", post);
    app.get("/wrong", || url_for!("pots", id = 1));
    app.get("/missing", || url_for!("post"));
    app.get("/nonsense", || url_for!("post", id = 1, _scheme = "https", _external = false));
    let client = client(app);
    assert_eq!(
        client.request("GET", "/post/7").header("host", "shop.example:8000").send().text(),
        "/app/post/7\n/app/post/7?q=a+b%26c\n/app/post/7#top%20%3C1%3E\nhttp://shop.example:8000/app/post/7\n\
         https://shop.example:8000/app/post/7\n/app/post/7"
    );
    for (path, text) in [("/wrong", "post"), ("/missing", "id"), ("/nonsense", "_scheme")] {
        let response = client.get(path);
        assert!(response.error().unwrap().to_string().contains(text), "{:?}", response.error());
    }
}

#[test]
#[should_panic(expected = "has a dot")]
fn no_dots_in_names() {
    Blueprint::new("a.b");
}

#[test]
#[should_panic(expected = "needs a name")]
fn no_empty_names() {
    Blueprint::new("");
}
