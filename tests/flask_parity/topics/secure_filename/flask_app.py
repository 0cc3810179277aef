from flask import Flask, request
from werkzeug.utils import secure_filename


def make_app():
    app = Flask(__name__)

    @app.get("/name")
    def name():
        return f"[{secure_filename(request.args['n'])}]"

    return app
