use dewar::{App, Request, Response, Result, abort};

pub(crate) fn app() -> App {
    let mut app = crate::app("errors");
    app.get("/abort/<int:code>", |code: u16| -> Result<()> { abort!(code) });
    app.get("/text/<int:code>", |code: u16, request: Request| -> Result<()> {
        abort!(code, "{}", request.args().require("text")?)
    });
    app.get("/response", || -> Result<()> {
        abort!(Response::html("as it is").with_status(409).with_header("x-more", "yes"))
    });
    app.get("/raise", || -> Result<String> { Ok("x".parse::<i64>()?.to_string()) });
    app.get("/key", |request: Request| -> Result<String> { Ok(request.args().require("needed")?.to_owned()) });
    app.post("/form-key", |request: Request| -> Result<String> { Ok(request.form()?.require("needed")?.to_owned()) });
    app.get("/only-get", || "here");
    app
}
