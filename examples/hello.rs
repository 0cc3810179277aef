//! The smallest app: a handler, a rule, a server.
//!
//! `cargo run --example hello`, then open <http://127.0.0.1:5000/hello/you>

use dewar::{App, Result};

fn hello(name: String) -> String {
    format!("Hello, {}!", dewar::escape_html(&name))
}

pub fn app() -> App {
    let mut app = App::new("hello");
    app.get("/", || "Say hello at <a href=/hello/you>/hello/you</a>.");
    app.get("/hello/<name>", hello);
    app
}

fn main() -> Result<()> {
    app().run()
}
