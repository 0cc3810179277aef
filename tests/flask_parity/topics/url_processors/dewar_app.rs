use dewar::{App, Blueprint, Result, current_app, g, url_for};

fn word(name: &str, default: &str) -> String {
    g().get::<String>(name).unwrap_or_else(|| default.into()).to_string()
}

fn trace(more: &str) {
    let so_far = word("trace", "");
    g().set("trace", format!("{so_far} {more}").trim().to_owned());
}

fn hello() -> Result<String> {
    let language = word("language", "");
    Ok(format!("{language} {} {} {}", url_for!("hello")?, url_for!("plain")?, url_for!("hello", language = "fr")?))
}

fn plain() -> Result<String> {
    Ok(format!("{} {} {}", word("language", ""), url_for!("hello")?, word("trace", "")))
}

fn page(n: i64) -> Result<String> {
    let next = url_for!(".page", n = n + 1)?;
    let other = url_for!("blue.page", n = 1, site = "x")?;
    Ok(format!("{} {n} {next} {other} {}", word("site", ""), word("trace", "")))
}

pub(crate) fn app() -> App {
    let mut app = crate::app("url_processors");
    app.url_value_preprocessor(["language"], |endpoint, values| {
        trace(&format!("app {}", endpoint.unwrap_or("None")));
        if endpoint.is_some() {
            g().set("language", values.get("language").map_or("none".to_owned(), |value| value.to_string()));
        }
    });
    app.url_defaults(|endpoint, values| {
        if !values.contains("language") && current_app().is_endpoint_expecting(endpoint, &["language"]) {
            values.insert("language", word("language", "en"));
        }
    });
    app.get("/<language>/hello", hello).endpoint("hello");
    app.get("/plain", plain).endpoint("plain");
    let mut blue = Blueprint::new("blue").url_prefix("/<site>");
    blue.url_value_preprocessor(["site"], |_, values| {
        trace("blue");
        if let Some(site) = values.get("site") {
            g().set("site", site.to_string());
        }
    });
    blue.url_defaults(|_, values| values.set_default("site", word("site", "none")));
    blue.get("/page/<int:n>", page).endpoint("page");
    app.register_blueprint(blue);
    app
}
