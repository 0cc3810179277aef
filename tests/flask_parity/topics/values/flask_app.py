from flask import Flask, request


def make_app():
    app = Flask(__name__)

    @app.route("/values", methods=["GET", "POST", "PUT", "DELETE"])
    def values():
        combined = request.values
        return "".join(f"{name}={'|'.join(combined.getlist(name))}\n" for name in sorted(set(combined))) + (
            f"first: {combined.get('a', 'none')}\n"
        )

    return app
