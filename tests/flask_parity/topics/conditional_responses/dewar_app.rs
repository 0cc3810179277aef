use std::time::{Duration, SystemTime};

use dewar::{App, CrossOriginOpenerPolicy, HeaderSet, Request, Response, Result};

fn when() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn etag(request: Request) -> Response {
    let mut response = Response::html("body with a tag");
    response.set_etag("tag", request.args().contains("weak"));
    response.make_conditional(&request);
    response
}

fn added(request: Request) -> Result<Response> {
    let mut response = Response::html("body that is hashed");
    response.add_etag(false, false)?;
    response.make_conditional(&request);
    Ok(response)
}

fn modified(request: Request) -> Response {
    let mut response = Response::html("body with a date");
    response.set_last_modified(when());
    response.make_conditional(&request);
    response
}

fn ranges(request: Request) -> Result<Response> {
    let mut response = Response::html("0123456789");
    response.set_etag("tag", false);
    response.make_conditional_range(&request, Some(10))?;
    Ok(response)
}

fn cache(what: String) -> Response {
    let mut response = Response::html("cached");
    response.edit_cache_control(|control| match what.as_str() {
        "public" => {
            control.set_public(true).set_max_age(Duration::from_secs(60));
        }
        "private" => {
            control.set_private(true).set_must_revalidate(true);
        }
        "no_store" => {
            control.set_no_store(true).set_no_cache(true);
        }
        "immutable" => {
            control.set_immutable(true).set_s_maxage(Duration::from_secs(5));
            control.set_stale_while_revalidate(Duration::from_secs(10));
        }
        _ => {}
    });
    response
}

fn headers(what: String) -> Result<Response> {
    let mut response = Response::html("headers");
    match what.as_str() {
        "vary" => response.edit_vary(|vary| {
            vary.add("Cookie");
            vary.add("Accept-Language");
            vary.add("cookie");
        }),
        "expires" => response.set_expires(when()),
        "date" => response.set_last_modified(when()),
        "age" => response.set_age(Duration::from_secs(5)),
        "retry_after" => response.set_retry_after(Duration::from_secs(120)),
        "allow" => response.edit_allow(|allow| allow.add("GET")),
        "content_language" => response.edit_content_language(|languages| languages.add("de")),
        "location" => response.set_location("/x"),
        "mimetype" => response.set_mimetype("text/plain"),
        "content_type" => response.set_content_type("application/json"),
        "data" => response.set_body("replaced"),
        "status" => response.set_status_line("404 Missing")?,
        "csp" => response.edit_content_security_policy(|policy| {
            policy.set("default-src", "'self'");
        }),
        "coop" => response.set_cross_origin_opener_policy(CrossOriginOpenerPolicy::SameOrigin),
        "cors" => {
            response.set_access_control_allow_origin("https://example.com");
            response.set_access_control_allow_methods(HeaderSet::parse("GET, POST"));
            response.set_access_control_max_age(Duration::from_secs(60));
        }
        _ => {}
    }
    Ok(response)
}

pub(crate) fn app() -> App {
    let mut app = crate::app("conditional_responses");
    app.route("/etag", etag).methods(["GET", "POST"]);
    app.get("/added", added);
    app.get("/modified", modified);
    app.get("/ranges", ranges);
    app.get("/cache/<what>", cache);
    app.get("/headers/<what>", headers);
    app
}
