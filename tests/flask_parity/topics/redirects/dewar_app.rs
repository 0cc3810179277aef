use dewar::{App, Cookie, IntoResponse, Request, Response, Result, redirect, url_for};

fn place(request: &Request) -> Result<String> {
    Ok(request.args().require("to")?.to_owned())
}

pub(crate) fn app() -> App {
    let mut app = crate::app("redirects");
    app.route("/to", |request: Request| -> Result<Response> { redirect(place(&request)?).into_response() })
        .methods(["GET", "POST"]);
    app.get("/to/<int:code>", |code: u16, request: Request| -> Result<Response> {
        redirect(place(&request)?).status(code).into_response()
    });
    app.get("/named", || -> Result<Response> { redirect(url_for!("target", name = "a b")?).into_response() })
        .endpoint("named");
    app.get("/target/<name>", |name: String| name).endpoint("target");
    app.get("/more", || -> Result<Response> {
        let response = redirect("/target/x").with_cookie(Cookie::new("seen", "1")).into_response()?;
        Ok(response.with_header("x-more", "yes"))
    });
    app.get("/tuple", || (redirect("/target/x"), [("x-more", "yes")]));
    app
}
