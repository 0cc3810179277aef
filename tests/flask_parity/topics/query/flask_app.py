from flask import Flask, request


def make_app():
    app = Flask(__name__)

    @app.get("/args")
    def args():
        values = request.args
        text = "".join(f"{name}={'|'.join(values.getlist(name))}\n" for name in dict.fromkeys(values))
        return text, {"Content-Type": "text/plain; charset=utf-8"}

    @app.get("/int")
    def number():
        return str(request.args.get("n", default=-1, type=int))

    @app.get("/float")
    def fraction():
        return "%.3f" % request.args.get("n", default=-1.0, type=float)

    @app.get("/ints")
    def numbers():
        return str(request.args.getlist("n", type=int))

    @app.get("/raw")
    def raw():
        return request.query_string, {"Content-Type": "text/plain; charset=utf-8"}

    return app
