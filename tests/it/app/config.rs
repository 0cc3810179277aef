//! Configuration: from code, files and the environment; what is wrong with it, and where files are.

use dewar::{App, Config, current_app, json};

use crate::support::{alone, client, logged, mistakes};

#[test]
fn only_upper_case_is_taken() {
    #[derive(serde::Serialize)]
    #[allow(non_snake_case)]
    struct Object {
        NAME_2: &'static str,
        hidden: bool,
        Mixed: bool,
        _1: bool,
    }
    let mut config = Config::new();
    config.from_object(&Object { NAME_2: "x", hidden: true, Mixed: true, _1: true });
    config.from_mapping([("OTHER", 1), ("other", 2)]);
    assert_eq!((config.get_str("NAME_2"), config.get("OTHER")), (Some("x"), Some(&json!(1))));
    for key in ["hidden", "Mixed", "_1", "other"] {
        assert_eq!(config.get(key), None, "{key}");
    }
}

#[test]
fn an_object_without_fields_is_a_mistake() {
    let mut app = App::new("demo");
    app.config_mut().from_object(&[1, 2]).from_object(&std::collections::BTreeMap::from([((1, 2), 3)]));
    let found = mistakes(app);
    assert!(found[0].contains("config.rs") && found[0].ends_with("such as a struct, not a list"), "{found:?}");
    assert!(found[1].contains("cannot be written"), "{found:?}");
}

#[test]
fn defaults_are_seen() {
    let mut app = App::new("demo");
    app.config_mut().set("MAX_FORM_PARTS", 7).set("MINE", 1);
    app.get("/", || {
        let site = current_app();
        let config = site.config();
        let lifetime: u64 = config.get_as("PERMANENT_SESSION_LIFETIME").unwrap().unwrap();
        format!("{lifetime} {} {}", config.get("MAX_FORM_PARTS").unwrap(), config.get_str("APPLICATION_ROOT").unwrap())
    });
    assert_eq!(app.config().iter().filter(|(key, _)| key.starts_with("M")).count(), 4);
    assert_eq!(client(app).get("/").text(), "2678400 7 /");
}

#[test]
fn a_namespace_is_cut_out() {
    let mut config = Config::new();
    config.set("FOO_A", 1).set("FOO_B_C", "x").set("FOOD", 2);
    for (lowercase, trim, keys) in [
        (true, true, ["a", "b_c"]),
        (false, true, ["A", "B_C"]),
        (true, false, ["foo_a", "foo_b_c"]),
        (false, false, ["FOO_A", "FOO_B_C"]),
    ] {
        let found = config.get_namespace("FOO_", lowercase, trim);
        assert_eq!(found.keys().collect::<Vec<_>>(), keys);
    }
    assert!(config.get_namespace("SESSION_COOKIE_", true, true).contains_key("name"));
    assert!(config.get_namespace("NO_", true, true).is_empty());
}

#[test]
fn zero_and_one_are_yes_and_no() {
    for (value, debug) in [(json!(1), true), (json!(0), false), (json!(true), true), (json!(false), false)] {
        let mut app = App::new("demo");
        app.config_mut().set("DEBUG", value);
        assert_eq!(app.into_service().unwrap().site().debug(), debug);
    }
}

#[test]
fn each_wrong_value_is_reported() {
    let mut app = App::new("demo");
    let wrong = [
        ("TESTING", json!("yes")),
        ("PROPAGATE_EXCEPTIONS", json!(2)),
        ("TRAP_HTTP_EXCEPTIONS", json!([])),
        ("TRAP_BAD_REQUEST_ERRORS", json!("1")),
        ("USE_X_SENDFILE", json!({})),
        ("EXPLAIN_TEMPLATE_LOADING", json!("x")),
        ("TRUSTED_HOSTS", json!("example.org")),
        ("SECRET_KEY", json!(12)),
        ("MAX_CONTENT_LENGTH", json!(-1)),
        ("MAX_COOKIE_SIZE", json!("big")),
        ("PERMANENT_SESSION_LIFETIME", json!("31 days")),
    ];
    app.config_mut().from_mapping(wrong.clone());
    let found = mistakes(app);
    assert_eq!(found.len(), wrong.len(), "{found:#?}");
    for (key, value) in wrong {
        let message = found.iter().find(|message| message.contains(&format!("configuration's {key} is "))).unwrap();
        assert!(message.contains("config.rs:") && message.contains("but it must be "), "{message}");
        assert_eq!(message.contains(&value.to_string()), key != "SECRET_KEY", "{message}");
    }
}

