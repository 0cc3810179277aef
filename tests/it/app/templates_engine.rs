//! How templates are found and read.

use dewar::minijinja::UndefinedBehavior;
use dewar::{
    App, Blueprint, JinjaOptions, Request, TemplateNotFound, context, get_template_attribute, render, render_template,
    render_template_string, stream_template,
};

use crate::support::{Folder, client, logged, mistakes, service};

#[test]
fn the_apps_folder_then_the_blueprints_in_order() {
    let folder = Folder::new("template-folders");
    folder
        .write("templates/a.txt", "app")
        .write("one/a.txt", "one")
        .write("one/b.txt", "one {% include 'c.txt' %}")
        .write("two/b.txt", "two")
        .write("two/c.txt", "two")
        .write("two/nested/d.txt", "nested")
        .write("inner/c.txt", "inner");
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    let mut one = Blueprint::new("one").template_folder("one");
    one.register_blueprint(Blueprint::new("inner").template_folder("inner"));
    app.register_blueprint(one);
    app.register_blueprint(Blueprint::new("two").template_folder("two"));
    app.template("e.txt", "program");
    app.get("/<path:name>", |name: String| render(&name, context! {}));
    let client = client(app);
    for (name, text) in
        [("a.txt", "app"), ("b.txt", "one inner"), ("c.txt", "inner"), ("nested/d.txt", "nested"), ("e.txt", "program")]
    {
        assert_eq!(client.get(&format!("/{name}")).text(), text, "{name}");
    }
    for name in ["nested", "..%2Fone%2Fb.txt", "nested/..%2F..%2Fone%2Fb.txt", "..%5Cone%5Cb.txt", "a.txt%00"] {
        let (response, records) = logged(|| client.get(&format!("/{name}")));
        assert_eq!(response.status(), 500, "{name}");
        assert!(records[0].contains("there is no template"), "{name}: {records:?}");
    }
}

#[test]
fn a_folder_that_is_not_there() {
    let mut app = App::new("demo");
    let line = line!() + 1;
    app.register_blueprint(Blueprint::new("bp").template_folder("no/such/folder"));
    let found = mistakes(app);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(&format!("{}:{line}:", file!())) && found[0].contains("no/such/folder"), "{found:?}");
}

#[test]
fn the_first_that_exists() {
    let mut app = App::new("demo");
    app.template("b.txt", "b").template("c.txt", "c").template("bad.txt", "{% include 'absent.txt' %}");
    app.get("/list", || render_template(["a.txt", "b.txt", "c.txt"], context! {}));
    app.get("/owned", || render_template(vec![String::from("x"), String::from("c.txt")], context! {}));
    app.get("/one", || render_template(String::from("b.txt"), context! {}));
    app.get("/none", || render_template(["x.txt", "y.txt"], context! {}));
    app.get("/empty", || render_template(Vec::<String>::new(), context! {}));
    app.get("/bad", || render_template(["bad.txt", "b.txt"], context! {}));
    let client = client(app);
    for (path, text) in [("/list", "b"), ("/owned", "c"), ("/one", "b")] {
        assert_eq!(client.get(path).text(), text, "{path}");
    }
    for (path, says) in [
        ("/none", "there is none of the templates `x.txt`, `y.txt`"),
        ("/empty", "has no name in it"),
        ("/bad", "absent.txt"),
    ] {
        let (response, records) = logged(|| client.get(path));
        assert_eq!(response.status(), 500, "{path}");
        assert!(records[0].contains(says), "{path}: {records:?}");
    }
}

