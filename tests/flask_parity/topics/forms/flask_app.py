from flask import Flask, request


def lines(values):
    return "".join(f"{name}={'|'.join(values.getlist(name))}\n" for name in dict.fromkeys(values))


def make_app():
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 2000
    app.config["MAX_FORM_MEMORY_SIZE"] = 500
    app.config["MAX_FORM_PARTS"] = 5

    @app.route("/form", methods=["GET", "POST", "PUT", "PATCH"])
    def form():
        return lines(request.form), {"Content-Type": "text/plain; charset=utf-8"}

    @app.post("/key")
    def key():
        return request.form["name"]

    @app.post("/int")
    def number():
        return str(request.form.get("n", default=-1, type=int))

    @app.post("/data")
    def data():
        return request.get_data(), {"Content-Type": "application/octet-stream"}

    @app.post("/untouched")
    def untouched():
        return "not read"

    return app
