import dataclasses
import datetime
import decimal
import uuid

from flask import Flask, jsonify
from markupsafe import Markup


@dataclasses.dataclass
class Point:
    y: int
    x: list


VALUES = {
    "datetime": datetime.datetime(2024, 1, 2, 3, 4, 5),
    "aware": datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
    "date": datetime.date(2024, 1, 2),
    "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "decimal": decimal.Decimal("1.50"),
    "dataclass": Point(1, [2]),
    "markup": Markup("<b>"),
    "int_keys": {2: "b", 1: "a"},
    "nested": {"at": datetime.datetime(2024, 1, 2, 3, 4, 5), "ids": [uuid.UUID(int=0)]},
}


def make_app():
    app = Flask(__name__)

    @app.get("/value/<name>")
    def value(name):
        return jsonify(VALUES[name])

    @app.get("/args")
    def args():
        return jsonify(1, "two", None)

    @app.get("/kwargs")
    def kwargs():
        return jsonify(b=1, a=2)

    @app.get("/nothing")
    def nothing():
        return jsonify()

    @app.get("/dumps")
    def dumps():
        return app.json.dumps({"b": [1, 2], "a": "\u00e9"})

    return app
