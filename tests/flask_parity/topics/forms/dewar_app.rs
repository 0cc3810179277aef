use dewar::{App, MultiDict, Request, Response, Result};

fn lines(values: &MultiDict) -> String {
    let mut seen: Vec<&str> = Vec::new();
    let mut out = String::new();
    for (name, _) in values.iter() {
        if !seen.contains(&name) {
            seen.push(name);
            out += &format!("{name}={}\n", values.getlist(name).join("|"));
        }
    }
    out
}

pub(crate) fn app() -> App {
    let mut app = crate::app("forms");
    app.config_mut().set("MAX_CONTENT_LENGTH", 2000);
    app.config_mut().set("MAX_FORM_MEMORY_SIZE", 500);
    app.config_mut().set("MAX_FORM_PARTS", 5);
    app.route("/form", |request: Request| -> Result<Response> { Ok(Response::text(lines(request.form()?))) })
        .methods(["GET", "POST", "PUT", "PATCH"]);
    app.post("/key", |request: Request| -> Result<String> { Ok(request.form()?.require("name")?.to_owned()) });
    app.post("/int", |request: Request| -> Result<String> {
        Ok(request.form()?.get_as::<i64>("n").unwrap_or(-1).to_string())
    });
    app.post("/data", |request: Request| -> Result<Response> {
        Ok(Response::typed("application/octet-stream", request.get_data()?))
    });
    app.post("/untouched", || "not read");
    app
}
