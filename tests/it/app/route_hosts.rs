//! Hosts, subdomains, and hosts that are not trusted. What is answered here was asked of Flask 3.1 first.

use dewar::{App, Blueprint, HttpError, Request, Result, Service, TestClient, url_for};
use http::HeaderValue;

use crate::support::{Trace, client, mistakes, service};

/// The body of what is there for this host, or the status.
fn get(client: &TestClient, host: &str, path: &str) -> String {
    let response = client.request("GET", path).header("host", host).send();
    match response.status() {
        200 => response.text().to_owned(),
        status => match response.header("location") {
            Some(location) => format!("{status} {location}"),
            None => status.to_string(),
        },
    }
}

/// Flask's own table for one rule that names a host and a subdomain.
#[test]
fn one_rule_three_ways() {
    for (subdomains, hosts, answers) in [
        (false, false, ["default", "default", "default"]),
        (true, false, ["default", "abc", "<invalid>"]),
        (false, true, ["default", "abc", "default"]),
    ] {
        let mut app = App::new("demo");
        app.subdomain_matching(subdomains);
        if hosts {
            app.host_matching(true).static_host("example.test");
        }
        app.config_mut().set("SERVER_NAME", "example.test");
        app.get("/", |name: String| name).endpoint("index").default("name", "default").host("<name>");
        app.add_url_rule("/", "index").subdomain("<name>").host("<name>.example.test");
        let client = client(app);
        let hosts = ["example.test", "abc.example.test", "xyz.other.test"];
        assert_eq!(hosts.map(|host| get(&client, host, "/")), answers, "{subdomains} {hosts:?}");
    }
}

#[test]
fn hosts() {
    fn links() -> Result<String> {
        Ok(format!(
            "{} {} {}",
            url_for!("h", h = "o.test")?,
            url_for!("h", h = "e.test")?,
            url_for!("k", _external = true)?
        ))
    }
    let mut app = App::new("demo");
    app.host_matching(true).static_host("static.test");
    app.get("/", || "no host");
    app.get("/h", |h: String| h).endpoint("h").host("<h>");
    app.get("/k", links).endpoint("k").host("e.test");
    app.get("/<page>", |user: String, page: String| format!("{user} {page}")).host("<user>.users.test");
    app.get("/twice/", || "twice").endpoint("twice").host("a.test");
    app.add_url_rule("/two/", "twice").host("b.test");
    app.get("/where", || url_for!("twice")).host("b.test");
    let client = client(app);
    for (host, path, answer) in [
        ("e.test", "/", "404"),
        ("E.Test:81", "/h", "e.test:81"),
        ("e.test", "/k", "http://o.test/h /h http://e.test/k"),
        ("e.test:81", "/k", "404"),
        ("ada.users.test", "/%C3%A9%2Fx", "404"),
        ("ada.users.test", "/%C3%A9", "ada é"),
        ("a.test", "/twice", "308 /twice/"),
        ("a.test", "//twice/", "200"),
        ("b.test", "/where", "/two/"),
    ] {
        if answer == "200" {
            assert_eq!(get(&client, host, path), "twice");
            continue;
        }
        assert_eq!(get(&client, host, path), answer, "{host}{path}");
    }
    assert_eq!(
        client.request("OPTIONS", "/k").header("host", "e.test").send().header("allow"),
        Some("GET, HEAD, OPTIONS")
    );
}

