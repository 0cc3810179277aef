from flask import Blueprint, Flask, request, url_for
from werkzeug.routing import BuildError

import rules


def build():
    values = {}
    for name in dict.fromkeys(request.args):
        several = [rules.typed(text) for text in request.args.getlist(name)]
        values[name] = several if len(several) > 1 else several[0]
    endpoint = values.pop("endpoint")
    if "_external" in values:
        values["_external"] = values["_external"] == "1"
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return "cannot be built", 400
    except ValueError:
        return "makes no sense", 400


def make_app():
    app = Flask(__name__)
    rules.add(app, __file__)
    app.add_url_rule("/build", "build", build)
    outer = Blueprint("outer", __name__, url_prefix="/outer")
    outer.add_url_rule("/page", "page", rules.told)
    outer.add_url_rule("/build", "build", build)
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    inner.add_url_rule("/page/<int:n>", "page", rules.told)
    inner.add_url_rule("/build", "build", build)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app
