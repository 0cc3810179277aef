//! What templates see: context processors, filters and globals of an app and its blueprints, macros from Rust.

use dewar::{
    App, Blueprint, Markup, Result, context, g, get_template_attribute, render, render_template_string, request,
};

use crate::support::{Trace, client, logged};

fn shown() -> Result<String> {
    render("shown.txt", context! { given => "view" })
}

const SHOWN: &str = "{{ given }} {{ app }} {{ outer }} {{ inner }} {{ wide }} {{ last }}";

#[test]
fn context_processors_by_blueprint() {
    let trace = Trace::default();
    let said = |what: &'static str| {
        let trace = trace.clone();
        move || trace.add(what)
    };
    let (first, second, third, fourth) = (said("app"), said("outer"), said("inner"), said("wide"));
    let mut app = App::new("demo");
    app.template("shown.txt", SHOWN);
    app.context_processor(move || {
        first();
        context! { given => "processor", app => "app", last => "app" }
    });
    let mut inner = Blueprint::new("inner").url_prefix("/inner");
    inner.context_processor(move || {
        third();
        context! { inner => "inner", last => "inner" }
    });
    inner.get("/", shown).endpoint("shown");
    let mut outer = Blueprint::new("outer").url_prefix("/outer");
    outer.context_processor(move || {
        second();
        context! { outer => request().path(), last => "outer" }
    });
    outer.app_context_processor(move || {
        fourth();
        context! { wide => "wide" }
    });
    outer.get("/", shown).endpoint("shown");
    outer.register_blueprint(inner);
    app.register_blueprint(outer);
    app.get("/", shown).endpoint("shown");
    app.get("/none", || "no template");
    let client = client(app);
    for (path, text, ran) in [
        ("/", "view app   wide app", &["app", "wide"][..]),
        ("/outer/", "view app /outer/  wide outer", &["app", "wide", "outer"]),
        ("/outer/inner/", "view app /outer/inner/ inner wide inner", &["app", "wide", "outer", "inner"]),
        ("/none", "no template", &[]),
    ] {
        assert_eq!(client.get(path).text(), text, "{path}");
        assert_eq!(trace.take(), ran, "{path}");
    }
}

#[test]
fn a_context_processor_that_fails() {
    let mut app = App::new("demo");
    app.context_processor(|| -> Result<dewar::minijinja::Value> {
        let n: i64 = request().args().get("n").unwrap_or("").parse()?;
        Ok(context! { n })
    });
    app.get("/", || render_template_string("{{ n }}", context! {}));
    let client = client(app);
    assert_eq!(client.get("/?n=7").text(), "7");
    let (response, records) = logged(|| client.get("/"));
    assert_eq!(response.status(), 500);
    assert!(records[0].contains("cannot parse integer"), "{records:?}");
}

#[test]
fn processors_come_before_the_frameworks_names_and_after_values() {
    let mut app = App::new("demo");
    app.context_processor(|| context! { g => "processed", n => 1 });
    app.template_global("config", || "own");
    app.template_global("request", || "own");
    app.get("/", || {
        g().set("user", "ada");
        render_template_string("{{ g }} {{ n }} {{ config() }} {{ request.path }}", context! { n => 2 })
    });
    assert_eq!(client(app).get("/").text(), "processed 2 own /");
}

#[test]
fn imports_see_no_values_unless_they_ask() {
    let mut app = App::new("demo");
    app.context_processor(|| context! { site => "Demo" });
    app.template(
        "m.html",
        "{% macro m() %}[{{ site }}|{{ n }}|{{ request.path }}|{{ url_for('index') }}]{% endmacro %}",
    );
    app.template("part.html", "[{{ site }}|{{ n }}]");
    app.get("/", |source: dewar::Query<Source>| render_template_string(&source.0.t, context! { n => 1 }))
        .endpoint("index");
    let client = client(app);
    for (source, text) in [
        ("{% import 'm.html' as m %}{{ m.m() }}", "[||/|/]"),
        ("{% import 'm.html' as m with context %}{{ m.m() }}", "[Demo|1|/|/]"),
        ("{% from 'm.html' import m %}{{ m() }} {{ n }}", "[||/|/] 1"),
        ("{% from 'm.html' import m with context %}{{ m() }}", "[Demo|1|/|/]"),
        ("{% from ['absent.html', 'm.html'] import m %}{{ m() }}", "[||/|/]"),
        ("{% include 'part.html' %}{% include 'part.html' without context %}{{ n }}", "[Demo|1][|]1"),
        ("{% include 'absent.html' ignore missing without context %}{{ n }}", "1"),
    ] {
        let query = dewar::routing::encode_query(&[("t", source.into())]);
        let response = client.get(&format!("/?{query}"));
        assert_eq!(response.text(), text, "{source}: {:?}", response.error());
    }
}

