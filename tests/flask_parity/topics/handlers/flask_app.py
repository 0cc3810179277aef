from flask import Blueprint, Flask, abort, request
from werkzeug.exceptions import HTTPException, NotFound


class Lost(Exception):
    pass


class Broken(Exception):
    pass


def view():
    what = request.args.get("what", "")
    if what == "value":
        raise ValueError("the value")
    if what == "lost":
        raise Lost("the way")
    if what == "broken":
        raise Broken("to pieces")
    if what == "not_found_class":
        raise NotFound("own words")
    if what:
        abort(int(what))
    return "fine"


def make_app():
    app = Flask(__name__)
    outer = Blueprint("outer", __name__, url_prefix="/outer")
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    plain = Blueprint("plain", __name__, url_prefix="/plain")
    for scaffold in (app, outer, inner, plain):
        scaffold.add_url_rule("/", "view", view)

    @app.errorhandler(404)
    def app404(error):
        return f"app 404: {error.name}", 404

    @app.errorhandler(HTTPException)
    def app_http(error):
        return f"app http {error.code}: {error.name}", error.code

    @app.errorhandler(ValueError)
    def app_value(error):
        return f"app value: {error}"

    @app.errorhandler(500)
    def app500(error):
        return f"app 500: {error.original_exception}", 500

    @app.errorhandler(410)
    def app410(error):
        return error

    @app.errorhandler(423)
    def app423(error):
        raise Broken("in the handler")

    @app.errorhandler(424)
    def app424(error):
        abort(404)

    @app.errorhandler(451)
    def app451(error):
        return f"app {error.code}", 451, {"X-More": "yes"}

    @outer.errorhandler(403)
    def outer403(error):
        return "outer 403", 403

    @outer.errorhandler(ValueError)
    def outer_value(error):
        return f"outer value: {error}", 422

    @outer.errorhandler(HTTPException)
    def outer_http(error):
        return f"outer http {error.code}", error.code

    @inner.errorhandler(404)
    def inner404(error):
        return "inner 404", 404

    @inner.errorhandler(Lost)
    def inner_lost(error):
        return f"inner lost: {error}", 410

    @plain.app_errorhandler(409)
    def everywhere(error):
        return "409 by a blueprint for all", 409

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.register_blueprint(plain)
    return app
