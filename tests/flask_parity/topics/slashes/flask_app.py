from flask import Flask

import rules


def make_app():
    app = Flask(__name__)
    rules.add(app, __file__)
    return app
