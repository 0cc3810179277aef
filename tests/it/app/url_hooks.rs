//! Arguments taken out of URLs, and put into those that are built.

use dewar::routing::{BuildError, UrlValue};
use dewar::{App, Blueprint, HttpError, Path, Result, abort, g, url_for};

use crate::support::{Trace, client, mistakes};

/// Flask's documentation has this: a language in front of every rule.
#[test]
fn a_language_in_front_of_every_rule() {
    let mut app = App::new("demo");
    app.url_value_preprocessor(["lang"], |_, values| {
        if let Some(lang) = values.get("lang") {
            g().set("lang", lang.to_string());
        }
    });
    app.url_defaults(|endpoint, values| {
        let expects = dewar::current_app().is_endpoint_expecting(endpoint, &["lang"]);
        if let (true, Some(lang)) = (expects, g().get::<String>("lang")) {
            values.set_default("lang", lang);
        }
    });
    app.get("/<lang>/post/<int:id>", |id: i64| url_for!("post", id = id + 1)).endpoint("post");
    app.get("/<lang>/both/<x>", |Path((x,)): Path<(String,)>| {
        let ctx = dewar::current_context().unwrap();
        assert_eq!(ctx.view_arg_names(), ["x"]);
        assert_eq!((ctx.view_arg_count(), ctx.view_arg_named("lang")), (1, None));
        format!("{x} {}", ctx.view_arg_named("x").unwrap())
    });
    app.get("/<lang>/other", || url_for!("post", id = 1, lang = "fr")).endpoint("other");
    app.get("/plain", || url_for!("plain", q = 1)).endpoint("plain");
    let client = client(app);
    assert_eq!(client.get("/de/post/7").text(), "/de/post/8");
    assert_eq!(client.get("/de/both/y").text(), "y y");
    assert_eq!(client.get("/de/other").text(), "/fr/post/1");
    assert_eq!(client.get("/plain").text(), "/plain?q=1");
}

#[test]
fn order_and_scope() {
    let trace = Trace::default();
    let hook = |name: &'static str| {
        let trace = trace.clone();
        move |endpoint: Option<&str>, values: &dewar::routing::NamedArgs<'_>| {
            let values: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
            trace.add(format!("{name} {} {}", endpoint.unwrap_or("-"), values.join(",")));
        }
    };
    let defaults = |name: &'static str| {
        let trace = trace.clone();
        move |endpoint: &str, values: &mut dewar::routing::UrlValues| {
            trace.add(format!("{name} {endpoint} {}", values.names().count()));
            values.insert(name, true);
        }
    };
    let mut app = App::new("demo");
    app.url_value_preprocessor(["a"], hook("app"));
    app.url_defaults(defaults("app"));
    app.before_request({
        let trace = trace.clone();
        move || trace.add("before")
    });
    let mut outer = Blueprint::new("outer").url_prefix("/<a>");
    outer.url_value_preprocessor(Vec::<String>::new(), hook("outer"));
    outer.url_defaults(defaults("outer"));
    let mut inner = Blueprint::new("inner").url_prefix("/<int:b>");
    inner.url_value_preprocessor(["b"], hook("inner"));
    inner.url_defaults(defaults("inner"));
    inner.app_url_value_preprocessor(["never"], hook("wide"));
    inner.app_url_defaults(defaults("wide"));
    inner.get("/<c>", |c: String| url_for!(".show", a = 1, b = 2, c = c)).endpoint("show");
    outer.get("/<c>", |c: String| url_for!("outer.show", a = 1, c = c)).endpoint("show");
    outer.register_blueprint(inner);
    app.register_blueprint(outer);
    let client = client(app);
    assert_eq!(client.get("/x/2/z").text(), "/1/2/z?app=true&wide=true&outer=true&inner=true");
    assert_eq!(
        trace.take(),
        [
            "app outer.inner.show a=x,b=2,c=z",
            "wide outer.inner.show a=x,b=2,c=z",
            "outer outer.inner.show a=x,b=2,c=z",
            "inner outer.inner.show a=x,b=2,c=z",
            "before",
            "app outer.inner.show 3",
            "wide outer.inner.show 4",
            "outer outer.inner.show 5",
            "inner outer.inner.show 6",
        ]
    );
    assert_eq!(client.get("/x/z").text(), "/1/z?app=true&wide=true&outer=true");
    trace.take();
    assert_eq!(client.get("/").status(), 404);
    assert_eq!(trace.take(), ["app - ", "wide - ", "before"]);
}

