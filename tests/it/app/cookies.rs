//! Cookies, both ways.

use std::time::{Duration, SystemTime};

use dewar::{App, Cookie, Cookies, Response, SameSite, request};

use crate::support::client;

/// Made by Werkzeug 3.1's `parse_cookie`, but for a `;` in quotes: there RFC 6265 is followed.
#[test]
fn reading() {
    let mut app = App::new("demo");
    app.get("/", |cookies: Cookies| format!("{:?}", *cookies));
    let client = client(app);
    for (header, cookies) in [
        ("a=1; b=2", r#"{"a": "1", "b": "2"}"#),
        (" a = 1 ;b=2;", r#"{"a": "1", "b": "2"}"#),
        ("a=1;;b=2", r#"{"a": "1", "b": "2"}"#),
        ("a=1; a=2", r#"{"a": "1", "a": "2"}"#),
        ("a", r#"{"a": ""}"#),
        ("a=", r#"{"a": ""}"#),
        ("=v", "{}"),
        (";", "{}"),
        ("a=b=c", r#"{"a": "b=c"}"#),
        (r#"a="x y""#, r#"{"a": "x y"}"#),
        (r#"a="""#, r#"{"a": ""}"#),
        (r#"a=""#, r#"{"a": "\""}"#),
        (r#"a="unclosed"#, r#"{"a": "\"unclosed"}"#),
        (r#"a="\073\054""#, r#"{"a": ";,"}"#),
        (r#"a="\"q\"""#, r#"{"a": "\"q\""}"#),
        (r#"a="x\\""#, r#"{"a": "x\\"}"#),
        (r#"a="\303\251""#, r#"{"a": "é"}"#),
        (r#"a="\08""#, r#"{"a": "08"}"#),
        (r#"a="\377""#, "{\"a\": \"\u{fffd}\"}"),
        (r#"a="x;y"; b=1"#, r#"{"a": "\"x", "y\"": "", "b": "1"}"#),
    ] {
        assert_eq!(client.request("GET", "/").header("cookie", header).send().text(), cookies, "{header}");
    }
}

#[test]
fn raw_bytes_do_not_hide_the_others() {
    // A script's `document.cookie = "name=é"` is sent as UTF-8; the session beside it must be seen.
    let mut app = App::new("demo");
    app.get("/", |cookies: Cookies| format!("{:?}", *cookies));
    let service = crate::support::service(app);
    for (bytes, cookies) in [
        (&b"a=\xc3\xa9; session=1"[..], r#"{"a": "é", "session": "1"}"#),
        (b"a=\xff; session=1", "{\"a\": \"\u{fffd}\", \"session\": \"1\"}"),
    ] {
        let mut request = dewar::Request::get("/");
        request.head_mut().headers.insert("cookie", http::HeaderValue::from_bytes(bytes).unwrap());
        let body = dewar::Service::call(&service, request).into_body().into_bytes().unwrap();
        assert_eq!(body, cookies);
    }
}

#[test]
fn writing() {
    let header = |cookie: Cookie| cookie.to_header().to_str().unwrap().to_owned();
    for (value, written) in [
        ("plain", "plain"),
        ("", ""),
        ("_!#$%&'()*+-./:<=>?@[]^`{|}~", "_!#$%&'()*+-./:<=>?@[]^`{|}~"),
        ("a b", r#""a b""#),
        ("a;b,c", r#""a\073b\054c""#),
        ("\"q\"\\", r#""\"q\"\\""#),
        ("é\r\n\0", r#""\303\251\015\012\000""#),
    ] {
        assert_eq!(header(Cookie::new("n", value)), format!("n={written}; Path=/"), "{value:?}");
    }
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let all = Cookie::new("n", "v")
        .domain("example.org")
        .expires(at)
        .secure(true)
        .http_only(true)
        .path("/p")
        .same_site(SameSite::Lax);
    assert_eq!(
        header(all),
        "n=v; Domain=example.org; Expires=Tue, 14 Nov 2023 22:13:20 GMT; Secure; HttpOnly; Path=/p; SameSite=Lax"
    );
    // What cannot stand in a path is encoded, as Werkzeug does.
    assert_eq!(header(Cookie::new("n", "v").path("/a b;c/é%20")), "n=v; Path=/a%20b%3Bc/%C3%A9%20");
    assert_eq!(header(Cookie::new("n", "v").domain(".Example.org:80").without_path()), "n=v; Domain=Example.org");
    let whole = Cookie::new("n", "v").partitioned(true).http_only(true).same_site(SameSite::None);
    assert_eq!(header(whole), "n=v; Secure; HttpOnly; Path=/; SameSite=None; Partitioned");
    let removal = header(Cookie::removal("n"));
    assert_eq!(removal, "n=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/");
    let aged = header(Cookie::new("n", "v").max_age(Duration::from_secs(60)));
    assert!(aged.contains("; Expires=") && aged.contains("; Max-Age=60"), "{aged}");
    // Times that no HTTP date can say are drawn in.
    header(Cookie::new("n", "v").max_age(Duration::MAX));
    header(Cookie::new("n", "v").expires(SystemTime::UNIX_EPOCH - Duration::from_secs(9)));
}

#[test]
fn what_cannot_be_a_cookie() {
    let refused = |make: fn() -> Cookie| std::panic::catch_unwind(make).is_err();
    assert!(refused(|| Cookie::new("", "v")));
    assert!(refused(|| Cookie::new("a b", "v")));
    assert!(refused(|| Cookie::new("a=b", "v")));
    assert!(refused(|| Cookie::new("a;b", "v")));
    assert!(refused(|| Cookie::new("é", "v")));
    assert!(refused(|| Cookie::new("a", "v").domain("x\r\nSet-Cookie: b=1")));
}

#[test]
fn several_on_one_response() {
    let mut app = App::new("demo");
    app.get("/set", || Response::text("set").with_cookie(Cookie::new("a", "1 2")).with_cookie(Cookie::new("b", "3")));
    app.get("/seen", || format!("{:?} {:?}", request().cookie("a"), request().cookie("b")));
    app.get("/unset", || {
        let mut response = Response::text("unset");
        response.delete_cookie("a");
        response
    });
    let client = client(app);
    assert_eq!(client.get("/set").headers().get_all("set-cookie").iter().count(), 2);
    assert_eq!(client.get("/seen").text(), r#"Some("1 2") Some("3")"#);
    client.get("/unset");
    assert_eq!(client.get("/seen").text(), r#"None Some("3")"#);
}
