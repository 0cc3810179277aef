use dewar::{App, Request, g, json};

pub(crate) fn app() -> App {
    let mut app = crate::app("trusted_hosts");
    app.config_mut().set("TRUSTED_HOSTS", json!(["localhost", "example.com", ".example.org"]));
    app.before_request(|| g().set("ran", true));
    app.get("/", |request: Request| request.host().to_owned());
    app
}
