//! A return type that is no response: by `check_handler!`, and by the route alone.

struct NotAResponse;

fn view(_id: i64) -> NotAResponse {
    NotAResponse
}
dewar::check_handler!(view);

fn main() {
    let mut app = dewar::App::new("ui");
    app.get("/<int:id>", view);
}