#[test]
fn a_view_can_tell_that_there_is_no_template() {
    let mut app = App::new("demo");
    app.template("bad.txt", "{% include 'absent.txt' %}").template("macro.txt", "{% macro m() %}{% endmacro %}");
    let service = service(app);
    let missing = |error: dewar::Error| {
        let missing = error.downcast_ref::<TemplateNotFound>()?;
        assert!(missing.to_string().contains("there is no"), "{missing}");
        assert_eq!(missing.name(), missing.names().last().map(String::as_str));
        Some(missing.names().join(" "))
    };
    service.with_context(Request::get("/"), || {
        let values = || context! {};
        assert_eq!(missing(render("x.txt", values()).unwrap_err()), Some("x.txt".into()));
        assert_eq!(missing(stream_template("x.txt", values()).unwrap_err()), Some("x.txt".into()));
        assert_eq!(missing(get_template_attribute("x.txt", "m").unwrap_err()), Some("x.txt".into()));
        // Something else is wrong.
        assert!(!render("bad.txt", values()).unwrap_err().is::<TemplateNotFound>());
        assert!(!get_template_attribute("macro.txt", "n").unwrap_err().is::<TemplateNotFound>());
        let error = render(["x.txt", "y.txt"], values()).unwrap_err();
        assert_eq!(error.downcast_ref::<TemplateNotFound>().unwrap().names(), ["x.txt", "y.txt"]);
        let error = render([""; 0], values()).unwrap_err();
        assert_eq!(error.downcast_ref::<TemplateNotFound>().unwrap().name(), None);
    });
}

#[test]
fn dicts_are_made_of_dicts_and_pairs() {
    let service = service(App::new("demo"));
    // As Jinja prints them.
    for (template, printed) in [
        ("{{ dict([('a', 1)]) }}", Some("{'a': 1}")),
        ("{{ dict([['a', 1], ('b', 2)], c=3, a=4) }}", Some("{'a': 4, 'b': 2, 'c': 3}")),
        ("{{ dict({'a':1}, b=2) }}", Some("{'a': 1, 'b': 2}")),
        ("{{ dict(['ab','cd']) }}", Some("{'a': 'b', 'c': 'd'}")),
        ("{{ dict([]) }}{{ dict('') }}", Some("{}{}")),
        ("{{ dict([('a',1,2)]) }}", None),
        ("{{ dict(nope) }}", None),
        ("{{ dict(none) }}", None),
        ("{{ dict([1]) }}", None),
        ("{{ dict({'a':1}.items()) }}", Some("{'a': 1}")),
    ] {
        let made = service.with_context(Request::get("/"), || render_template_string(template, context! {}));
        assert_eq!(made.ok().map(|page| page.replace("&#39;", "'")).as_deref(), printed, "{template}");
    }
}

#[test]
fn nonsense_has_bounds() {
    let service = service(App::new("demo"));
    for n in ["1000000000000", "99999", "-1", "'x'"] {
        let page = format!("{{{{ lipsum({n}) }}}}");
        let made = service.with_context(Request::get("/"), || render_template_string(&page, context! {}));
        assert!(made.is_err(), "{n}");
    }
}

#[test]
fn every_place_is_told() {
    let folder = Folder::new("template-explained");
    folder.write("templates/a.txt", "app").write("bp/b.txt", "bp");
    let mut app = App::new("demo");
    app.root_path(&folder.0).config_mut().set("EXPLAIN_TEMPLATE_LOADING", true);
    app.register_blueprint(Blueprint::new("bp").template_folder("bp"));
    app.get("/<name>", |name: String| render(&name, context! {}));
    let client = client(app);
    let (_, records) = logged(|| client.get("/b.txt"));
    assert_eq!(records.len(), 1, "{records:?}");
    let lines: Vec<&str> = records[0].lines().collect();
    assert!(lines[0].contains("Looking for the template \"b.txt\""), "{lines:?}");
    assert!(lines[1].contains("1. the app's folder") && lines[1].ends_with("not there"), "{lines:?}");
    assert!(lines[2].contains("2. the blueprint `bp`'s folder") && lines[2].ends_with("found"), "{lines:?}");
    let (_, records) = logged(|| client.get("/absent.txt"));
    assert!(records[0].contains("It is in none of them"), "{records:?}");
}

