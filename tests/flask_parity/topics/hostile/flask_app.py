from flask import Flask, request


def make_app():
    app = Flask(__name__)
    app.secret_key = "of the parity suite"

    @app.route("/echo/<path:rest>", methods=["GET", "POST"])
    def echo(rest):
        form = sorted(request.form)
        told = f"{rest!a} {len(request.args)} {len(form)} {len(request.cookies)} {len(request.get_data())}"
        return told, {"Content-Type": "text/plain; charset=utf-8"}

    return app
