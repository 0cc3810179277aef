//! What a handler captures is shared by all workers.

fn main() {
    let mut app = dewar::App::new("ui");
    let shared = std::rc::Rc::new(1);
    app.get("/", move || shared.to_string());
}