#[test]
fn hooks_may_fail() {
    let mut app = App::new("demo");
    app.url_value_preprocessor(["lang"], |_, values| -> Result<()> {
        match values.get("lang").map(|lang| lang.to_string()) {
            Some(lang) if lang != "de" => abort!(404, "no such language"),
            _ => Ok(()),
        }
    });
    app.url_defaults(|endpoint, _| if endpoint == "bad" { Err(HttpError::new(418)) } else { Ok(()) });
    app.get("/<lang>/", || "hallo").endpoint("index");
    app.get("/bad", || url_for!("bad")).endpoint("bad");
    let client = client(app);
    assert_eq!(client.get("/de/").text(), "hallo");
    assert_eq!(client.get("/xx/").status(), 404);
    assert_eq!(client.get("/bad").status(), 418);
}

#[test]
fn views_are_checked_against_what_is_left() {
    let mut app = App::new("demo");
    app.url_value_preprocessor(["lang"], |_, _| {});
    app.get("/<lang>/<int:id>", |lang: String, id: i64| format!("{lang}{id}")).endpoint("both");
    let found = mistakes(app);
    assert!(found[0].contains("gives 1 view argument (id: Int)"), "{found:?}");
}

#[test]
fn build_errors_may_be_rescued() {
    let mut app = App::new("demo");
    app.url_build_error_handler(|error, endpoint, values| {
        assert_eq!(error.endpoint(), endpoint);
        Ok((endpoint == "ext").then(|| format!("https://ext.test/?{:?}", values.names().collect::<Vec<_>>())))
    });
    app.url_build_error_handler(|_, endpoint, _| {
        match endpoint {
            "other" => dewar::current_context().unwrap().site().url_for("nothing", &[("_external", false.into())]),
            "fails" => Err(HttpError::new(409).into()),
            _ => Err(dewar::Error::msg("asked for all")),
        }
        .map(Some)
    });
    app.get("/ext", || url_for!("ext", a = 1, _anchor = "x"));
    app.get("/fails", || url_for!("fails"));
    app.get("/good", || url_for!("good", n = 1, list = vec![1, 2], none = UrlValue::None)).endpoint("good");
    let client = client(app);
    assert_eq!(client.get("/ext").text(), "https://ext.test/?[\"a\", \"_anchor\"]");
    assert_eq!(client.get("/fails").status(), 409);
    assert_eq!(client.get("/good").text(), "/good?n=1&list=1&list=2");
}

#[test]
fn an_unrescued_error_is_the_build_error() {
    let mut app = App::new("demo");
    app.url_build_error_handler(|_, _, _| Ok(None));
    app.get("/index", || url_for!("indx")).endpoint("index");
    let client = client(app);
    let response = client.get("/index");
    let error = response.error().unwrap();
    assert_eq!(error.downcast_ref::<BuildError>().unwrap().suggested(), Some("index"));
}

#[test]
fn defaults_of_a_blueprint() {
    fn pages() -> Blueprint {
        let mut pages = Blueprint::new("pages").url_default("lang", "en").url_default("n", 1);
        pages
            .get("/", |lang: String, n: i64, own: String| format!("{lang} {n} {own}"))
            .endpoint("index")
            .default("own", "x");
        pages.get("/n", |lang: String, n: i64| format!("{lang} {n}")).endpoint("n").default("n", 9);
        pages
    }
    let mut app = App::new("demo");
    app.register_blueprint(pages());
    app.register_blueprint(pages()).name("german").url_prefix("/de").url_default("lang", "de");
    let client = client(app);
    assert_eq!(client.get("/").text(), "en 1 x");
    assert_eq!(client.get("/de/").text(), "de 1 x");
    assert_eq!(client.get("/de/n").text(), "de 9");
}
