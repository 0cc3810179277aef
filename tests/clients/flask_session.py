"""The session example and a real Flask read and write one another's cookies.

    python3 tests/clients/flask_session.py     (needs `flask` and `requests`; `cargo build --release --example session`
                                                comes first)

Every check is an assertion; the last line says how many there were.
"""

import datetime
import uuid

import requests
from flask import Flask
from flask import request as flask_request
from flask.sessions import SecureCookieSessionInterface
from markupsafe import Markup
from serving import check, serve

KEY = "k\u00e9y, not \"dev\""


def flask_app(key):
    app = Flask(__name__)
    app.secret_key = key
    return app


def dumps(values, key=KEY):
    app = flask_app(key)
    with app.app_context():
        return SecureCookieSessionInterface().get_signing_serializer(app).dumps(values)


def loads(cookie):
    """What Flask's own `open_session` makes of the cookie."""
    app = flask_app(KEY)
    with app.test_request_context(headers={"Cookie": f"session={cookie}"}):
        return dict(SecureCookieSessionInterface().open_session(app, flask_request))


def drive(url):
    # Ours, read by Flask.
    with requests.Session() as client:
        check("the first visit", "stranger: visit 1." in client.get(url, timeout=10).text, True)
        client.get(url, timeout=10)
        check("the counter", loads(client.cookies["session"]), {"visits": 2})
        name = "Zo\u00eb \U0001f600 \"x\" \x7f" + "y" * 300
        client.post(f"{url}/name", data={"name": name}, allow_redirects=False, timeout=10)
        check(
            "a flashed tuple, compressed",
            (client.cookies["session"][0], loads(client.cookies["session"])),
            (".", {"visits": 2, "name": name, "_permanent": True, "_flashes": [("message", f"Welcome, {name}.")]}),
        )
        check("its end", client.cookies._cookies["127.0.0.1"]["/"]["session"].expires is not None, True)
        client.get(url, timeout=10)
        seen = loads(client.cookies["session"])
        check("taken out", (seen["visits"], "_flashes" in seen), (3, False))

        # One of Flask's views changes it, and ours goes on.
        app = flask_app(KEY)

        @app.get("/")
        def index():
            from flask import flash, session

            session["visits"] += 10
            flash(Markup("<i>from Flask</i>"), "info")
            return "ok"

        answer = app.test_client(use_cookies=False).get("/", headers={"Cookie": f"session={client.cookies['session']}"})
        changed = answer.headers["Set-Cookie"].split(";")[0].removeprefix("session=")
        client.cookies.clear()
        page = client.get(url, headers={"Cookie": f"session={changed}"}, timeout=10)
        check("Flask's change", ("visit 14." in page.text, '<p class="info"><i>from Flask</i></p>' in page.text), (True, True))

    # Flask's, read by ours, and back: what is not touched stays what it was.
    values = {
        "visits": 1,
        "tuple": (1, ("a", [2])),
        "bytes": b"\x00\xff",
        "markup": Markup("<b>&</b>"),
        "uuid": uuid.uuid4(),
        "datetime": datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
        "like a tag": {" t": [1]},
        "nested": {"b": [None, True, 1.5, 1e-5, 10**30], "\u00e9": {"x": "\U0001f600"}},
    }
    for what, sent in [("types", values), ("a long one", {"visits": 1, "text": "ab" * 500}), ("empty", {})]:
        answer = requests.get(url, headers={"Cookie": f"session={dumps(sent)}"}, timeout=10)
        visits = sent.get("visits", 0) + 1
        check(f"{what}: the counter", f"visit {visits}." in answer.text, True)
        got = loads(answer.cookies["session"])
        check(f"{what}: the values", got, {**sent, "visits": visits})
        check(f"{what}: their types", {k: type(v) for k, v in got.items()}, {k: type(v) for k, v in {"visits": 1, **sent}.items()})

    # What Flask does not read, we do not either.
    fine = dumps({"visits": 5})
    for what, cookie in [
        ("another key", dumps({"visits": 5}, "other")),
        ("tampered", "x" + fine),
        ("cut", fine[:-3]),
        ("nothing", ""),
        ("dots", "..."),
    ]:
        check(f"{what}: Flask", loads(cookie), {})
        answer = requests.get(url, headers={"Cookie": f"session={cookie}"}, timeout=10)
        check(what, (answer.status_code, "visit 1." in answer.text), (200, True))

    # The attributes, as Flask sends them.
    app = flask_app(KEY)

    @app.get("/<int:permanent>")
    def change(permanent):
        from flask import session

        session["x"] = 1
        session.permanent = bool(permanent)
        return ""

    @app.get("/clear")
    def clear():
        from flask import session

        session.clear()
        return ""

    def attributes(header):
        pairs = [part.strip() for part in header.split(";")[1:]]
        recent = [part for part in pairs if not part.startswith("Expires=") or "1970" in part]
        return recent, len(pairs)

    theirs = app.test_client()
    ours = requests.get(url, timeout=10)
    check("attributes", attributes(ours.headers["set-cookie"]), attributes(theirs.get("/0").headers["Set-Cookie"]))
    ours = requests.post(f"{url}/name", data={"name": "x"}, allow_redirects=False, timeout=10)
    check("of a permanent one", attributes(ours.headers["set-cookie"]), attributes(theirs.get("/1").headers["Set-Cookie"]))
    ours = requests.post(f"{url}/forget", allow_redirects=False, timeout=10)
    gone = theirs.get("/clear").headers
    check("of a removal", (ours.headers["set-cookie"], ours.headers["vary"]), (gone["Set-Cookie"], gone["Vary"]))


if __name__ == "__main__":
    serve("session", drive, {"SITE_SECRET_KEY": KEY})
