from flask import Flask, g, render_template, render_template_string, request
from markupsafe import Markup


def values():
    return {
        "name": "Ada <b>",
        "numbers": [3, 1, 2],
        "words": ["b", "a", "C", "a"],
        "user": {"age": 36, "name": "Ada"},
        "people": [
            {"name": "Ada", "group": "x", "age": 36},
            {"name": "Bob", "group": "y", "age": 20},
            {"name": "Cid", "group": "x", "age": 5},
        ],
        "empty": [],
        "none": None,
        "yes": True,
        "no": False,
        "pi": 3.25,
        "n": 42,
        "zero": 0,
        "text": "hello wide world",
        "html": Markup("<i>safe</i>"),
        "quotes": "\"double\" 'single' & <tag>",
        "unicode": "caf\u00e9 \u2603",
        "lines": "one\ntwo\nthree",
    }


def make_app():
    app = Flask(__name__)
    app.secret_key = "of the parity suite"
    app.config["SITE_NAME"] = "Parity"

    @app.post("/string")
    def string():
        g.word = "from g"
        return render_template_string(request.get_data(as_text=True), **values())

    @app.get("/file/<path:name>")
    def file(name):
        return render_template(name, **values())


    @app.get("/page/<int:n>")
    def page(n):
        return str(n)

    return app
