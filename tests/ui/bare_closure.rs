//! A closure's arguments need their types.

fn main() {
    let mut app = dewar::App::new("ui");
    app.get("/<name>", |name| format!("Hello, {name}!"));
}
