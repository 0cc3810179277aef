from flask import Flask, request, url_for
from werkzeug.routing import BaseConverter

import rules


class ListConverter(BaseConverter):
    def to_python(self, value):
        return "+".join(value.split(","))

    def to_url(self, value):
        return ",".join(super(ListConverter, self).to_url(part) for part in value.split("+"))


class EvenConverter(BaseConverter):
    regex = r"\d*[02468]"
    weight = 40


def make_app():
    app = Flask(__name__)
    app.url_map.converters["list"] = ListConverter
    app.url_map.converters["even"] = EvenConverter
    rules.add(app, __file__)

    @app.get("/build")
    def build():
        values = {name: rules.typed(value) for name, value in request.args.items() if name != "endpoint"}
        return url_for(request.args["endpoint"], **values)

    app.add_url_rule("/callable/<int:n>", redirect_to=lambda adapter, n: f"new/{n + 1}", endpoint="callable")
    return app
