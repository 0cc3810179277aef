import datetime

from flask import Flask, make_response, request

VALUES = {
    "plain": "value",
    "empty": "",
    "space": "a b",
    "quote": 'a"b',
    "semicolon": "a;b",
    "comma": "a,b",
    "backslash": "a\\b",
    "equals": "a=b",
    "unicode": "caf\u00e9 \u2603",
    "control": "a\tb\nc\rd\x00e",
    "allowed": "!#$%&'()*+-./:<=>?@[]^_`{|}~",
    "del": "a\x7fb",
}


def make_app():
    app = Flask(__name__)

    @app.get("/value/<name>")
    def value(name):
        response = make_response("set")
        response.set_cookie("c", VALUES[name])
        return response

    @app.get("/attributes")
    def attributes():
        args = request.args
        more = {name: args[name] for name in ("path", "domain", "samesite") if name in args}
        more |= {name: True for name in ("secure", "httponly", "partitioned") if name in args}
        if "max_age" in args:
            more["max_age"] = int(args["max_age"])
        if "delta" in args:
            more["max_age"] = datetime.timedelta(minutes=5)
        if "expires" in args:
            more["expires"] = int(args["expires"])
        if "no_path" in args:
            more["path"] = None
        response = make_response("set")
        response.set_cookie("c", "v", **more)
        return response

    @app.get("/delete")
    def delete():
        response = make_response("deleted")
        response.delete_cookie("c")
        return response

    @app.get("/several")
    def several():
        response = make_response("set")
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        response.set_cookie("a", "3")
        response.delete_cookie("b")
        return response

    @app.get("/read")
    def read():
        cookies = request.cookies
        told = "".join(f"{name}={'|'.join(cookies.getlist(name))}\n" for name in dict.fromkeys(cookies))
        return told, {"Content-Type": "text/plain; charset=utf-8"}

    @app.get("/one")
    def one():
        return request.cookies.get("c", "none"), {"Content-Type": "text/plain; charset=utf-8"}

    return app
