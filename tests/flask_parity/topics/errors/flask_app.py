from flask import Flask, Response, abort, request


def make_app():
    app = Flask(__name__)

    @app.get("/abort/<int:code>")
    def plain(code):
        abort(code)

    @app.get("/text/<int:code>")
    def text(code):
        abort(code, request.args["text"])

    @app.get("/response")
    def response():
        abort(Response("as it is", 409, {"X-More": "yes"}))

    @app.get("/raise")
    def unhandled():
        raise ValueError("never shown")

    @app.get("/key")
    def key():
        return request.args["needed"]

    @app.post("/form-key")
    def form_key():
        return request.form["needed"]

    @app.get("/only-get")
    def only_get():
        return "here"

    return app
