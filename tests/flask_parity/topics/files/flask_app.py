import os

from flask import Flask, request, send_file, send_from_directory

HERE = os.path.dirname(os.path.abspath(__file__))
# A checkout has the time of the checkout; the cases ask for this one.
WHEN = 1_700_000_000


def make_app():
    for folder, _, names in os.walk(HERE):
        for name in names:
            if os.path.basename(folder) in ("static", "css", "files"):
                os.utime(os.path.join(folder, name), (WHEN, WHEN))
    app = Flask(__name__)

    @app.get("/send/<path:name>")
    def send(name):
        args = request.args
        more = {}
        if "attachment" in args:
            more["as_attachment"] = True
        if "name" in args:
            more["download_name"] = args["name"]
        if "type" in args:
            more["mimetype"] = args["type"]
        if "age" in args:
            more["max_age"] = int(args["age"])
        return send_file("static/" + name, **more)

    @app.get("/from/<path:name>")
    def from_folder(name):
        return send_from_directory("files", name)

    return app
