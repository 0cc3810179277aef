//! Class-based views, decorators and middleware.

use dewar::{
    App, Blueprint, IntoResponse, MethodView, Next, Request, Response, Result, Service, State, View, abort, g,
    redirect, request,
};

use crate::support::{Trace, client, logged, mistakes};

struct Item(&'static str);

impl MethodView for Item {
    type Args = (i64, State<Trace>);
    const METHODS: &'static [&'static str] = &["GET", "POST", "DELETE", "PUT"];

    fn get(&self, (id, seen): Self::Args) -> Result<Response> {
        seen.add(format!("get {id}"));
        format!("{} {id}", self.0).into_response()
    }

    fn post(&self, (id, _): Self::Args) -> Result<Response> {
        let n: i64 = request().json()?;
        (n * id).to_string().into_response()
    }

    fn delete(&self, _: Self::Args) -> Result<Response> {
        abort!(410)
    }
}

#[test]
fn a_method_for_each_verb() {
    let trace = Trace::default();
    let mut items = Blueprint::new("items").url_prefix("/items");
    items.add_view("/<int:id>", "item", Item("item"));
    let mut app = App::new("shop");
    app.state(trace.clone());
    app.register_blueprint(items);
    app.get("/url", || dewar::url_for!("items.item", id = 7)).endpoint("url");
    let client = client(app);
    assert_eq!(client.get("/items/7").text(), "item 7");
    assert_eq!(client.head("/items/7").status(), 200, "HEAD is GET's");
    assert_eq!(trace.take(), ["get 7", "get 7"]);
    assert_eq!(client.post("/items/7").json(&6).send().text(), "42");
    assert_eq!(client.delete("/items/7").status(), 410);
    assert_eq!(client.get("/url").text(), "/items/7");

    let refused = client.patch("/items/7").send();
    assert_eq!(refused.status(), 405);
    let allow = refused.header("allow").unwrap();
    assert!(["GET", "HEAD", "POST", "DELETE", "PUT", "OPTIONS"].iter().all(|m| allow.contains(m)), "{allow}");
    let (response, log) = logged(|| client.put("/items/7").send());
    assert_eq!(response.status(), 500);
    assert!(log.iter().any(|line| line.contains("METHODS` has PUT") && line.contains("no method `put`")), "{log:?}");
}

struct Page(&'static str);

impl View for Page {
    type Args = ();

    fn dispatch_request(&self, (): ()) -> Result<Response> {
        self.0.into_response()
    }
}

fn signed(next: Next<'_>) -> Result<Response> {
    if request().header("x-user").is_none() {
        return redirect("/login").into_response();
    }
    g().set("signed", true);
    Ok(next.run()?.with_header("x-signed", "1"))
}

#[test]
fn one_view_several_times_and_decorators_around_it() {
    let mut app = App::new("site");
    app.add_view("/a", "a", Page("A"));
    app.add_view("/b", "b", Page("B")).decorate(signed).decorate(|next: Next<'_>| -> Result<Response> {
        assert!(!g().contains("signed"), "the one added last is the outermost");
        let response = next.run()?;
        Ok(response.with_header("x-outer", "1"))
    });
    app.get("/c/<n>", |n: String| n).endpoint("c").decorate(|next: Next<'_>| match next.context().view_arg_count() {
        1 => next.run(),
        _ => abort!(418),
    });
    let client = client(app);
    assert_eq!(client.get("/a").text(), "A");
    let away = client.get("/b");
    assert_eq!((away.status(), away.header("location"), away.header("x-outer")), (302, Some("/login"), Some("1")));
    let there = client.request("GET", "/b").header("x-user", "ada").send();
    assert_eq!((there.text().as_str(), there.header("x-signed")), ("B", Some("1")));
    assert_eq!(client.get("/c/7").text(), "7");
}

#[test]
fn arguments_of_class_views_are_checked_as_those_of_functions() {
    let mut app = App::new("wrong");
    app.add_view("/<name>", "item", Item("item"));
    let mistakes = mistakes(app);
    assert!(mistakes.iter().any(|m| m.contains("views.rs") && m.contains("`<name>`")), "{mistakes:?}");
    assert!(mistakes.iter().any(|m| m.contains("Trace")), "the state is missing: {mistakes:?}");
}

#[test]
fn middleware_is_around_everything_and_the_last_is_the_outermost() {
    let mut app = App::new("demo");
    app.get("/", || request().header("x-from").unwrap_or("nobody").to_owned()).endpoint("index");
    for name in ["inner", "outer"] {
        app.middleware(move |next| {
            move |request: Request| {
                let from = request.header("x-from").unwrap_or("").to_owned();
                let request = request.with_header("x-from", &format!("{from}{name} "));
                let response = next.call(request);
                let seen = response.header("x-seen").unwrap_or("").to_owned();
                response.with_header("x-seen", &format!("{seen}{name} "))
            }
        });
    }
    let client = client(app);
    let response = client.get("/");
    assert_eq!(response.text(), "outer inner ");
    assert_eq!(response.header("x-seen"), Some("inner outer "));
    assert_eq!(client.get("/nowhere").header("x-seen"), Some("inner outer "));
}
