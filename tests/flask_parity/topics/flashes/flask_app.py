from flask import Flask, flash, get_flashed_messages, redirect, render_template_string, request

PAGE = """{% for category, message in get_flashed_messages(with_categories=true) %}
<p class="{{ category }}">{{ message }}</p>
{% endfor %}{{ get_flashed_messages()|length }}"""


def make_app():
    app = Flask(__name__)
    app.secret_key = "of the parity suite"

    @app.get("/flash")
    def add():
        for message in request.args.getlist("m"):
            flash(message)
        for message in request.args.getlist("error"):
            flash(message, "error")
        return "flashed"

    @app.get("/flash-and-go")
    def and_go():
        flash("gone")
        return redirect("/page")

    @app.get("/same-request")
    def same_request():
        flash("now")
        return ",".join(get_flashed_messages())

    @app.get("/messages")
    def messages():
        return ",".join(get_flashed_messages())

    @app.get("/categories")
    def categories():
        return ",".join(f"{c}:{m}" for c, m in get_flashed_messages(with_categories=True))

    @app.get("/twice")
    def twice():
        return ",".join(get_flashed_messages()) + "+" + ",".join(get_flashed_messages())

    @app.get("/page")
    def page():
        return render_template_string(PAGE)

    @app.get("/unused")
    def unused():
        return "unused"

    return app
