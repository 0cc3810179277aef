use dewar::{App, HttpError, Request, Response, Result, WwwAuthenticate};

fn who(request: Request) -> Response {
    let Some(auth) = request.authorization() else { return Response::html("nobody") };
    let or_none = |text: Option<&str>| text.unwrap_or("None").to_owned();
    Response::text(format!(
        "{}\nuser: {}\npassword: {}\ntoken: {}\nrealm: {}\n",
        auth.scheme(),
        or_none(auth.username()),
        or_none(auth.password()),
        or_none(auth.token()),
        or_none(auth.get("realm"))
    ))
}

fn asks() -> Result<&'static str> {
    Err(HttpError::new(401).with_www_authenticate(&WwwAuthenticate::basic("the \"inner\" room")).into())
}

fn response() -> Response {
    let mut answer = Response::html("no");
    answer.set_status(401);
    answer.set_www_authenticate(WwwAuthenticate::digest("x", "abc").with("qop", "auth"));
    answer
}

pub(crate) fn app() -> App {
    let mut app = crate::app("authorization");
    app.get("/who", who);
    app.get("/asks", asks);
    app.get("/response", response);
    app
}
