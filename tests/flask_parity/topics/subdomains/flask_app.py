from flask import Blueprint, Flask, request, url_for

import rules


def make_app():
    app = Flask(__name__, subdomain_matching=True, static_folder=None)
    app.config["SERVER_NAME"] = "example.com"
    rules.add(app, __file__)
    admin = Blueprint("admin", __name__, subdomain="admin")
    admin.add_url_rule("/", "index", rules.told)
    inner = Blueprint("inner", __name__, subdomain="inner")
    inner.add_url_rule("/", "index", rules.told)
    admin.register_blueprint(inner)
    app.register_blueprint(admin)

    @app.get("/build", subdomain="build")
    def build():
        values = {name: value for name, value in request.args.items() if name != "endpoint"}
        return url_for(request.args["endpoint"], **values)

    return app
