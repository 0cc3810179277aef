use dewar::routing::UrlValue;
use dewar::{App, Blueprint, Request, Result, url_for};

fn build(request: Request) -> Result<String> {
    let args = request.args();
    let mut values: Vec<(&str, UrlValue)> = Vec::new();
    for (name, value) in args.iter() {
        if name != "endpoint" && values.iter().all(|(known, _)| *known != name) {
            values.push((name, UrlValue::from(value)));
        }
    }
    url_for(args.require("endpoint")?, &values)
}

pub(crate) fn app() -> App {
    let mut app = crate::app("subdomains");
    app.subdomain_matching(true);
    app.config_mut().set("SERVER_NAME", "example.com");
    crate::rules::add(&mut app, include_str!("rules.txt"));
    let mut admin = Blueprint::new("admin").subdomain("admin");
    admin.route("/", crate::rules::told).endpoint("index");
    let mut inner = Blueprint::new("inner").subdomain("inner");
    inner.route("/", crate::rules::told).endpoint("index");
    admin.register_blueprint(inner);
    app.register_blueprint(admin);
    app.get("/build", build).endpoint("build").subdomain("build");
    app
}
