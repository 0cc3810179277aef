"""Serves the Flask side of each topic, on a port of its own, and judges session cookies.

    python serve.py TOPIC...

One line of JSON on stdout says where: {"topics": {name: port}, "judge": port, "versions": {package: version}}. It ends when
its stdin does. The judge reads a session cookie with the topic's own key: POST /TOPIC, the cookie's value as the body; it
answers with the payload's JSON, or 400 when Flask would not take the cookie.
"""

import importlib.metadata
import importlib.util
import json
import logging
import mimetypes
import os
import sys
import threading

from flask import Flask, request
from flask.json.tag import TaggedJSONSerializer
from itsdangerous import BadSignature
from werkzeug.serving import make_server

HERE = os.path.dirname(os.path.abspath(__file__))


def load(topic):
    """The topic's app. Its folder is the app's root: templates, static files."""
    path = os.path.join(HERE, "topics", topic, "flask_app.py")
    spec = importlib.util.spec_from_file_location(f"parity_{topic}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.make_app()


def judge_app(apps):
    judge = Flask("judge")

    class Raw(TaggedJSONSerializer):
        """Leaves the tags as they are: what is compared is what was written."""

        def loads(self, value):
            return json.loads(value)

    @judge.post("/<topic>")
    def read(topic):
        app = apps[topic]
        with app.app_context():
            serializer = app.session_interface.get_signing_serializer(app)
        serializer.serializer = Raw()
        age = int(app.permanent_session_lifetime.total_seconds())
        try:
            values = serializer.loads(request.get_data(as_text=True), max_age=age)
        except BadSignature:
            return "", 400
        return json.dumps(values, sort_keys=True)

    return judge


def start(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def main(topics):
    sys.dont_write_bytecode = True
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # The types of files are the same on every machine and with every Python: its own list, and what that got later.
    mimetypes.init(files=[])
    for ending, kind in {".js": "text/javascript", ".mjs": "text/javascript", ".woff2": "font/woff2"}.items():
        mimetypes.add_type(kind, ending)
    apps = {topic: load(topic) for topic in topics}
    ports = {topic: start(app) for topic, app in apps.items()}
    packages = ["Flask", "Werkzeug", "Jinja2", "itsdangerous", "MarkupSafe"]
    versions = {name: importlib.metadata.version(name) for name in packages}
    print(json.dumps({"topics": ports, "judge": start(judge_app(apps)), "versions": versions}), flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
