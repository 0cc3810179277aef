use dewar::{App, Blueprint, Request, Response, Result, current_context};

/// As Python shows it.
fn word(yes: bool) -> String {
    if yes { "True" } else { "False" }.to_owned()
}

fn or_none(text: Option<&str>) -> String {
    text.unwrap_or("None").to_owned()
}

fn dump(request: Request) -> Result<Response> {
    let ctx = current_context().expect("in a request");
    let told = [
        ("method", request.method().to_string()),
        ("scheme", request.scheme().to_owned()),
        ("host", request.host().to_owned()),
        ("path", request.decoded_path()?.into_owned()),
        ("full_path", request.full_path()),
        ("query_string", request.query_string().to_owned()),
        ("url", request.url()),
        ("is_secure", word(request.is_secure())),
        ("remote_addr", request.remote_addr().map_or("None".into(), |addr| addr.ip().to_string())),
        ("endpoint", or_none(ctx.endpoint())),
        ("url_rule", or_none(ctx.url_rule())),
        ("blueprint", or_none(ctx.blueprint())),
        ("content_type", or_none(request.content_type())),
        ("mimetype", request.mimetype()),
        ("content_length", request.content_length().map_or("None".into(), |length| length.to_string())),
        ("is_json", word(request.is_json())),
        ("x-one", or_none(request.header_text("x-one").as_deref())),
    ];
    Ok(Response::text(told.map(|(name, value)| format!("{name}: {value}\n")).concat()))
}

pub(crate) fn app() -> App {
    let methods = ["GET", "POST", "PUT", "DELETE", "BREW"];
    let mut app = crate::app("request");
    app.before_request(|request: Request| -> Result<Option<Response>> {
        request.args().contains("early").then(|| dump(request)).transpose()
    });
    app.route("/", dump).endpoint("index").methods(methods);
    app.route("/p/<path:rest>", dump).endpoint("path").methods(methods);
    app.get("/café/<int:n>", dump).endpoint("cafe");
    let mut blueprint = Blueprint::new("blue").url_prefix("/blue");
    blueprint.get("/<name>", dump).endpoint("print");
    app.register_blueprint(blueprint);
    app
}
