//! Several apps behind one address, and apps behind a proxy.

use dewar::middleware::{BeforeProxyFix, Mount, ProxyFix};
use dewar::{App, AppService, Request, Service, TestClient, redirect, request, url_for};

use crate::support::service;

fn told() -> String {
    format!("{} {} {}", request().script_root(), request().path(), request().url())
}

fn admin() -> AppService {
    let mut app = App::new("admin");
    app.get("/", told).endpoint("index");
    app.get("/x/<y>", |_: String| told()).endpoint("x");
    app.get("/folder/", || "a folder").endpoint("folder");
    app.get("/away", || redirect(url_for!("x", y = "1").unwrap())).endpoint("away");
    service(app)
}

#[test]
fn below_a_path_as_werkzeug_does_it() {
    let mut site = App::new("site");
    site.get("/<path:rest>", |rest: String| format!("site {rest}")).endpoint("rest");
    let client = TestClient::new(Mount::new(service(site)).at("/admin", admin()).at("/admin/inner/", admin()));
    for (path, text) in [
        ("/admin/", "/admin / http://localhost/admin/"),
        ("/admin/x/1", "/admin /x/1 http://localhost/admin/x/1"),
        ("/admin//x/1", "/admin /x/1 http://localhost/admin/x/1"),
        ("/%61dmin/x/1?q=2", "/admin /x/1 http://localhost/admin/x/1?q=2"),
        ("/admin/inner/x/1", "/admin/inner /x/1 http://localhost/admin/inner/x/1"),
        ("/adminx", "site adminx"),
        ("/admi", "site admi"),
    ] {
        assert_eq!(client.get(path).text(), text, "{path}");
    }
    let slash = client.get("/admin?q=1");
    assert_eq!((slash.status(), slash.header("location")), (308, Some("/admin/?q=1")));
    assert_eq!(client.get("/admin/nowhere").status(), 404);
    let folder = client.get("/admin/folder");
    assert_eq!(folder.status(), 308);
    assert!(folder.header("location").unwrap().ends_with("/admin/folder/"), "{folder:?}");
    assert_eq!(client.get("/admin/away").header("location"), Some("/admin/x/1"));
    for odd in ["/admin/%2F%2Fevil.example/x", "/admin//evil.example/folder", "/%", "/admin/%zz", "//admin"] {
        let response = client.get(odd);
        assert!(response.header("location").is_none_or(|to| !to.starts_with("//")), "{odd}: {response:?}");
    }
}

#[test]
fn a_session_belongs_to_its_mount_only_when_it_is_told_to() {
    let nested = Mount::empty().at("/a", Mount::empty().at("/b", admin()));
    let client = TestClient::new(nested);
    assert_eq!(client.get("/a/b/x/1").text(), "/a/b /x/1 http://localhost/a/b/x/1");
    assert_eq!(client.get("/b/x/1").status(), 404);
    assert_eq!(client.get("/a/x").status(), 404);
}

#[test]
fn by_host() {
    let named = |name: &'static str| move |_: Request| dewar::Response::text(name);
    let all = Mount::new(named("else")).host("api.example.com", named("api")).host(".example.com", named("any"));
    for (host, answer) in [
        ("api.example.com", "api"),
        ("API.Example.COM:8080", "api"),
        ("www.example.com", "any"),
        ("example.com", "any"),
        ("badexample.com", "else"),
        ("localhost", "else"),
        ("[::1]:80", "else"),
    ] {
        let response = all.call(Request::get("/").with_header("host", host));
        assert_eq!(response.into_body().into_bytes().unwrap(), answer, "{host}");
    }
}

#[test]
fn a_mount_needs_a_prefix() {
    for wrong in ["", "/", "admin"] {
        let said = crate::support::panic_message(|| drop(Mount::empty().at(wrong, admin())));
        assert!(said.contains("begins with a slash"), "{said}");
    }
}