#[derive(serde::Deserialize)]
struct Source {
    t: String,
}

#[test]
fn filters_tests_and_globals() {
    let mut app = App::new("demo");
    app.template_filter("twice", |text: String| text.clone() + &text);
    app.template_test("short", |text: String| text.len() < 3);
    app.template_global("two", || 2);
    let mut blueprint = Blueprint::new("bp");
    blueprint.app_template_filter("twice", |text: String| format!("{text}, {text}"));
    blueprint.app_template_filter("path", |text: String| text + request().path());
    blueprint.app_template_test("long", |text: String| text.len() > 3);
    blueprint.app_template_global("three", || 3);
    let mut outer = Blueprint::new("outer");
    outer.register_blueprint(blueprint);
    app.register_blueprint(outer);
    let source = "{{ 'ab'|twice }} {{ 'ab' is short }} {{ 'ab' is long }} {{ two() + three() }} {{ '>'|path }} \
                  {{ ['a', 'b']|map('twice')|join(';') }} {{ ['abcd', 'a']|select('long')|list }}";
    app.get("/", move || render_template_string(source, context! {}));
    let client = client(app);
    assert_eq!(client.get("/").text(), "ab, ab True False 5 &gt;/ a, a;b, b [&#39;abcd&#39;]");
}

#[test]
fn macros_from_rust() {
    let mut app = App::new("demo");
    app.context_processor(|| context! { site => "Demo" });
    app.template(
        "parts.html",
        "{% set version = '1.0' %}{% macro field(name, type='text') %}<input name={{ name }} type={{ type }}>\
         {{ site }}{{ request.path }}{% endmacro %}{% macro fails() %}{{ nothing.at.all }}{% endmacro %}{% set _own = 1 %}",
    );
    app.get("/", || -> Result<String> {
        let field = get_template_attribute("parts.html", "field")?;
        let first: Markup = field.call(&["<a>".into()])?;
        let second = field.call_with(&[], &context! { name => "b", type => Markup::from("<i>") })?;
        let version = get_template_attribute("parts.html", "version")?.value()?;
        Ok(format!("{first} {second} {version}"))
    });
    app.get("/<name>", |name: String| -> Result<Markup> { get_template_attribute("parts.html", &name)?.call(&[]) });
    let client = client(app);
    assert_eq!(client.get("/").text(), "<input name=&lt;a&gt; type=text>/ <input name=b type=<i>>/ 1.0");
    for (name, says) in [
        ("absent", "the template `parts.html` has no `absent`"),
        ("_own", "has no `_own`"),
        ("url_for", "has no `url_for`"),
        ("fails", "parts.html:1"),
        ("version", "not callable"),
    ] {
        let (response, records) = logged(|| client.get(&format!("/{name}")));
        assert_eq!(response.status(), 500, "{name}");
        assert!(records[0].contains(says), "{name}: {records:?}");
    }
}

#[test]
fn markup_is_html_in_templates_and_text_in_json() {
    #[derive(serde::Serialize)]
    struct Page {
        body: Markup,
    }
    let mut app = App::new("demo");
    app.get("/", || {
        let page = Page { body: Markup::from("<p>") };
        let source = "{{ page.body }}{{ page.body|e }}{{ page.body is escaped }}{{ page.body|tojson }}{{ '<'|e }}";
        render_template_string(source, context! { page })
    });
    app.get("/json", || dewar::jsonify(Page { body: Markup::escape("<p>") }));
    app.get("/page", || Markup::from("<p>a  b<br>&eacute;&#33;").striptags());
    let client = client(app);
    assert_eq!(client.get("/").text(), "<p><p>True\"\\u003cp\\u003e\"&lt;");
    assert_eq!(client.get("/json").text(), r#"{"body":"&lt;p&gt;"}"#);
    assert_eq!(client.get("/page").text(), "a bé!");
}