#[test]
fn auto_reload_as_it_is_set() {
    for (debug, reload, text) in [(false, true, "new"), (true, false, "old")] {
        let folder = Folder::new(&format!("reload-{debug}"));
        folder.write("templates/t.html", "{% include 'part.html' %}").write("templates/part.html", "old");
        let mut app = App::new("demo");
        app.root_path(&folder.0).config_mut().set("DEBUG", debug).set("TEMPLATES_AUTO_RELOAD", reload);
        app.get("/", || render("t.html", context! {}));
        let client = client(app);
        assert_eq!(client.get("/").text(), "old");
        // Of another length: clocks of file systems are coarse.
        folder.write("templates/part.html", "new and longer");
        assert_eq!(client.get("/").text().split(' ').next(), Some(text));
    }
}

#[test]
fn options() {
    let source = "{% if true %}\n  {% if true %}\na\n{% endif %}{% endif %}\n";
    let rendered = |options: JinjaOptions| {
        let mut app = App::new("demo");
        // In any order: templates are read when the app is frozen.
        app.template("t.txt", source).jinja_options(options);
        app.get("/", || render("t.txt", context! {}));
        client(app).get("/").text().to_string()
    };
    assert_eq!(rendered(JinjaOptions::new()), "\n  \na\n");
    assert_eq!(rendered(JinjaOptions::new().trim_blocks(true)), "  a\n");
    assert_eq!(rendered(JinjaOptions::new().lstrip_blocks(true)), "\n\na\n");
    assert_eq!(rendered(JinjaOptions::new().keep_trailing_newline(true)), "\n  \na\n\n");
}

#[test]
fn names_that_are_not_there() {
    for (behavior, source, text) in [
        (UndefinedBehavior::Lenient, "[{{ a }}]", Some("[]")),
        (UndefinedBehavior::Lenient, "[{{ a.b }}]", None),
        (UndefinedBehavior::Chainable, "[{{ a.b.c }}]", Some("[]")),
        (UndefinedBehavior::Strict, "[{{ a }}]", None),
    ] {
        let mut app = App::new("demo");
        app.template("t.txt", source).jinja_options(JinjaOptions::new().undefined(behavior));
        app.get("/", || render("t.txt", context! {}));
        let client = client(app);
        let (response, _) = logged(|| client.get("/"));
        assert_eq!((response.status() == 200).then(|| response.text().to_string()).as_deref(), text, "{source}");
    }
}

#[test]
fn errors_show_the_line() {
    let folder = Folder::new("template-lines");
    folder
        .write("templates/attr.html", "one\n  {{ user.address.street }}\n")
        .write("templates/outer.html", "{% include 'attr.html' %}")
        .write("templates/import.html", "{% import 'absent.html' as m %}")
        .write("templates/itself.html", "{% include 'itself.html' %}");
    for debug in [false, true] {
        let mut app = App::new("demo");
        app.root_path(&folder.0).config_mut().set("DEBUG", debug);
        app.get("/<name>", |name: String| render(&name, context! { user => context! {} }));
        let client = client(app);
        for (name, parts) in [
            ("attr.html", &["attr.html:2", "{{ user.address.street }}", "undefined"][..]),
            ("outer.html", &["outer.html:1", "attr.html:2", "{{ user.address.street }}"]),
            ("import.html", &["absent.html", "import.html:1"]),
            ("itself.html", &["recursion limit exceeded"]),
        ] {
            let (response, records) = logged(|| client.get(&format!("/{name}")));
            assert_eq!(response.status(), 500, "{name}");
            for part in parts {
                assert!(records[0].contains(part), "{name}: {part} is not in {}", records[0]);
            }
            assert!(debug || !records[0].contains("_without_context"), "{}", records[0]);
        }
        if debug {
            let (_, records) = logged(|| client.get("/attr.html"));
            assert!(records[0].contains("`user.address` is undefined"), "{}", records[0]);
        }
    }
}
