use dewar::routing::{BuildError, UrlValue, ViewArg};
use dewar::{App, Blueprint, Request, url_for};

fn build(request: Request) -> (String, u16) {
    let args = request.args();
    let mut values: Vec<(&str, UrlValue)> = Vec::new();
    for (name, _) in args.iter() {
        if name == "endpoint" || values.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let several: Vec<Option<ViewArg>> = args.getlist(name).into_iter().map(crate::rules::typed).collect();
        let value = match several.as_slice() {
            [one] => UrlValue::from(one.clone()),
            _ => UrlValue::Many(several.into_iter().flatten().collect()),
        };
        values.push((name, value));
    }
    match url_for(args.get("endpoint").unwrap_or_default(), &values) {
        Ok(url) => (url, 200),
        Err(error) => match error.downcast_ref::<BuildError>() {
            // Where Python raises a ValueError.
            Some(error) if error.bad_value().is_some() => ("makes no sense".into(), 400),
            Some(_) => ("cannot be built".into(), 400),
            None => ("makes no sense".into(), 400),
        },
    }
}

pub(crate) fn app() -> App {
    let mut app = crate::app("url_for");
    crate::rules::add(&mut app, include_str!("rules.txt"));
    app.get("/build", build).endpoint("build");
    let mut outer = Blueprint::new("outer").url_prefix("/outer");
    outer.get("/page", || "").endpoint("page");
    outer.get("/build", build).endpoint("build");
    let mut inner = Blueprint::new("inner").url_prefix("/inner");
    inner.get("/page/<int:n>", || "").endpoint("page");
    inner.get("/build", build).endpoint("build");
    outer.register_blueprint(inner);
    app.register_blueprint(outer);
    app
}
