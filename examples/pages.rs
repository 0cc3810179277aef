//! The pages of `compare.py`: a template with 50 rows, a session that is read and written, a form. See benches/README.md.

use dewar::minijinja::value::{Serde, Value};
use dewar::{App, FormData, Result, context, render, request, session};
use serde::Serialize;
use std::sync::LazyLock;

#[derive(Serialize)]
struct Row {
    id: u32,
    name: String,
    price: u32,
}

/// As templates have them: what Python's dicts are to Flask's.
static ROWS: LazyLock<Value> = LazyLock::new(|| {
    let row = |id| Row { id, name: format!("Item <{id}> & more"), price: id * 100 + 99 };
    Value::from(Serde((0..50).map(row).collect::<Vec<_>>()))
});

fn page() -> Result<String> {
    let rows: &Value = &ROWS;
    render("rows.html", context! { rows, count => rows.len() })
}

fn item(id: u32) -> String {
    id.to_string()
}

fn visits() -> Result<String> {
    let visits = session().get::<u64>("visits").unwrap_or(0) + 1;
    session().set("visits", visits)?;
    session().set("name", "Ada Lovelace")?;
    Ok(visits.to_string())
}

fn form() -> Result<String> {
    let form: FormData = request().form()?.clone();
    let (title, body) = (form.require("title")?, form.require("body")?);
    Ok(format!("{} {} {}", title.len(), body.len(), form.get_as::<i64>("page").unwrap_or(1)))
}

fn main() -> Result<()> {
    let mut app = App::new("pages");
    app.root_path(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/pages"));
    app.config_mut().set("SECRET_KEY", "only good for measuring");
    app.get("/page", page);
    app.get("/item/<int:id>", item);
    app.get("/visits", visits);
    app.post("/form", form);
    app.run()
}
