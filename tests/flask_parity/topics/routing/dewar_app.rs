use dewar::App;

pub(crate) fn app() -> App {
    let mut app = crate::app("routing");
    crate::rules::add(&mut app, include_str!("rules.txt"));
    app
}