fn seen(
    fix: impl Fn(ProxyFix<fn(Request) -> dewar::Response>) -> ProxyFix<fn(Request) -> dewar::Response>,
    headers: &[(&str, &str)],
) -> String {
    fn tell(request: Request) -> dewar::Response {
        let ip = request.remote_addr().map_or("none".to_owned(), |addr| addr.to_string());
        let before = request.extensions().get::<BeforeProxyFix>().is_some();
        dewar::Response::text(format!("{ip} {} {} {before}", request.url(), request.script_root()))
    }
    let service = fix(ProxyFix::new(tell as fn(Request) -> dewar::Response));
    let mut request = dewar::http::Request::builder().uri("/x").header("host", "inner:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = Request::from(request.body(dewar::Body::empty()).unwrap());
    let request = request.with_remote_addr("127.0.0.1:9".parse().unwrap());
    String::from_utf8(service.call(request).into_body().into_bytes().unwrap().into()).unwrap()
}

#[test]
fn the_value_that_ones_own_proxy_set_and_no_other() {
    for (headers, text) in [
        (&[][..], "127.0.0.1:9 http://inner:8080/x  false"),
        (&[("x-forwarded-for", "1.2.3.4")], "1.2.3.4:0 http://inner:8080/x  true"),
        (&[("x-forwarded-for", "6.6.6.6, 1.2.3.4")], "1.2.3.4:0 http://inner:8080/x  true"),
        (
            &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "2001:db8::1")],
            "[2001:db8::1]:0 http://inner:8080/x  true",
        ),
        (&[("x-forwarded-for", "[2001:db8::1]:70")], "[2001:db8::1]:70 http://inner:8080/x  true"),
        (&[("x-forwarded-for", "unknown")], "127.0.0.1:9 http://inner:8080/x  false"),
        (&[("x-forwarded-for", "")], "127.0.0.1:9 http://inner:8080/x  false"),
        (&[("x-forwarded-proto", "https")], "127.0.0.1:9 https://inner:8080/x  true"),
        (&[("x-forwarded-proto", "gopher")], "127.0.0.1:9 http://inner:8080/x  true"),
        (
            &[("x-forwarded-host", "evil"), ("x-forwarded-port", "1"), ("x-forwarded-prefix", "/evil")],
            "127.0.0.1:9 http://inner:8080/x  false",
        ),
    ] {
        assert_eq!(seen(|fix| fix, headers), text, "{headers:?}");
    }
    let all = |fix: ProxyFix<_>| fix.x_for(2).x_host(1).x_port(1).x_prefix(1);
    for (headers, text) in [
        (&[("x-forwarded-for", "1.2.3.4")][..], "127.0.0.1:9 http://inner:8080/x  false"),
        (&[("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.1")], "1.2.3.4:0 http://inner:8080/x  true"),
        (&[("x-forwarded-host", "shop.example")], "127.0.0.1:9 http://shop.example/x  true"),
        (
            &[("x-forwarded-host", "shop.example:81"), ("x-forwarded-port", "82")],
            "127.0.0.1:9 http://shop.example:82/x  true",
        ),
        (&[("x-forwarded-port", "443"), ("x-forwarded-proto", "https")], "127.0.0.1:9 https://inner/x  true"),
        (&[("x-forwarded-host", "a b/?#")], "127.0.0.1:9 http://inner:8080/x  true"),
        (&[("x-forwarded-prefix", "/shop/")], "127.0.0.1:9 http://inner:8080/shop/x /shop true"),
    ] {
        assert_eq!(seen(all, headers), text, "{headers:?}");
    }
}

#[test]
fn bytes_that_are_no_text_do_not_hide_what_ones_own_proxy_added() {
    fn ip(request: Request) -> dewar::Response {
        dewar::Response::text(format!("{:?} {}", request.remote_addr().map(|addr| addr.ip()), request.is_secure()))
    }
    let service = ProxyFix::new(ip as fn(Request) -> dewar::Response);
    let told = |name: &str, values: &[&[u8]]| {
        let mut request = Request::get("/").with_remote_addr("127.0.0.1:9".parse().unwrap());
        for value in values {
            let value = dewar::http::HeaderValue::from_bytes(value).unwrap();
            request.head_mut().headers.append(dewar::http::HeaderName::try_from(name).unwrap(), value);
        }
        String::from_utf8(service.call(request).into_body().into_bytes().unwrap().into()).unwrap()
    };
    // A proxy adds to the line that the client has begun: who sends a byte beyond ASCII must not seem to be the proxy.
    for values in [&[&b"\xff, 1.2.3.4"[..]][..], &[b"\xc3\xa9", b"1.2.3.4"], &[b"6.6.6.6", b"\xe9 , 1.2.3.4"]] {
        assert_eq!(told("x-forwarded-for", values), "Some(1.2.3.4) false", "{values:?}");
    }
    assert_eq!(told("x-forwarded-for", &[b"1.2.3.4", b"\xff"]), "Some(127.0.0.1) false", "the last one counts");
    assert_eq!(told("x-forwarded-proto", &[b"\xff, https"]), "Some(127.0.0.1) true");
}
