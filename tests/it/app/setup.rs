//! Mistakes in the set-up: all of them at once, each with its line, each with its cure.

use dewar::{App, Blueprint, Body, HttpError, Json, Path, State};

use crate::support::mistakes;

fn two(_: String, _: i64) -> &'static str {
    ""
}

struct Database;

/// Makes one mistake, and says which line comes after it.
type Make = fn(&mut App) -> u32;

#[test]
fn each_with_its_line_and_its_cure() {
    let cases: &[(Make, &[&str])] = &[
        // too few, too many
        (
            |app| {
                app.get("/<a>", two);
                line!()
            },
            &["rule `/<a>` gives 1 view argument (a: String)", "setup::two` takes 2", "all of them, in order, or none"],
        ),
        (
            |app| {
                app.get("/<a>/<int:b>/<c>", two);
                line!()
            },
            &["gives 3 view arguments (a: String, b: Int, c: String)"],
        ),
        (
            |app| {
                app.get("/", two);
                line!()
            },
            &["gives 0 view arguments, but"],
        ),
        // of the wrong type
        (
            |app| {
                app.get("/<a>/<b>", two);
                line!()
            },
            &["`<b>` is a string, which never gives the `i64`", "write `<int:b>`"],
        ),
        (
            |app| {
                app.get("/<int:x>", |_: f64| "");
                line!()
            },
            &["`<x>` is an int", "write `<float:x>`"],
        ),
        (
            |app| {
                app.get("/<float:x>", |_: uuid::Uuid| "");
                line!()
            },
            &["write `<uuid:x>`"],
        ),
        (
            |app| {
                app.get("/<x>", |_: std::path::PathBuf| "");
                line!()
            },
            &["write `<path:x>`"],
        ),
        (
            |app| {
                app.get("/<int:x>", |_: String| "");
                line!()
            },
            &["write `<string:x>`"],
        ),
        (
            |app| {
                app.get("/", |_: i64| "").default("page", "one");
                line!()
            },
            &["`<page>` is a string"],
        ),
        // extractors
        (
            |app| {
                app.get("/", |_: State<Database>| "");
                line!()
            },
            &["State<", "Database>`, but the app has none: call `app.state(…)`"],
        ),
        (
            |app| {
                app.get("/", |_: Option<State<Database>>| "");
                line!()
            },
            &["the app has none"],
        ),
        (
            |app| {
                app.post("/", |_: Json<i64>, _: Body| "");
                line!()
            },
            &["reads the body 2 times", "Json<i64>", "At most one"],
        ),
        (
            |app| {
                app.get("/<a>", |_: String, _: Path<String>| "");
                line!()
            },
            &["by position and by `Path` too"],
        ),
        (
            |app| {
                app.before_request(|_: State<Database>| ());
                line!()
            },
            &["the app has none"],
        ),
        (
            |app| {
                app.before_request(|_: i64| ());
                line!()
            },
            &["hooks get no view arguments", "take `Path`"],
        ),
        // rules
        (
            |app| {
                app.get("/<what:x>", || "");
                line!()
            },
            &["what"],
        ),
        (
            |app| {
                app.get("/<x", || "");
                line!()
            },
            &["/<x"],
        ),
        (
            |app| {
                app.get("no-slash", || "");
                line!()
            },
            &["no-slash", "/"],
        ),
        (
            |app| {
                app.get("/<x>/<x>", || "");
                line!()
            },
            &["x"],
        ),
        (
            |app| {
                app.get("/<int(mn=1):x>", || "");
                line!()
            },
            &["mn"],
        ),
        (
            |app| {
                app.route("/", || "").methods(["GET", "NOT A METHOD"]);
                line!()
            },
            &["\"NOT A METHOD\" is not a method"],
        ),
        // names
        (
            |app| {
                app.get("/1", || "1").endpoint("same");
                app.get("/2", || "2").endpoint("same");
                line!()
            },
            &[
                "the endpoint `same` belongs to another view already, registered at tests/it/app/setup.rs",
                ".endpoint(\"…\")",
            ],
        ),
        (
            |app| {
                app.register_blueprint(Blueprint::new("bp"));
                app.register_blueprint(Blueprint::new("bp"));
                line!()
            },
            &["there is a blueprint `bp` already", ".name(…)"],
        ),
        // the rest
        (
            |app| {
                app.errorhandler(200, |_: HttpError| "");
                line!()
            },
            &["an error handler for 200, which is no error"],
        ),
        (
            |app| {
                app.state(Database).state(Database);
                line!()
            },
            &["there is a state of type"],
        ),
        (
            |app| {
                app.config_mut().set("DEBUG", "yes");
                line!()
            },
            &["DEBUG is \"yes\", but it must be true or false"],
        ),
        (
            |app| {
                app.config_mut().set("MAX_CONTENT_LENGTH", -1);
                line!()
            },
            &["MAX_CONTENT_LENGTH is -1, but it must be a number of bytes"],
        ),
        #[cfg(feature = "static_files")]
        (
            |app| {
                app.static_folder("no/such/folder");
                line!()
            },
            &["the static folder", "no/such/folder is not there: make it, or name another", "relative to"],
        ),
        #[cfg(feature = "templates")]
        (
            |app| {
                app.template_folder("no/such/folder");
                line!()
            },
            &["the template folder", "no/such/folder is not there: make it, or name another"],
        ),
        #[cfg(feature = "templates")]
        (
            |app| {
                app.template("bad.html", "{% if %}");
                line!()
            },
            &["the template `bad.html` is not valid", "bad.html:1"],
        ),
    ];
    for (make, parts) in cases {
        let mut app = App::new("demo");
        let line = make(&mut app) - 1;
        let found = mistakes(app);
        assert_eq!(found.len(), 1, "line {line}: {found:#?}");
        assert!(found[0].starts_with(&format!("{}:{line}:", file!())), "line {line}: {}", found[0]);
        for part in *parts {
            assert!(found[0].contains(part), "line {line}: `{part}` is not in: {}", found[0]);
        }
    }
}

