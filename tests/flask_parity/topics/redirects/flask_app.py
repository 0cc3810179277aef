from flask import Flask, redirect, request, url_for


def make_app():
    app = Flask(__name__)

    @app.route("/to", methods=["GET", "POST"])
    def to():
        return redirect(request.args["to"])

    @app.get("/to/<int:code>")
    def with_code(code):
        return redirect(request.args["to"], code)

    @app.get("/named")
    def named():
        return redirect(url_for("target", name="a b"))

    @app.get("/target/<name>")
    def target(name):
        return name

    @app.get("/more")
    def more():
        response = redirect("/target/x")
        response.set_cookie("seen", "1")
        response.headers["X-More"] = "yes"
        return response

    @app.get("/tuple")
    def as_tuple():
        return redirect("/target/x"), {"X-More": "yes"}

    return app
