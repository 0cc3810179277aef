use dewar::{App, JsonProvider, Result, RunOptions, current_app, json};

fn key(name: String) -> Result<String> {
    let app = current_app();
    match app.config().get(&name) {
        Some(value) => JsonProvider::default().dumps(value),
        None => JsonProvider::default().dumps("not set"),
    }
}

fn namespace(prefix: String) -> Result<String> {
    JsonProvider::default().dumps(current_app().config().get_namespace(&prefix, true, true))
}

fn namespace_upper(prefix: String) -> Result<String> {
    JsonProvider::default().dumps(current_app().config().get_namespace(&prefix, false, false))
}

pub(crate) fn app() -> App {
    let mut app = crate::app("config");
    let here = crate::folder().join("topics/config");
    // The environment of this process cannot be set; a file of it can be read.
    let environment = here.join("environment.env").display().to_string();
    RunOptions::from_env_and(["--env-file".to_owned(), environment]).expect("it can be read");
    let config = app.config_mut();
    config.from_file(here.join("settings.json"), false).expect("it can be read");
    config.from_file(here.join("settings.toml"), false).expect("it can be read");
    config.from_mapping([("MAPPED", json!(1)), ("lower", json!(2)), ("KEYWORD", json!("x"))]);
    config.from_object(&json!({ "UPPER": "taken", "lower": "not taken", "NUMBER": 7 }));
    let found = config.from_file(here.join("nothing.json"), true).expect("it need not be there");
    config.set("silent", found);
    config.from_prefixed_env("PARITY");
    app.get("/key/<name>", key);
    app.get("/namespace/<prefix>", namespace);
    app.get("/namespace/<prefix>/upper", namespace_upper);
    app
}
