from flask import Flask, Response, g, request, session, stream_with_context


def make_app():
    app = Flask(__name__)
    app.secret_key = "of the parity suite"

    @app.get("/blocks/<int:n>")
    def blocks(n):
        return (f"block {i}\n" for i in range(n))

    @app.get("/bytes")
    def some_bytes():
        return Response((bytes([i]) * 3 for i in range(4)), mimetype="application/octet-stream")

    @app.get("/empty-blocks")
    def empty_blocks():
        return iter(["a", "", "b", ""])

    @app.get("/status")
    def status():
        return (part for part in ["a", "b"]), 202, {"X-One": "1"}

    @app.get("/context")
    def context():
        g.word = "kept"

        def generate():
            yield request.path
            yield " "
            yield g.word
            yield " "
            yield request.args.get("q", "none")

        return stream_with_context(generate())

    @app.get("/session")
    def with_session():
        session["n"] = 1

        def generate():
            yield str(session["n"])

        return stream_with_context(generate())

    @app.get("/large")
    def large():
        return ("x" * 10_000 for _ in range(30))

    @app.get("/length")
    def length():
        return Response((part for part in ["abc", "def"]), headers={"Content-Length": "6"}, mimetype="text/plain")

    @app.get("/no-content")
    def no_content():
        return Response((part for part in []), status=204)

    return app
