from flask import Flask, request


def make_app():
    app = Flask(__name__)

    @app.post("/upload")
    def upload():
        told = []
        for name in dict.fromkeys(request.form):
            told.append(f"field {name}={request.form.getlist(name)!s}")
        for name in dict.fromkeys(request.files):
            for file in request.files.getlist(name):
                data = file.read().decode("latin-1")
                told.append(f"file {name}: {file.filename} ({file.content_type}) {len(data)}: {data}")
        return "\n".join(told), {"Content-Type": "text/plain; charset=utf-8"}

    @app.post("/one")
    def one():
        return request.files["file"].filename

    return app
