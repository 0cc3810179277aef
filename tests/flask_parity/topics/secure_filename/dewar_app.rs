use dewar::{App, Request, Result, secure_filename};

pub(crate) fn app() -> App {
    let mut app = crate::app("secure_filename");
    app.get("/name", |request: Request| -> Result<String> {
        Ok(format!("[{}]", secure_filename(request.args().require("n")?)))
    });
    app
}
