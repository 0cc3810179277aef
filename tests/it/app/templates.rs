//! Templates.

use dewar::{App, Blueprint, Result, context, g, render, render_template_string};

use crate::support::{Folder, client, logged};

#[test]
fn escaping_goes_by_the_name() {
    let mut app = App::new("demo");
    for name in ["a.html", "a.htm", "a.xml", "a.xhtml", "a.svg", "a.txt", "a.md", "html", "a.html.txt", "a.HTML"] {
        app.template(name, "{{ x }}");
    }
    app.get("/<name>", |name: String| render(&name, context! { x => "<&\"'>" }));
    app.get("/text/", || render_template_string("{{ x }} {{ x|safe }}", context! { x => "<b>" }));
    let client = client(app);
    for name in ["a.html", "a.htm", "a.xml", "a.xhtml", "a.svg"] {
        assert_eq!(client.get(&format!("/{name}")).text(), "&lt;&amp;&#34;&#39;&gt;", "{name}");
    }
    for name in ["a.txt", "a.md", "html", "a.html.txt", "a.HTML"] {
        assert_eq!(client.get(&format!("/{name}")).text(), "<&\"'>", "{name}");
    }
    assert_eq!(client.get("/text/").text(), "&lt;b&gt; <b>");
}

#[test]
fn the_names_that_a_template_sees() {
    let mut app = App::new("demo");
    app.config_mut().set("TITLE", "Shop").set("LIST", serde_json::json!([1, { "a": 2 }]));
    app.before_request(|| {
        g().set("user", String::from("ada"));
        g().set("n", 7);
    });
    let mut blueprint = Blueprint::new("bp");
    blueprint
        .get("/<name>", |source: dewar::Query<Source>| render_template_string(&source.0.t, context! { g => "mine" }));
    app.get("/x/<int:id>", |source: dewar::Query<Source>| render_template_string(&source.0.t, context! { own => 1 }))
        .endpoint("view");
    app.register_blueprint(blueprint);
    let client = client(app);
    client.set_cookie("c", "v");
    for (source, text) in [
        ("{{ own }}", "1"),
        ("{{ g.user }} {{ g.n + 1 }}{{ g.nothing }}", "ada 8"),
        ("{{ config.TITLE }} {{ config.LIST[1].a }} {{ config['TITLE'] }}", "Shop 2 Shop"),
        ("{{ request.method }} {{ request.path }} {{ request.host }}", "GET /x/7 localhost"),
        ("{{ request.endpoint }} {{ request.url_rule }} {{ request.blueprint }}", "view /x/&lt;int:id&gt; None"),
        ("{{ request.view_args.id }}", "7"),
        ("{{ request.cookies.c }} {{ request.headers['Host'] }} {{ request.headers.host }}", "v localhost localhost"),
        ("{{ request.args.q }} {{ request.args.get('q') }} {{ request.args.get('z', 'no') }}", "1 1 no"),
        ("{{ request.args.getlist('q')|join('+') }}", "1+2"),
        ("{{ 'q' in request.args }} {{ 'z' in request.args }}", "True False"),
        ("{{ url_for('view', id=8) }}", "/x/8"),
        ("{{ url_for('view', id=8, q='a b', tag=['x', 'y'], absent=none) }}", "/x/8?q=a+b&amp;tag=x&amp;tag=y"),
        ("{{ url_for('view', id=8, _anchor='top', _external=true) }}", "http://localhost/x/8#top"),
        ("{% for n in range(3) %}{{ n }}{% endfor %}", "012"),
        ("{{ {'a': '<'}|tojson }}", r#"{"a": "\u003c"}"#),
        ("{{ undefined_name }}", ""),
        ("{{ '<a/b>'|e }} {{ '<'|escape|e }} {{ ['<'] }}", "&lt;a/b&gt; &lt; [&#39;&lt;&#39;]"),
        ("{% autoescape false %}{{ '<' }}{% endautoescape %}", "<"),
    ] {
        let query: String = [("q", "1"), ("q", "2"), ("t", source)]
            .iter()
            .map(|(n, v)| dewar::routing::encode_query(&[(n, (*v).into())]) + "&")
            .collect();
        let response = client.get(&format!("/x/7?{query}"));
        assert_eq!((response.status(), &*response.text()), (200, text), "{source}: {:?}", response.error());
    }
    // Values that are given come before the framework's.
    assert_eq!(client.get("/n?t={{g}}".replace('{', "%7B").replace('}', "%7D").as_str()).text(), "mine");
}

#[derive(serde::Deserialize)]
struct Source {
    t: String,
}

#[test]
fn what_is_in_g() {
    #[derive(Clone, serde::Serialize)]
    struct User {
        name: &'static str,
        #[serde(skip)]
        _password: &'static str,
    }
    /// Its `Serialize` may use `g` as it likes.
    #[derive(Clone)]
    struct Asks;
    impl serde::Serialize for Asks {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_bool(g().contains("user"))
        }
    }
    let mut app = App::new("demo");
    app.before_request(|| {
        let user = User { name: "ada", _password: "secret" };
        g().set_shown("user", user.clone());
        g().set_shown("nobody", None::<User>);
        g().set_shown("asks", Asks);
        g().set_shown("bad", std::collections::HashMap::from([((), 1)]));
        g().set("hidden", user);
        g().set("some", Some("text".to_owned()));
        g().set("none", None::<i64>);
    });
    app.get("/", |source: dewar::Query<Source>| render_template_string(&source.0.t, context! {}));
    let client = client(app);
    let get = |source: &str| client.get(&format!("/?t={}", source.replace('%', "%25").replace(' ', "+")));
    for (source, text) in [
        ("{% if g.user %}{{ g.user.name }} {{ g.user['name'] }}{{ g.user._password }}{% endif %}", "ada ada"),
        (
            "{% if g.nobody %}x{% endif %}{{ g.nobody['name'] == 1 }} {{ g.asks }} {{ g.get('user').name }}",
            "False True ada",
        ),
        ("{% if g.absent %}x{% endif %}", ""),
        ("{{ g.some }} {{ g.none }} {{ g.none is none }}", "text None True"),
    ] {
        assert_eq!(get(source).text(), text, "{source}");
    }
    for (source, says) in [
        ("{% if g.hidden %}x{% endif %}", "::User`, which a template cannot see: derive `serde::Serialize` for it"),
        ("{{ g.hidden.name }}", "g().set_shown(\"hidden\", …)"),
        (
            "{{ g.bad }}",
            "`g.bad`, a `std::collections::hash::map::HashMap<(), i32>`, cannot be shown: key must be a string",
        ),
    ] {
        let (response, records) = logged(|| get(source));
        assert_eq!(response.status(), 500, "{source}");
        assert!(records[0].contains(says), "{records:?}");
    }
}

