from flask import Blueprint, Flask, abort, after_this_request, g, request

LAST = []


def note(what):
    if "trace" not in g:
        g.trace = []
    g.trace.append(what)


def hooks(scaffold, scope):
    for n in (1, 2):
        name = f"{scope}{n}"

        def before(name=name):
            note(f"+{name}")
            if request.args.get("stop") == name:
                return f"stopped by {name}", 202
            if request.args.get("fail") == name:
                abort(409)

        def after(response, name=name):
            note(f"-{name}")
            # Whoever breaks says nothing: Dewar has no response to say it on then.
            if request.args.get("break") == name:
                raise ValueError(name)
            response.headers["X-Trace"] = " ".join(g.trace)
            return response

        def teardown(error, name=name):
            LAST.append(f"{name}{'!' if error is not None else ''}")

        scaffold.before_request(before)
        scaffold.after_request(after)
        scaffold.teardown_request(teardown)


def view():
    note("view")
    what = request.args.get("view", "")
    if what == "abort":
        abort(404)
    if what == "raise":
        raise ValueError("from the view")
    if what == "after_this":

        @after_this_request
        def first(response):
            note("this1")
            return response

        @after_this_request
        def second(response):
            note("this2")
            response.headers["X-This"] = "yes"
            return response

    return what


def make_app():
    app = Flask(__name__)
    outer = Blueprint("outer", __name__, url_prefix="/outer")
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    other = Blueprint("other", __name__, url_prefix="/other")
    hooks(app, "app")
    hooks(outer, "outer")
    hooks(inner, "inner")
    hooks(other, "other")

    @other.before_app_request
    def everywhere():
        note("+other-app")

    @other.after_app_request
    def after_everything(response):
        note("-other-app")
        return response

    for scaffold in (app, outer, inner, other):
        scaffold.add_url_rule("/", "view", view)

    @inner.errorhandler(404)
    def not_found(error):
        note("handler404")
        return "inner's 404", 404

    @outer.errorhandler(ValueError)
    def bad_value(error):
        note("handlerValue")
        return f"outer's: {error}", 400

    @app.errorhandler(409)
    def conflict(error):
        note("handler409")
        return "app's 409", 409

    @app.get("/last")
    def last():
        told = " ".join(LAST)
        return told

    @app.before_request
    def forget():
        if request.path != "/last":
            LAST.clear()

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.register_blueprint(other)
    return app
