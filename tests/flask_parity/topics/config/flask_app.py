import json
import os
import tomllib

from flask import Flask, current_app

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = {
    "PARITY_NUMBER": "5",
    "PARITY_FLOAT": "1.5",
    "PARITY_TRUE": "true",
    "PARITY_WORD": "plain text",
    "PARITY_NULL": "null",
    "PARITY_LIST": "[1, 2]",
    "PARITY_QUOTED": "\"quoted\"",
    "PARITY_BROKEN": "{not json",
    "PARITY_MAIL__HOST": "localhost",
    "PARITY_MAIL__PORT": "25",
    "PARITY_MAIL__TLS__ON": "true",
    "PARITY_lower": "kept",
    "PARITYX_NOT": "not taken",
}


class Settings:
    UPPER = "taken"
    lower = "not taken"
    NUMBER = 7


def make_app():
    app = Flask(__name__)
    app.config.from_file(os.path.join(HERE, "settings.json"), load=json.load)
    app.config.from_file(os.path.join(HERE, "settings.toml"), load=tomllib.load, text=False)
    app.config.from_mapping({"MAPPED": 1, "lower": 2}, KEYWORD="x")
    app.config.from_object(Settings)
    app.config["silent"] = app.config.from_file(os.path.join(HERE, "nothing.json"), load=json.load, silent=True)
    os.environ.update(ENVIRONMENT)
    app.config.from_prefixed_env("PARITY")

    @app.get("/key/<name>")
    def key(name):
        value = current_app.config.get(name, "not set")
        return json.dumps(value, sort_keys=True, default=str)

    @app.get("/namespace/<prefix>")
    def namespace(prefix):
        return json.dumps(current_app.config.get_namespace(prefix), sort_keys=True)

    @app.get("/namespace/<prefix>/upper")
    def namespace_upper(prefix):
        return json.dumps(current_app.config.get_namespace(prefix, lowercase=False, trim_namespace=False), sort_keys=True)

    return app