#[test]
fn what_looks_like_a_key_is_warned_of() {
    for (key, says) in [
        ("SECRETKEY", Some("did you mean SECRET_KEY?")),
        ("debug", Some("did you mean DEBUG?")),
        ("SESSION_COOKIE_SAMSITE", Some("did you mean SESSION_COOKIE_SAMESITE?")),
        ("MAX_CONTENT_LENGHT", Some("did you mean MAX_CONTENT_LENGTH?")),
        ("TRUSTED_HOST", Some("did you mean TRUSTED_HOSTS?")),
        ("JSON_SORT_KEYS", Some("JSON provider")),
        ("ENV", Some("set DEBUG")),
        ("DATABASE", None),
        ("SECRET_KEY_FILE", None),
        ("MAX_FORM_PARTS", None),
        ("DEBUG_TOOLBAR", None),
    ] {
        let mut app = App::new("demo");
        app.config_mut().set(key, json!(null));
        let (_, records) = logged(|| app.into_service().unwrap());
        match says {
            None => assert_eq!(records, [""; 0], "{key}"),
            Some(says) => {
                assert_eq!(records.len(), 1, "{key}: {records:?}");
                let record = &records[0];
                assert!(
                    record.starts_with("WARN ") && record.contains("config.rs:") && record.contains(says),
                    "{record}"
                );
            }
        }
    }
}

#[test]
fn no_bound_is_none() {
    let mut app = App::new("demo");
    app.config_mut().from_mapping([("MAX_FORM_MEMORY_SIZE", json!(null)), ("MAX_FORM_PARTS", json!(null))]);
    app.post("/", || Ok::<_, dewar::Error>(dewar::request().form()?.require("a")?.len().to_string()));
    let long = "x".repeat(600_000);
    assert_eq!(client(app).post("/").form([("a", &*long)]).send().text(), "600000");
}

#[cfg(any(feature = "static_files", feature = "templates", feature = "tiny_http"))]
mod files {
    use std::io::Read;

    use super::*;
    use crate::support::Folder;

