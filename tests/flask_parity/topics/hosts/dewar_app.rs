use dewar::App;

pub(crate) fn app() -> App {
    let mut app = crate::app("hosts");
    app.host_matching(true);
    crate::rules::add(&mut app, include_str!("rules.txt"));
    app
}
