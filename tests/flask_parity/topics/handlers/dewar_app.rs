use std::fmt;

use dewar::{App, Blueprint, HttpError, Request, Result, abort};

macro_rules! errors {
    ($($name:ident)*) => {
        $(
            #[derive(Debug)]
            struct $name(&'static str);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(self.0)
                }
            }

            impl std::error::Error for $name {}
        )*
    };
}

errors!(ValueError Lost Broken);

fn view(request: Request) -> Result<&'static str> {
    match request.args().get("what").unwrap_or_default() {
        "" => Ok("fine"),
        "value" => Err(ValueError("the value").into()),
        "lost" => Err(Lost("the way").into()),
        "broken" => Err(Broken("to pieces").into()),
        "not_found_class" => abort!(404, "own words"),
        code => abort!(code.parse::<u16>()?),
    }
}

pub(crate) fn app() -> App {
    let mut app = crate::app("handlers");
    let mut outer = Blueprint::new("outer").url_prefix("/outer");
    let mut inner = Blueprint::new("inner").url_prefix("/inner");
    let mut plain = Blueprint::new("plain").url_prefix("/plain");
    app.get("/", view);
    outer.get("/", view);
    inner.get("/", view);
    plain.get("/", view);

    app.errorhandler(404, |error: HttpError| (format!("app 404: {}", error.name()), 404));
    app.errorhandler_for(|error: HttpError| {
        (format!("app http {}: {}", error.status().as_u16(), error.name()), error.status())
    });
    app.errorhandler_for(|error: ValueError| format!("app value: {error}"));
    app.errorhandler(500, |error: HttpError| {
        let original = error.original().map_or("None".to_owned(), |original| original.source().to_string());
        (format!("app 500: {original}"), 500)
    });
    app.errorhandler(410, |error: HttpError| error);
    app.errorhandler(423, |_: HttpError| -> Result<&'static str> { Err(Broken("in the handler").into()) });
    app.errorhandler(424, |_: HttpError| -> Result<&'static str> { abort!(404) });
    app.errorhandler(451, |error: HttpError| {
        (format!("app {}", error.status().as_u16()), 451, [("x-more", "yes")])
    });
    outer.errorhandler(403, |_: HttpError| ("outer 403", 403));
    outer.errorhandler_for(|error: ValueError| (format!("outer value: {error}"), 422));
    outer.errorhandler_for(|error: HttpError| {
        (format!("outer http {}", error.status().as_u16()), error.status())
    });
    inner.errorhandler(404, |_: HttpError| ("inner 404", 404));
    inner.errorhandler_for(|error: Lost| (format!("inner lost: {error}"), 410));
    plain.app_errorhandler(409, |_: HttpError| ("409 by a blueprint for all", 409));

    outer.register_blueprint(inner);
    app.register_blueprint(outer);
    app.register_blueprint(plain);
    app
}
