use dewar::http::StatusCode;
use dewar::{App, IntoResponse, Response, Result, abort};

fn back(name: String) -> Result<Response> {
    match &*name {
        "text" => "text".into_response(),
        "empty" => "".into_response(),
        "unicode" => "caf\u{e9} \u{2603}".into_response(),
        "html" => "<p>&amp;</p>".into_response(),
        "bytes" => b"\x00\x01\xff".to_vec().into_response(),
        "status" => ("made", 201).into_response(),
        "headers" => ("text", [("X-One", "1"), ("X-Two", "2")]).into_response(),
        "headers_list" => ("text", [("X-One", "1"), ("X-One", "2")]).into_response(),
        "all" => ("made", 201, [("X-One", "1")]).into_response(),
        "content_type" => ("<a/>", [("Content-Type", "application/xml")]).into_response(),
        "status_words" => ("gone", StatusCode::GONE).into_response(),
        "no_content" => ("", 204).into_response(),
        "no_content_body" => ("not sent", 204).into_response(),
        "not_modified" => ("not sent", 304).into_response(),
        "reset" => ("", 205).into_response(),
        "teapot" => ("short and stout", 418).into_response(),
        "odd_status" => ("odd", 299).into_response(),
        "server_error" => ("broken", 503, [("Retry-After", "5")]).into_response(),
        "response" => Ok(Response::text("plain")),
        "response_status" => (Response::text("plain"), 202).into_response(),
        "response_headers" => {
            (Response::html("plain").with_header("x-one", "1"), [("X-One", "2"), ("X-Two", "3")]).into_response()
        }
        "make_response" => ("text", 202, [("X-One", "1")]).into_response(),
        "no_body" => Ok(Response::html("").with_status(202)),
        "css" => Ok(Response::typed("text/css; charset=utf-8", "a {}")),
        "javascript" => Ok(Response::typed("text/javascript; charset=utf-8", "1")),
        "svg" => Ok(Response::typed("image/svg+xml; charset=utf-8", "<svg/>")),
        "octets" => Ok(Response::typed("application/octet-stream", vec![0_u8])),
        "with_charset" => Ok(Response::typed("text/plain; charset=latin-1", "x")),
        "location" => ("moved", 302, [("Location", "/elsewhere")]).into_response(),
        "unicode_header" => ("text", [("X-One", "caf\u{e9}")]).into_response(),
        "empty_header" => ("text", [("X-One", "")]).into_response(),
        "cookie_header" => ("text", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]).into_response(),
        _ => abort!(500),
    }
}

pub(crate) fn app() -> App {
    let mut app = crate::app("responses");
    app.route("/return/<name>", back).methods(["GET", "POST"]);
    app
}
