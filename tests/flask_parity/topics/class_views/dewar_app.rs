use dewar::{App, IntoResponse, MethodView, Request, Response, Result, View, request};

struct Item;

impl MethodView for Item {
    type Args = (i64,);
    const METHODS: &'static [&'static str] = &["GET", "PUT", "DELETE"];

    fn get(&self, (id,): (i64,)) -> Result<Response> {
        format!("get {id}").into_response()
    }

    fn put(&self, (id,): (i64,)) -> Result<Response> {
        let data = request().get_data()?;
        format!("put {id}: {}", String::from_utf8_lossy(&data)).into_response()
    }

    fn delete(&self, _: (i64,)) -> Result<Response> {
        ("", 204).into_response()
    }
}

struct Items;

impl MethodView for Items {
    type Args = ();
    const METHODS: &'static [&'static str] = &["GET", "POST"];

    fn get(&self, (): ()) -> Result<Response> {
        "all".into_response()
    }

    fn post(&self, (): ()) -> Result<Response> {
        ("made", 201).into_response()
    }
}

struct Page {
    title: &'static str,
}

impl View for Page {
    type Args = (Request,);
    const METHODS: &'static [&'static str] = &["GET", "POST"];

    fn dispatch_request(&self, (request,): (Request,)) -> Result<Response> {
        format!("{}: {}", self.title, request.method()).into_response()
    }
}

struct NoGet;

impl MethodView for NoGet {
    type Args = ();
    const METHODS: &'static [&'static str] = &["POST"];

    fn post(&self, (): ()) -> Result<Response> {
        "posted".into_response()
    }
}

pub(crate) fn app() -> App {
    let mut app = crate::app("class_views");
    app.add_view("/items/<int:id>", "item", Item);
    app.add_view("/items/", "items", Items);
    app.add_view("/page", "page", Page { title: "Title" });
    app.add_view("/no-get", "no_get", NoGet);
    app
}
