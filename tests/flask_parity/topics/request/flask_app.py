from flask import Blueprint, Flask, request


def dump(**_):
    told = {
        "method": request.method,
        "scheme": request.scheme,
        "host": request.host,
        "path": request.path,
        "full_path": request.full_path,
        "query_string": request.query_string.decode("latin-1"),
        "url": request.url,
        "is_secure": request.is_secure,
        "remote_addr": request.remote_addr,
        "endpoint": request.endpoint,
        "url_rule": request.url_rule,
        "blueprint": request.blueprint,
        "content_type": request.content_type,
        "mimetype": request.mimetype,
        "content_length": request.content_length,
        "is_json": request.is_json,
        "x-one": request.headers.get("X-One"),
    }
    return "".join(f"{name}: {value}\n" for name, value in told.items()), {"Content-Type": "text/plain; charset=utf-8"}


def make_app():
    app = Flask(__name__)
    methods = ["GET", "POST", "PUT", "DELETE", "BREW"]
    # Before what the path leads to counts.
    app.before_request(lambda: dump() if "early" in request.args else None)
    app.add_url_rule("/", "index", dump, methods=methods)
    app.add_url_rule("/p/<path:rest>", "path", dump, methods=methods)
    app.add_url_rule("/café/<int:n>", "cafe", dump)
    blueprint = Blueprint("blue", __name__, url_prefix="/blue")
    blueprint.add_url_rule("/<name>", "print", dump)
    app.register_blueprint(blueprint)
    return app
