from flask import Flask, request
from flask.views import MethodView, View


class Item(MethodView):
    init_every_request = False

    def get(self, id):
        return f"get {id}"

    def put(self, id):
        return f"put {id}: {request.get_data(as_text=True)}"

    def delete(self, id):
        return "", 204


class Items(MethodView):
    def get(self):
        return "all"

    def post(self):
        return "made", 201


class Page(View):
    methods = ["GET", "POST"]

    def __init__(self, title):
        self.title = title

    def dispatch_request(self):
        return f"{self.title}: {request.method}"


class NoGet(MethodView):
    def post(self):
        return "posted"


def make_app():
    app = Flask(__name__)
    app.add_url_rule("/items/<int:id>", view_func=Item.as_view("item"))
    app.add_url_rule("/items/", view_func=Items.as_view("items"))
    app.add_url_rule("/page", view_func=Page.as_view("page", "Title"))
    app.add_url_rule("/no-get", view_func=NoGet.as_view("no_get"))
    return app
