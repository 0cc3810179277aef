import datetime
import uuid

from flask import Flask, request, session
from markupsafe import Markup

TYPED = {
    "tuple": (1, "a", [2]),
    "bytes": b"\x00\xff",
    "markup": Markup("<b>&</b>"),
    "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "datetime": datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
    "like_a_tag": {" t": [1]},
    "nested": {"b": [None, True, 1.5], "a": {"x": "\U0001f600"}},
    "long": "ab" * 500,
    "text": "caf\u00e9 \"x\" </script>",
    "float": 1.0,
    "big": 10**30,
    "zero": 0,
}


def make_app():
    app = Flask(__name__)
    app.secret_key = "of the parity suite"

    @app.get("/set/<name>/<value>")
    def put(name, value):
        session[name] = value
        return "set"

    @app.get("/count")
    def count():
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    @app.get("/get/<name>")
    def get(name):
        return str(session.get(name, "nothing"))

    @app.get("/typed/<name>")
    def typed(name):
        session["value"] = TYPED[name]
        return "set"

    @app.get("/touch")
    def touch():
        session["touched"] = True
        return "touched"

    @app.get("/keys")
    def keys():
        return " ".join(sorted(session))

    @app.get("/has/<name>")
    def has(name):
        return "yes" if name in session else "no"

    @app.get("/pop/<name>")
    def pop(name):
        return str(session.pop(name, "nothing"))

    @app.get("/clear")
    def clear():
        session.clear()
        return "cleared"

    @app.get("/permanent/<int:on>")
    def permanent(on):
        session.permanent = bool(on)
        return "permanent" if session.permanent else "not permanent"

    @app.get("/unused")
    def unused():
        return request.path

    @app.get("/modified")
    def modified():
        session.modified = True
        return "modified"

    @app.get("/same")
    def same():
        session["n"] = session.get("n", 0)
        return "same"

    @app.get("/fails")
    def fails():
        session["n"] = 99
        raise ValueError

    @app.get("/vary")
    def vary():
        session.get("n")
        return "varies", {"Vary": "Accept"}

    return app
