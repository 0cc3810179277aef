//! Templates rendered by Jinja, under Flask 3.1: what is in `jinja2.json` is what they printed, `null` where they failed.

use std::collections::BTreeMap;

use dewar::minijinja::Value;
use dewar::{App, Request, render_template_string};

use crate::support::service;

#[derive(serde::Deserialize)]
struct Table {
    /// Dicts in it keep their order.
    data: BTreeMap<String, Value>,
    templates: BTreeMap<String, String>,
    rows: Vec<(String, Option<String>)>,
}

#[test]
fn what_jinja_prints() {
    let table: Table = serde_json::from_str(include_str!("jinja2.json")).expect("the table is JSON");
    assert!(table.rows.len() > 500, "the table is whole");
    let mut app = App::new("lab");
    app.config_mut().set("SECRET_KEY", "x").set("TESTING", false).set("DEBUG", false);
    for (name, source) in table.templates {
        app.jinja_env().add_template_owned(name, source).expect("the templates are right");
    }
    let service = service(app);
    let data = Value::from(table.data);
    let mut wrong = Vec::new();
    for (source, printed) in &table.rows {
        let rendered = service.with_context(Request::get("/"), || render_template_string(source, data.clone()));
        if rendered.as_ref().ok() != printed.as_ref() {
            wrong.push(format!("{source}\n  Jinja: {printed:?}\n  Dewar: {rendered:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), table.rows.len(), wrong.join("\n"));
}