#[test]
fn subdomains() {
    fn index() -> Result<String> {
        Ok([
            url_for!("user", user = "bob", x = 1)?,
            url_for!("index")?,
            url_for!("index", _external = true)?,
            url_for!("index", _scheme = "ftp")?,
            url_for!("index", _scheme = "")?,
            url_for!("index", _scheme = "https")?,
        ]
        .join(" "))
    }
    fn user(user: String) -> Result<String> {
        let other = url_for!("user", user = "B/ö").unwrap_err().to_string();
        assert!(other.contains("cannot stand in a host"), "{other}");
        let own = url_for!("user", user = user.clone());
        Ok(format!("{user} {} {}", url_for!("index")?, own.unwrap_or("-".into())))
    }
    let mut app = App::new("demo");
    app.subdomain_matching(true);
    app.config_mut().set("SERVER_NAME", "E.test");
    app.get("/", index);
    app.get("/", user).subdomain("<user>");
    app.get("/static-sub", || "static").subdomain("<user>");
    app.get("/static-sub", || "api").subdomain("api");
    let client = client(app);
    for (host, path, answer) in [
        ("e.test", "/", "http://bob.e.test/?x=1 / http://e.test/ http://e.test/ //e.test/ https://e.test/"),
        ("bob.e.test", "/", "bob http://e.test/ /"),
        ("a.b.E.test", "/", "a.b http://e.test/ /"),
        ("other.test", "/", "<invalid> http://e.test/ -"),
        ("xe.test", "/", "<invalid> http://e.test/ -"),
        ("api.e.test", "/static-sub", "api"),
        ("x.e.test", "/static-sub", "static"),
        ("e.test", "/static-sub", "404"),
        ("e.test:8080", "/", "<invalid> http://e.test/ -"),
    ] {
        assert_eq!(get(&client, host, path), answer, "{host}{path}");
    }
}

#[test]
fn subdomains_of_blueprints() {
    let mut app = App::new("demo");
    app.subdomain_matching(true).config_mut().set("SERVER_NAME", "e.test");
    app.url_map().default_subdomain("www");
    let mut inner = Blueprint::new("inner").subdomain("api");
    inner.get("/", || url_for!(".index")).endpoint("index");
    inner.get("/own", || "own").endpoint("own").subdomain("x");
    let mut plain = Blueprint::new("plain");
    plain.get("/plain", || "plain");
    let mut outer = Blueprint::new("outer").subdomain("<lang>");
    outer.get("/", |lang: String| lang);
    outer.register_blueprint(inner);
    outer.register_blueprint(plain);
    let mut moved = Blueprint::new("moved").subdomain("old");
    moved.get("/moved", || "moved");
    app.register_blueprint(outer).subdomain("<lang>.site");
    app.register_blueprint(moved).subdomain("new");
    app.get("/", || url_for!("outer.inner.index", lang = "de")).endpoint("home");
    let client = client(app);
    for (host, path, answer) in [
        ("www.e.test", "/", "http://api.de.site.e.test/"),
        ("de.site.e.test", "/", "de"),
        ("de.site.e.test", "/plain", "plain"),
        ("x.e.test", "/own", "own"),
        ("new.e.test", "/moved", "moved"),
        ("old.e.test", "/moved", "404"),
        ("e.test", "/", "404"),
    ] {
        assert_eq!(get(&client, host, path), answer, "{host}{path}");
    }
    // `.index` in the inner blueprint lacks `lang`.
    assert_eq!(get(&client, "api.de.site.e.test", "/"), "500");
}

#[test]
fn the_server_name_restricts_nothing_but_is_what_urls_have() {
    let mut app = App::new("demo");
    app.config_mut().set("SERVER_NAME", "e.test:80");
    app.get("/", || Ok::<_, dewar::Error>(format!("{} {}", url_for!("i", _external = true)?, url_for!("s")?)))
        .endpoint("i");
    app.get("/s", || "sub").endpoint("s").subdomain("sub");
    let client = client(app);
    assert_eq!(get(&client, "other.test", "/"), "http://e.test/ http://sub.e.test/s");
    // Nobody matches subdomains here.
    assert_eq!(get(&client, "sub.e.test", "/s"), "404");
    assert_eq!(get(&client, "e.test", "/s"), "404");
}