    #[test]
    fn a_file_is_taken_by_its_extension() {
        let folder = Folder::new("config-files");
        folder.write("site.json", r#"{"TESTING": true, "small": 1, "MAIL": {"port": 25}}"#);
        folder.write("list.json", "[1]").write("bad.json", "{").write("site.yaml", "A: 1");
        folder.write("instance/own.json", r#"{"WHERE": "instance"}"#);
        let mut app = App::new("demo");
        app.root_path(&folder.0);
        let config = app.config_mut();
        assert!(config.from_file("site.json", false).unwrap());
        assert_eq!((config.get("TESTING"), config.get("small")), (Some(&json!(true)), None));
        assert_eq!(config.get("MAIL").unwrap()["port"], 25);
        assert!(!config.from_file("none.json", true).unwrap());
        for (name, says) in [
            ("none.json", "none.json could not be taken: No such file"),
            ("list.json", "it must be a JSON object"),
            ("bad.json", "it must be a JSON object: EOF"),
            ("site.yaml", "its name must end in .json or .toml"),
            ("site", "its name must end in .json or .toml"),
        ] {
            let error = config.from_file(name, name != "none.json").unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(error.is_missing(), name == "none.json");
            assert_eq!(error.path(), folder.0.join(name));
        }
        assert!(config.from_json_file("site.yaml", false).is_err());
        assert!(!config.from_envvar("DEWAR_TEST_NOT_SET", true).unwrap());
        let error = config.from_envvar("DEWAR_TEST_NOT_SET", false).unwrap_err().to_string();
        assert!(error.starts_with("the environment variable DEWAR_TEST_NOT_SET is not set"), "{error}");

        app.instance_relative_config(true);
        assert!(app.config_mut().from_file("own.json", false).unwrap());
        assert_eq!(app.config().get_str("WHERE"), Some("instance"));
    }

    #[test]
    fn what_is_wrong_in_a_file_names_it() {
        let folder = Folder::new("config-wrong");
        folder.write("site.json", r#"{"DEBUG": "yes"}"#);
        let mut app = App::new("demo");
        app.config_mut().from_file(folder.0.join("site.json"), false).unwrap();
        let found = mistakes(app);
        assert!(found[0].contains("config.rs:") && found[0].ends_with("site.json)"), "{found:?}");
    }

    #[cfg(feature = "toml")]
    #[test]
    fn toml_is_taken() {
        let folder = Folder::new("config-toml");
        let text = "SECRET_KEY = 'x'\nsmall = 1\nDAY = 2026-01-01\nRATIO = 0.5\nLIST = [1, 'a']\n[MAIL]\nport = 25\nwhen = 12:00:00\n";
        folder.write("site.toml", text).write("site.conf", text).write("bad.toml", "A = ");
        let mut config = Config::new();
        assert!(config.from_file(folder.0.join("site.toml"), false).unwrap());
        assert_eq!((config.get_str("SECRET_KEY"), config.get("small")), (Some("x"), None));
        assert_eq!(config.get_str("DAY"), Some("2026-01-01"));
        assert_eq!(config.get("LIST"), Some(&json!([1, "a"])));
        assert_eq!(config.get("MAIL"), Some(&json!({"port": 25, "when": "12:00:00"})));
        assert_eq!(config.get("RATIO"), Some(&json!(0.5)));
        assert!(config.from_toml_file(folder.0.join("site.conf"), false).unwrap());
        assert!(config.from_file(folder.0.join("bad.toml"), true).unwrap_err().to_string().contains("line 1"));
    }

    #[test]
    fn resources_are_opened() {
        let folder = Folder::new("config-resources");
        folder.write("schema.sql", "create").write("instance/data", "own");
        let mut app = App::new("demo");
        app.root_path(&folder.0);
        let read = |file: std::io::Result<std::fs::File>| {
            let mut text = String::new();
            file.unwrap().read_to_string(&mut text).unwrap();
            text
        };
        assert_eq!(read(app.open_resource("schema.sql")), "create");
        assert_eq!(read(app.open_instance_resource("data")), "own");
        let service = app.into_service().unwrap();
        assert_eq!(read(service.site().open_resource("schema.sql")), "create");
        assert_eq!(read(service.site().open_instance_resource("data")), "own");
        assert_eq!(service.site().instance_path(), folder.0.join("instance"));
        let error = service.site().open_resource("none").unwrap_err();
        assert!(error.to_string().contains(&*folder.0.join("none").to_string_lossy()), "{error}");
    }
}

#[test]
fn an_instance_path_is_absolute() {
    let mut app = App::new("demo");
    app.instance_path("instance");
    let found = mistakes(app);
    assert!(found[0].contains("config.rs:") && found[0].contains("must be absolute"), "{found:?}");
}

/// Variables are the whole process's, so each of these has one of its own.
#[cfg(unix)]
mod environment {
    use std::process::Command;

    use super::*;

    /// Runs this test in a process of its own, with these variables, in this folder.
    fn with(name: &str, folder: Option<&std::path::Path>, variables: &[(&str, &str)], args: &[&str]) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([&format!("app::config::environment::{name}"), "--exact", "--nocapture"]).args(args);
        command.current_dir(folder.unwrap_or(std::path::Path::new("."))).envs(variables.iter().copied());
        let output = command.env("DEWAR_TEST_ALONE", format!("app::config::environment::{name}")).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }

    fn is_alone() -> bool {
        std::env::var_os("DEWAR_TEST_ALONE").is_some()
    }

    #[test]
    fn a_prefix_is_taken() {
        if !is_alone() {
            let variables = [
                ("SHOP_A", "1"),
                ("SHOP_B", "text"),
                ("SHOP_C__D__E", "[1]"),
                ("SHOP_C__F", "true"),
                ("SHOP_DEBUG", "\"no\""),
                ("SHOPS", "x"),
            ];
            return with("a_prefix_is_taken", None, &variables, &[]);
        }
        let mut app = App::new("demo");
        let config = app.config_mut();
        config.set("C", json!({"G": 1})).from_prefixed_env("SHOP");
        assert_eq!(config.get("A"), Some(&json!(1)));
        assert_eq!(config.get("B"), Some(&json!("text")));
        assert_eq!(config.get("C"), Some(&json!({"D": {"E": [1]}, "F": true, "G": 1})));
        assert_eq!(config.get("S"), None);
        let found = mistakes(app);
        assert!(found[0].ends_with("(from the environment's SHOP_DEBUG)"), "{found:?}");
    }

    #[test]
    fn debug_is_the_environments() {
        if !is_alone() {
            for value in ["1", "true", "yes", "0", "false", "No", ""] {
                let variables = [("DEWAR_DEBUG", value)];
                with("debug_is_the_environments", None, &variables, &[]);
            }
            return;
        }
        let wanted = ["1", "true", "yes"].contains(&&*std::env::var("DEWAR_DEBUG").unwrap());
        let app = App::new("demo");
        assert_eq!(app.config().get("DEBUG"), Some(&json!(wanted)));
        assert!(app.config().iter().any(|(key, value)| key == "DEBUG" && *value == wanted));
        assert_eq!(app.into_service().unwrap().site().debug(), wanted);
        let mut app = App::new("demo");
        app.config_mut().set("DEBUG", !wanted);
        assert_eq!(app.config().iter().filter(|(key, _)| *key == "DEBUG").count(), 1);
        assert_eq!(app.config().get("DEBUG"), Some(&json!(!wanted)));
        assert_eq!(app.into_service().unwrap().site().debug(), !wanted);
    }

    #[cfg(all(feature = "cli", any(feature = "static_files", feature = "templates", feature = "tiny_http")))]
    #[test]
    fn files_are_below_the_environment() {
        if !is_alone() {
            let folder = crate::support::Folder::new("dotenv");
            folder.write(".dewarenv", "A=dewarenv\nB=dewarenv\nC=dewarenv\nSHOP_X=1\n");
            folder.write(".env", "export B='env'\nC=env\nBOTH=${A}-${HERE}\n").write("below/here", "");
            folder.write("own.json", r#"{"OWN": 1}"#).write("more.env", "CONFIG=../own.json");
            with(
                "files_are_below_the_environment",
                Some(&folder.0.join("below")),
                &[("C", "real"), ("HERE", "h")],
                &[],
            );
            let skipped = [("DEWAR_SKIP_DOTENV", "1")];
            with("files_are_below_the_environment", Some(&folder.0), &skipped, &[]);
            return;
        }
        let all = ["A", "B", "C", "BOTH"].map(dewar::env_var);
        if std::env::var_os("DEWAR_SKIP_DOTENV").is_some() {
            assert_eq!(all, [const { None }; 4]);
            return;
        }
        let expected = ["dewarenv", "env", "real", "dewarenv-h"];
        assert_eq!(all, expected.map(|text| Some(text.to_owned())));
        assert!(std::env::var_os("A").is_none());
        let mut config = Config::new();
        config.from_prefixed_env("SHOP");
        assert_eq!(config.get("X"), Some(&json!(1)));
    }

    #[test]
    fn a_process_of_its_own_is_one() {
        alone("app::config::environment::a_process_of_its_own_is_one", || assert!(is_alone()));
    }
}
