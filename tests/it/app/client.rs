//! The test client itself.

use dewar::{App, Cookie, Json, Response, Result, TestClient, current_context, g, redirect, request};

use crate::support::client;

#[test]
fn the_jar() {
    let mut app = App::new("demo");
    app.get("/set", || {
        Response::text("")
            .with_cookie(Cookie::new("all", "1"))
            .with_cookie(Cookie::new("below", "2").path("/p"))
            .with_cookie(Cookie::new("all", "3").path("/p"))
    });
    let seen = || request().header("cookie").unwrap_or("none").to_owned();
    app.get("/", seen);
    app.get("/p", seen);
    app.get("/p/q", seen);
    app.get("/pq", seen);
    app.get("/gone", || Response::text("").with_cookie(Cookie::removal("below").path("/p")));
    let client = client(app);
    client.get("/set");
    for (path, cookies) in
        [("/", "all=1"), ("/p", "all=3; below=2; all=1"), ("/p/q", "all=3; below=2; all=1"), ("/pq", "all=1")]
    {
        assert_eq!(client.get(path).text(), cookies, "{path}");
    }
    client.get("/gone");
    assert_eq!(client.get("/p").text(), "all=3; all=1");
    client.set_cookie("mine", "a;b");
    assert_eq!(client.cookie("mine").as_deref(), Some("a;b"));
    assert_eq!(client.get("/").text(), r#"all=1; mine="a\073b""#);
    client.delete_cookie("mine");
    client.delete_cookie("all");
    assert_eq!(client.get("/").text(), "none");
    // One that is given by hand is sent alone.
    client.set_cookie("jar", "1");
    assert_eq!(client.request("GET", "/").header("cookie", "hand=1").send().text(), "hand=1");
}

#[test]
fn redirects() {
    let mut app = App::new("demo");
    let echo = || -> Result<String> {
        let r = request();
        Ok(format!("{} {:?} {}", r.method(), r.content_type(), r.data()?.len()))
    };
    app.route("/end", echo).methods(["GET", "POST", "PUT"]);
    app.route("/302", || redirect("/end?x=1")).methods(["GET", "POST"]);
    app.route("/303", || redirect("end").status(303)).methods(["GET", "POST"]);
    app.route("/307", || redirect("http://localhost/end").status(307)).methods(["GET", "POST"]);
    app.route("/308", || redirect("/302").permanent()).methods(["GET", "POST"]);
    app.get("/loop", || redirect("/loop"));
    app.get("/away", || redirect("//other.example/"));
    app.get("/set", || Response::redirect("/cookie", 302).with_cookie(Cookie::new("a", "1")));
    app.get("/cookie", || request().cookie("a"));
    let client = client(app);
    for (path, text, location, hops) in [
        ("/302", "GET None 0", "/end?x=1", 1),
        ("/303", "GET None 0", "/end", 1),
        ("/307", "POST Some(\"application/json\") 1", "/end", 1),
        ("/308", "GET None 0", "/end?x=1", 2),
    ] {
        let response = client.post(path).json(&7).follow_redirects().send();
        assert_eq!(response.text(), text, "{path}");
        assert_eq!((response.location(), response.history().len()), (location, hops), "{path}");
    }
    let response = client.request("GET", "/308").follow_redirects().send();
    assert_eq!(
        response.history().iter().map(|r| (r.status(), r.location())).collect::<Vec<_>>(),
        [(308, "/308"), (302, "/302")]
    );
    assert_eq!(client.get("/302").status(), 302, "only when asked to");
    assert_eq!(client.request("GET", "/set").follow_redirects().send().text(), "1");
    for path in ["/loop", "/away"] {
        let follow = std::panic::AssertUnwindSafe(|| client.request("GET", path).follow_redirects().send());
        assert!(std::panic::catch_unwind(follow).is_err(), "{path}");
    }
}

#[test]
fn the_context_is_kept() {
    let mut app = App::new("demo");
    app.get("/<name>", |name: String| {
        g().set("seen", name.clone());
        Json(name)
    });
    let client = client(app);
    let response = client.get("/ada");
    assert_eq!(response.json::<String>(), "ada");
    let ctx = response.context().unwrap();
    assert_eq!(ctx.g().get::<String>("seen").as_deref(), Some("ada"));
    assert_eq!(ctx.view_arg_named("name").unwrap().to_string(), "ada");
    assert!(response.error().is_none());
    assert!(current_context().is_none());
    // What came of an earlier request stays apart.
    let other = client.get("/bob");
    assert_eq!(response.context().unwrap().g().get::<String>("seen").as_deref(), Some("ada"));
    assert_eq!(other.context().unwrap().g().get::<String>("seen").as_deref(), Some("bob"));
}

#[test]
fn what_fails_is_written_out() {
    // In a process of its own: this one has a logger.
    const MARK: &str = "DEWAR_TEST_500";
    let mut app = App::new("demo");
    app.get("/broken", || -> dewar::Result<()> { Err(dewar::Error::msg("out of tea")) });
    if std::env::var_os(MARK).is_some() {
        assert_eq!(app.test_client().get("/broken?q=secret").status(), 500);
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["app::client::what_fails_is_written_out", "--exact", "--nocapture"])
        .env(MARK, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with(&format!("Exception on /broken [GET]: out of tea\n  at {}", file!())), "{said}");
    let (response, _) = crate::support::logged(|| app.test_client().get("/broken"));
    assert!(format!("{response:?}").contains("out of tea"), "{response:?}");
}

#[test]
fn any_service_will_do() {
    let client = TestClient::new(|request: dewar::Request| Response::text(request.path().to_owned()));
    let response = client.get("/x");
    assert_eq!((&*response.text(), response.context().is_none()), ("/x", true));
}

#[test]
fn requests_as_they_arrive() {
    let mut app = App::new("demo");
    app.route("/", || {
        let r = request();
        let length = r.content_length();
        format!("{} {:?} {:?} {:?}", r.method(), r.host(), length, r.remote_addr().map(|a| a.ip().to_string()))
    })
    .methods(["GET", "POST", "DELETE", "PATCH"]);
    let client = client(app);
    assert_eq!(client.get("/").text(), r#"GET "localhost" None Some("127.0.0.1")"#);
    assert_eq!(client.post("/").body("abc").send().text(), r#"POST "localhost" Some(3) Some("127.0.0.1")"#);
    assert_eq!(client.delete("/").text(), r#"DELETE "localhost" None Some("127.0.0.1")"#);
    assert_eq!(client.patch("/").send().status(), 200);
    for bad in [|c: &TestClient| c.get("/a b").status(), |c: &TestClient| c.request("G T", "/").send().status()] {
        let refused = std::panic::AssertUnwindSafe(|| bad(&client));
        assert!(std::panic::catch_unwind(refused).is_err());
    }
}
