from flask import Flask, Response, make_response

RETURNS = {
    "text": lambda: "text",
    "empty": lambda: "",
    "unicode": lambda: "caf\u00e9 \u2603",
    "html": lambda: "<p>&amp;</p>",
    "bytes": lambda: b"\x00\x01\xff",
    "status": lambda: ("made", 201),
    "headers": lambda: ("text", {"X-One": "1", "X-Two": "2"}),
    "headers_list": lambda: ("text", [("X-One", "1"), ("X-One", "2")]),
    "all": lambda: ("made", 201, {"X-One": "1"}),
    "content_type": lambda: ("<a/>", {"Content-Type": "application/xml"}),
    "status_words": lambda: ("gone", "410 Gone"),
    "no_content": lambda: ("", 204),
    "no_content_body": lambda: ("not sent", 204),
    "not_modified": lambda: ("not sent", 304),
    "reset": lambda: ("", 205),
    "teapot": lambda: ("short and stout", 418),
    "odd_status": lambda: ("odd", 299),
    "server_error": lambda: ("broken", 503, {"Retry-After": "5"}),
    "response": lambda: Response("plain", mimetype="text/plain"),
    "response_status": lambda: (Response("plain", mimetype="text/plain"), 202),
    "response_headers": lambda: (Response("plain", headers={"X-One": "1"}), {"X-One": "2", "X-Two": "3"}),
    "make_response": lambda: make_response("text", 202, {"X-One": "1"}),
    "no_body": lambda: Response(status=202),
    "css": lambda: Response("a {}", mimetype="text/css"),
    "javascript": lambda: Response("1", mimetype="text/javascript"),
    "svg": lambda: Response("<svg/>", mimetype="image/svg+xml"),
    "octets": lambda: Response(b"\x00", mimetype="application/octet-stream"),
    "with_charset": lambda: Response("x", content_type="text/plain; charset=latin-1"),
    "location": lambda: ("moved", 302, {"Location": "/elsewhere"}),
    "unicode_header": lambda: ("text", {"X-One": "caf\u00e9"}),
    "empty_header": lambda: ("text", {"X-One": ""}),
    "cookie_header": lambda: ("text", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]),
    "none": lambda: None,
}


def make_app():
    app = Flask(__name__)

    @app.route("/return/<name>", methods=["GET", "POST"])
    def back(name):
        return RETURNS[name]()

    return app