#[test]
fn templates_of_templates() {
    let folder = Folder::new("templates");
    folder
        .write("templates/base.html", "<title>{% block title %}base{% endblock %}</title>{% block body %}{% endblock %}")
        .write("templates/page.html", "{% extends 'base.html' %}{% block title %}{{ super() }} page{% endblock %}{% block body %}{% include 'sub/part.html' %}{% endblock %}")
        .write("templates/sub/part.html", "[{{ x }} {{ request.path }}]")
        .write("templates/macros.html", "{% macro link(to) %}<a href='{{ url_for(to) }}'>{{ to }}</a>{% endmacro %}")
        .write("templates/imports.html", "{% from 'macros.html' import link %}{% import 'macros.html' as m %}{{ link('imports') }}{{ m.link('page') }}")
        .write("templates/hidden.html", "from the folder");
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    app.template("hidden.html", "from the program");
    app.get("/page", page);
    app.get("/imports", imports);
    app.get("/hidden", || render("hidden.html", context! {}));
    app.get("/out", || render("../templates/hidden.html", context! {}));
    fn page() -> Result<String> {
        render("page.html", context! { x => "<x>" })
    }
    fn imports() -> Result<String> {
        render("imports.html", context! {})
    }
    let client = client(app);
    assert_eq!(client.get("/page").text(), "<title>base page</title>[&lt;x&gt; /page]");
    assert_eq!(client.get("/imports").text(), "<a href='/imports'>imports</a><a href='/page'>page</a>");
    assert_eq!(client.get("/hidden").text(), "from the program");
    assert_eq!(logged(|| client.get("/out")).0.status(), 500, "a name cannot lead out of the folder");
}

#[test]
fn errors_say_what_and_where() {
    let folder = Folder::new("template-errors");
    folder
        .write("templates/syntax.html", "one\n{% if %}")
        .write("templates/includes.html", "one\n{% include 'absent.html' %}")
        .write("templates/fails.html", "one\ntwo\n{{ 1 + {} }}")
        .write("templates/url.html", "{{ url_for('nowhere') }}");
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    app.get("/<name>", |name: String| render(&name, context! {}));
    let with_folder = client(app);
    let templates = folder.0.join("templates").display().to_string();
    for (name, parts) in [
        ("absent.html", &["there is no template `absent.html` in ", &*templates, "nor was it added to the app"][..]),
        ("syntax.html", &["syntax.html:2"]),
        ("includes.html", &["absent.html", "includes.html:2"]),
        ("fails.html", &["fails.html:3"]),
        ("url.html", &["nowhere", "url.html:1"]),
    ] {
        let (response, records) = logged(|| with_folder.get(&format!("/{name}")));
        assert_eq!(response.status(), 500, "{name}");
        for part in parts {
            assert!(records[0].contains(part), "{name}: {part} is not in {records:?}");
        }
    }

    // An app without a folder says where it would have been.
    let elsewhere = Folder::new("no-templates");
    let mut app = App::new("demo");
    app.root_path(&elsewhere.0);
    app.get("/", || render("absent.html", context! {}));
    let client = client(app);
    let (_, records) = logged(|| client.get("/"));
    assert!(records[0].contains(&elsewhere.0.join("templates").display().to_string()), "{records:?}");
    assert!(records[0].contains("app.template("), "{records:?}");
}

#[test]
fn reloaded_in_debug_only() {
    for debug in [true, false] {
        let folder = Folder::new(if debug { "reload" } else { "keep" });
        folder.write("templates/t.html", "old");
        let mut app = App::new("demo");
        app.root_path(&folder.0).config_mut().set("DEBUG", debug);
        app.get("/", || render("t.html", context! {}));
        let client = client(app);
        assert_eq!(client.get("/").text(), "old");
        folder.write("templates/t.html", "new");
        assert_eq!(client.get("/").text(), if debug { "new" } else { "old" });
    }
}
