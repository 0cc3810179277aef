from flask import Flask, request


def make_app():
    app = Flask(__name__)
    app.config["TRUSTED_HOSTS"] = ["localhost", "example.com", ".example.org"]

    @app.before_request
    def before():
        request.environ["ran"] = True

    @app.get("/")
    def index():
        return request.host

    return app