#[test]
fn all_at_once() {
    let mut app = App::new("shop");
    let mut blueprint = Blueprint::new("bp").url_prefix("/<lang>");
    blueprint.get("/", |_: i64| "");
    blueprint.errorhandler(200, |_: HttpError| "");
    app.get("/<a>", two);
    app.get("/<nope:a>", || "");
    app.config_mut().set("DEBUG", 7).set("MAX_FORM_PARTS", "x");
    app.register_blueprint(blueprint);
    let error = app.into_service().unwrap_err();
    assert_eq!(error.messages().count(), 6, "{error}");
    let text = error.to_string();
    assert!(text.starts_with("the app `shop` has "), "{text}");
    assert!(error.messages().all(|message| text.contains(&message)));
    assert_eq!(format!("{error:?}"), text, "what `unwrap` shows");
}

#[test]
fn what_is_no_mistake() {
    let mut app = App::new("demo");
    app.get("/a/<a>", || "none of the arguments");
    app.get("/b/<a>/<int:b>", two);
    app.get("/c/<a>/<int:b>", two); // one view, two rules: one endpoint
    app.get("/d", || "closures have no endpoint");
    app.get("/e", || "so they do not clash");
    app.get("/f/<a>", two).default("b", 1);
    app.post("/g", |_: Option<Json<i64>>| "");
    app.state(Database);
    app.get("/h", |_: State<Database>| "");
    app.config_mut().set("DEBUG", serde_json::Value::Null).set("MINE", "anything");
    if let Err(error) = app.into_service() {
        panic!("{error}");
    }
}

#[test]
#[should_panic(expected = "has 1 mistake in its set-up:\n  tests/it/app/setup.rs:")]
fn the_test_client_panics_with_them() {
    let mut app = App::new("demo");
    app.get("/<a>", two);
    app.test_client();
}
