from flask import Blueprint, Flask, g, url_for


def make_app():
    app = Flask(__name__)

    @app.url_value_preprocessor
    def take(endpoint, values):
        g.trace = [f"app {endpoint}"]
        if values is not None:
            g.language = values.pop("language", "none")

    @app.url_defaults
    def put(endpoint, values):
        if "language" not in values and app.url_map.is_endpoint_expecting(endpoint, "language"):
            values["language"] = g.get("language", "en")

    @app.get("/<language>/hello")
    def hello():
        return f"{g.language} {url_for('hello')} {url_for('plain')} {url_for('hello', language='fr')}"

    @app.get("/plain")
    def plain():
        return f"{g.language} {url_for('hello')} {' '.join(g.trace)}"

    blueprint = Blueprint("blue", __name__, url_prefix="/<site>")

    @blueprint.url_value_preprocessor
    def site(endpoint, values):
        g.trace.append("blue")
        g.site = values.pop("site")

    @blueprint.url_defaults
    def put_site(endpoint, values):
        values.setdefault("site", g.get("site", "none"))

    @blueprint.get("/page/<int:n>")
    def page(n):
        return f"{g.site} {n} {url_for('.page', n=n + 1)} {url_for('blue.page', n=1, site='x')} {' '.join(g.trace)}"

    app.register_blueprint(blueprint)
    return app
