//! `url_for`, in a request and outside of one. What is built here was asked of Flask 3.1 first.

use dewar::{App, Request, Result, url_for};
use http::Method;

use crate::support::{client, service};

#[test]
fn anchors_are_quoted_as_by_flask() {
    let mut app = App::new("demo");
    app.get("/", || url_for!("i", _anchor = "50% <a>#[é!$&'()*+,/:;=?@")).endpoint("i");
    assert_eq!(client(app).get("/").text(), "/#50%%20%3Ca%3E#%5B%C3%A9!$&'()*+,/:;=?@");
}

#[test]
fn the_rule_for_the_request_s_method_comes_first() {
    let mut app = App::new("demo");
    app.get("/mg", || "").endpoint("m");
    app.add_url_rule("/mp", "m").methods(["POST"]);
    app.route("/p", || Ok::<_, dewar::Error>(format!("{} {}", url_for!("m")?, url_for!("m", _method = "post")?)))
        .methods([Method::GET, Method::POST])
        .endpoint("p");
    let client = client(app);
    assert_eq!(client.get("/p").text(), "/mg /mp");
    assert_eq!(client.post("/p").send().text(), "/mp /mp");
}

#[test]
fn outside_of_requests() {
    let site = |name: Option<&str>| {
        let mut app = App::new("demo");
        if let Some(name) = name {
            app.config_mut().set("SERVER_NAME", name);
        }
        app.config_mut().set("APPLICATION_ROOT", "/app/").set("PREFERRED_URL_SCHEME", "https");
        app.get("/<x>", || "").endpoint("x");
        app.get("/s", || "").endpoint("s").subdomain("sub");
        service(app).site().clone()
    };
    let here = site(Some("Example.org:443"));
    let x = ("x", "a b".into());
    for (endpoint, values, url) in [
        ("x", vec![x.clone()], "https://example.org/app/a%20b"),
        (".x", vec![x.clone(), ("q", 1.into())], "https://example.org/app/a%20b?q=1"),
        ("x", vec![x.clone(), ("_external", false.into())], "/app/a%20b"),
        ("x", vec![x.clone(), ("_scheme", "http".into()), ("_external", true.into())], "http://example.org/app/a%20b"),
        ("s", vec![], "https://sub.example.org/app/s"),
        ("s", vec![("_external", false.into())], "https://sub.example.org/app/s"),
    ] {
        assert_eq!(here.url_for(endpoint, &values).unwrap(), url);
    }
    let error = here.url_for("x", &[x.clone(), ("_scheme", "http".into()), ("_external", false.into())]).unwrap_err();
    assert!(error.to_string().contains("_scheme"), "{error}");
    let nowhere = site(None);
    let error = nowhere.url_for("x", std::slice::from_ref(&x)).unwrap_err();
    assert!(error.to_string().contains("SERVER_NAME"), "{error}");
    assert_eq!(nowhere.url_for("x", &[x, ("_external", false.into())]).unwrap(), "/app/a%20b");
}

#[test]
fn the_script_name_comes_before_everything() {
    fn links() -> Result<String> {
        Ok(format!("{} {}", url_for!("links")?, url_for!("links", _external = true)?))
    }
    let mut app = App::new("demo");
    app.config_mut().set("APPLICATION_ROOT", "/unused");
    app.get("/links", links);
    app.get("/slash/", || "");
    app.add_url_rule("/old", "old").redirect_to("new");
    let service = service(app);
    let call = |path: &str| dewar::Service::call(&service, Request::get(path).with_script_root("shop/"));
    let text =
        |response: dewar::Response| String::from_utf8(response.into_body().into_bytes().unwrap().into()).unwrap();
    assert_eq!(text(call("/links")), "/shop/links http://localhost/shop/links");
    assert_eq!(call("/slash").headers()["location"], "/shop/slash/");
    assert_eq!(call("/old").headers()["location"], "/shop/new");
}
