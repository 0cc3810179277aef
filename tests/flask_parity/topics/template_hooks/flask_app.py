from flask import Blueprint, Flask, flash, get_flashed_messages, get_template_attribute, render_template
from flask import render_template_string, stream_template, stream_template_string
from jinja2 import TemplateNotFound
from markupsafe import Markup


def make_app():
    app = Flask(__name__)
    app.secret_key = "of the parity suite"

    @app.template_filter()
    def shout(text):
        return text.upper() + "!"

    @app.template_filter("twice")
    def double(text):
        return text * 2

    @app.template_test()
    def short(text):
        return len(text) < 4

    @app.template_global()
    def answer():
        return 42

    @app.context_processor
    def of_app():
        return {"who": "app", "only_app": 1}

    blue = Blueprint("blue", __name__, url_prefix="/blue")

    @blue.context_processor
    def of_blue():
        return {"who": "blue"}

    @blue.app_context_processor
    def of_all():
        return {"everywhere": "yes"}

    @blue.app_template_filter()
    def quiet(text):
        return text.lower()

    page = "{{ who }} {{ only_app }} {{ everywhere }} {{ 'Ab'|quiet }}"
    app.add_url_rule("/who", "who", lambda: render_template_string(page))
    app.add_url_rule("/who-explicit", "who_explicit", lambda: render_template_string(page, who="given"))
    blue.add_url_rule("/who", "who", lambda: render_template_string(page))

    @app.get("/own")
    def own():
        return render_template_string("{{ 'a<'|shout }} {{ 'ab'|twice }} {{ 'ab' is short }} {{ 'abcd' is short }} {{ answer() }}")

    @app.get("/first")
    def first():
        return render_template(["nothing.html", "page.html", "other.html"], name="first")

    @app.get("/none")
    def none():
        try:
            return render_template(["nothing.html", "nowhere.html"])
        except TemplateNotFound:
            return "none", 404

    @app.get("/macro")
    def macro():
        return get_template_attribute("page.html", "hello")("<world>")

    @app.get("/stream")
    def stream():
        return stream_template("page.html", name="streamed")

    @app.get("/stream-string")
    def stream_string():
        return stream_template_string("{% for n in range(3) %}{{ n }}{% endfor %} {{ request.path }}")

    @app.get("/markup")
    def markup():
        flash(Markup("<b>bold</b>"), "info")
        flash("<plain>", "error")
        flash("third")
        return "flashed"

    @app.get("/filtered")
    def filtered():
        return ",".join(get_flashed_messages(category_filter=["info", "error"]))

    @app.get("/page")
    def show():
        return render_template_string(
            "{% for c, m in get_flashed_messages(true, ['info', 'error']) %}{{ c }}: {{ m }}\n{% endfor %}"
        )

    app.register_blueprint(blue)
    return app
