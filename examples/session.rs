//! What belongs to a visitor: a counter and flashed messages, in a signed cookie that Flask reads and writes too.
//!
//! `cargo run --example session`, then open <http://127.0.0.1:5000/>
//!
//! `SITE_SECRET_KEY` in the environment gives it another key than the one in this file.

use dewar::{App, Form, Redirect, Result, Session, context, flash, flash_with, redirect, render};
use serde::Deserialize;

const PAGE: &str = r#"<!doctype html>
<title>Session</title>
{% for category, message in get_flashed_messages(with_categories=true) -%}
<p class="{{ category }}">{{ message }}</p>
{% endfor -%}
<p>Hello, {{ session.get("name", "stranger") }}: visit {{ visits }}.</p>
<form method="post" action="{{ url_for('set_name') }}"><input name="name"><button>That is me</button></form>
<form method="post" action="{{ url_for('forget') }}"><button>Forget me</button></form>
"#;

#[derive(Deserialize)]
struct Name {
    name: String,
}

fn index(session: Session) -> Result<String> {
    let visits = session.get::<u32>("visits").unwrap_or(0).saturating_add(1);
    session.set("visits", visits)?;
    render("page.html", context! { visits })
}

fn set_name(session: Session, Form(Name { name }): Form<Name>) -> Result<Redirect> {
    if name.is_empty() {
        flash_with("Say who you are.", "error")?;
    } else {
        flash(format!("Welcome, {name}."))?;
        session.set("name", name)?;
        session.set_permanent(true)?;
    }
    Ok(redirect("/"))
}

fn forget(session: Session) -> Redirect {
    session.clear();
    redirect("/")
}

pub fn app() -> App {
    let mut app = App::new("session");
    app.config_mut().set("SECRET_KEY", "only good for an example").from_prefixed_env("SITE");
    app.template("page.html", PAGE);
    app.get("/", index);
    app.post("/name", set_name);
    app.post("/forget", forget);
    app
}

fn main() -> Result<()> {
    app().run()
}
