//! An argument that is none: the error names it.

struct NotAnArgument;

fn view(_id: i64, _what: NotAnArgument) -> String {
    String::new()
}
dewar::check_handler!(view);

fn main() {
    let mut app = dewar::App::new("ui");
    app.get("/<int:id>", view);
}
