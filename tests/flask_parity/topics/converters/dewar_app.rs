use dewar::App;

pub(crate) fn app() -> App {
    let mut app = crate::app("converters");
    crate::rules::add(&mut app, include_str!("rules.txt"));
    app
}
