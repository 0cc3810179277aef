use dewar::{App, Body, IntoResponse, Response, Result, g, request, session, stream_with_context};

fn html(body: Body) -> Response {
    Response::html(body)
}

pub(crate) fn app() -> App {
    let mut app = crate::app("streaming");
    app.config_mut().set("SECRET_KEY", "of the parity suite");
    app.get("/blocks/<int:n>", |n: u32| html(Body::blocks((0..n).map(|i| format!("block {i}\n")))));
    app.get("/bytes", || {
        Response::typed("application/octet-stream", Body::blocks((0..4_u8).map(|i| vec![i; 3])))
    });
    app.get("/empty-blocks", || html(Body::blocks(["a", "", "b", ""])));
    app.get("/status", || (html(Body::blocks(["a", "b"])), 202, [("x-one", "1")]));
    app.get("/context", || {
        g().set("word", "kept");
        let parts = (0..5).map(|i| match i {
            0 => request().path().to_owned(),
            2 => g().get::<&str>("word").unwrap_or_default().to_owned(),
            4 => request().args().get("q").unwrap_or("none").to_owned(),
            _ => " ".to_owned(),
        });
        html(Body::blocks(stream_with_context(parts)))
    });
    app.get("/session", || -> Result<Response> {
        session().set("n", 1)?;
        let parts = [()].into_iter().map(|()| session().get::<i64>("n").unwrap_or(0).to_string());
        Ok(html(Body::blocks(stream_with_context(parts))))
    });
    app.get("/large", || html(Body::blocks((0..30).map(|_| "x".repeat(10_000)))));
    app.get("/length", || -> Result<Response> {
        let blocks = Body::blocks(["abc", "def"]);
        (Response::text(blocks), [("content-length", "6")]).into_response()
    });
    app.get("/no-content", || html(Body::blocks(Vec::<&str>::new())).with_status(204));
    app
}
