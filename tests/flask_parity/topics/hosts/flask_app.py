from flask import Flask

import rules


def make_app():
    app = Flask(__name__, host_matching=True, static_folder=None)
    rules.add(app, __file__)
    return app