#[test]
fn trusted_hosts() {
    let trace = Trace::default();
    let mut app = App::new("demo");
    app.config_mut().set("TRUSTED_HOSTS", serde_json::json!(["e.test", ".s.test", "[::1]"]));
    app.before_request({
        let trace = trace.clone();
        move || trace.add(dewar::current_context().unwrap().endpoint().unwrap_or("-"))
    });
    app.get("/", || "ok").endpoint("index");
    app.errorhandler(400, |error: HttpError| {
        assert!(url_for!("index", _external = true).is_err());
        assert_eq!(url_for!("index").unwrap(), "/");
        (error.description().to_owned(), 200)
    });
    let client = client(app);
    for host in ["e.test", "E.test", "e.test:99", "s.test", "a.b.s.test", "[::1]:5000"] {
        assert_eq!(get(&client, host, "/"), "ok", "{host}");
        assert_eq!(trace.take(), ["index"]);
    }
    assert_eq!(get(&client, "e.test", "/?a"), "ok");
    trace.take();
    for host in ["x.e.test", "evil.test", "e.test.evil.test", "xs.test"] {
        assert_eq!(get(&client, host, "/"), format!("The host '{host}' is not trusted."));
        assert_eq!(trace.take(), ["-"], "hooks run, and know no rule");
    }
    for host in ["bad host", "a/b", "e.test:0", "e.test:99999", "", "e.test@evil", "[::x]"] {
        assert_eq!(get(&client, host, "/"), format!("The host '{host}' is not a valid one."));
    }
}

#[test]
fn a_host_beyond_ascii_is_none() {
    let mut app = App::new("demo");
    app.config_mut().set("TRUSTED_HOSTS", serde_json::json!(["localhost"]));
    app.get("/", || "ok");
    let service = service(app);
    assert_eq!(service.call(Request::get("/")).status(), 200);
    let mut request = Request::get("/");
    request.head_mut().headers.insert("host", HeaderValue::from_bytes("é".as_bytes()).unwrap());
    assert_eq!(service.call(request).status(), 400);
}

#[test]
fn without_trusted_hosts_only_whole_urls_mind_the_host() {
    let mut app = App::new("demo");
    app.config_mut().set("TRUSTED_HOSTS", serde_json::json!([]));
    app.get("/", || "ok").endpoint("index");
    app.get("/whole", || url_for!("index", _external = true));
    let client = client(app);
    assert_eq!(get(&client, "bad host", "/"), "ok");
    assert_eq!(get(&client, "bad host", "/whole"), "400");
    assert_eq!(get(&client, "Good.test:8080", "/whole"), "http://good.test:8080/");
}

#[test]
fn hosts_that_are_none_match_no_rule() {
    let mut app = App::new("demo");
    app.host_matching(true).static_host("static.test");
    app.get("/", |host: String| host).host("<host>");
    let client = client(app);
    for host in ["bad host", "a/b", "<x>", ""] {
        assert_eq!(get(&client, host, "/"), "400", "{host}");
    }
    assert_eq!(get(&client, "[::1]:81", "/"), "[::1]:81");
}

#[test]
fn mistakes_of_hosts() {
    let mut app = App::new("demo");
    app.host_matching(true).subdomain_matching(true);
    let found = mistakes(app);
    assert!(found[0].contains("hosts and subdomains") && found[0].contains("route_hosts.rs"), "{found:?}");
    let mut app = App::new("demo");
    app.static_host("a.test");
    assert!(mistakes(app)[0].contains("host_matching(true)"));
}

#[cfg(feature = "static_files")]
#[test]
fn static_files_have_a_host() {
    let folder = crate::support::Folder::new("static-host");
    folder.write("static/a.txt", "a");
    let app = || {
        let mut app = App::new("demo");
        app.root_path(&folder.0);
        app.static_folder("static");
        app.host_matching(true);
        app
    };
    assert!(mistakes(app())[0].contains("static_host"));
    let mut app = app();
    app.static_host("example.com");
    let client = client(app);
    assert_eq!(get(&client, "example.com", "/static/a.txt"), "a");
    assert_eq!(get(&client, "other.com", "/static/a.txt"), "404");
}
