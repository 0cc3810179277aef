use std::time::{Duration, SystemTime};

use dewar::{App, Cookie, Request, Response, SameSite};

fn value(name: String) -> Response {
    let value = match &*name {
        "plain" => "value",
        "empty" => "",
        "space" => "a b",
        "quote" => "a\"b",
        "semicolon" => "a;b",
        "comma" => "a,b",
        "backslash" => "a\\b",
        "equals" => "a=b",
        "unicode" => "caf\u{e9} \u{2603}",
        "control" => "a\tb\nc\rd\0e",
        "allowed" => "!#$%&'()*+-./:<=>?@[]^_`{|}~",
        "del" => "a\u{7f}b",
        _ => return Response::empty(500),
    };
    Response::html("set").with_cookie(Cookie::new("c", value))
}

fn attributes(request: Request) -> Response {
    let args = request.args();
    let mut cookie = Cookie::new("c", "v");
    if let Some(path) = args.get("path") {
        cookie = cookie.path(path);
    }
    if let Some(domain) = args.get("domain") {
        cookie = cookie.domain(domain);
    }
    match args.get("samesite").map(str::to_lowercase).as_deref() {
        Some("lax") => cookie = cookie.same_site(SameSite::Lax),
        Some("strict") => cookie = cookie.same_site(SameSite::Strict),
        Some("none") => cookie = cookie.same_site(SameSite::None),
        _ => {}
    }
    if let Some(age) = args.get_as::<u64>("max_age") {
        cookie = cookie.max_age(Duration::from_secs(age));
    }
    if args.contains("delta") {
        cookie = cookie.max_age(Duration::from_secs(300));
    }
    if let Some(at) = args.get_as::<u64>("expires") {
        cookie = cookie.expires(SystemTime::UNIX_EPOCH + Duration::from_secs(at));
    }
    cookie = cookie.secure(args.contains("secure")).http_only(args.contains("httponly"));
    cookie = cookie.partitioned(args.contains("partitioned"));
    Response::html("set").with_cookie(cookie)
}

pub(crate) fn app() -> App {
    let mut app = crate::app("cookies");
    app.get("/value/<name>", value);
    app.get("/attributes", attributes);
    app.get("/delete", || {
        let mut response = Response::html("deleted");
        response.delete_cookie("c");
        response
    });
    app.get("/several", || {
        let mut response = Response::html("set");
        response.set_cookie(Cookie::new("a", "1"));
        response.set_cookie(Cookie::new("b", "2"));
        response.set_cookie(Cookie::new("a", "3"));
        response.delete_cookie("b");
        response
    });
    app.get("/read", |request: Request| {
        let cookies = request.cookies();
        let mut seen: Vec<&str> = Vec::new();
        let mut told = String::new();
        for (name, _) in cookies.iter() {
            if !seen.contains(&name) {
                seen.push(name);
                told += &format!("{name}={}\n", cookies.getlist(name).join("|"));
            }
        }
        Response::text(told)
    });
    app.get("/one", |request: Request| Response::text(request.cookie("c").unwrap_or_else(|| "none".into())));
    app
}
