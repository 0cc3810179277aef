import uuid

from flask import Flask, jsonify, request

VALUES = {
    "object": {"b": 1, "a": 2, "C": 3},
    "nested": {"z": {"y": [1, {"x": None}], "a": {}}, "list": []},
    "text": {"text": "caf\u00e9 \u2603 \U0001f600"},
    "escapes": {"text": "\"\\/\b\f\n\r\t\x00\x1f\x7f\u2028"},
    "html": {"text": "<script>&'\"</script>"},
    "numbers": [0, -1, 1.5, 1e3, 123456789012345678, 0.1, -0.0, 1e-7],
    "words": [True, False, None],
    "array": [1, "two", [3]],
    "empty_object": {},
    "empty_array": [],
    "uuid": {"id": uuid.UUID("12345678-1234-5678-1234-567812345678")},
    "unicode_key": {"\u00e9": 1, "e": 2, "\U0001f600": 3},
}




def make_app():
    app = Flask(__name__)

    @app.get("/dump/<name>")
    def dump(name):
        return jsonify(VALUES[name])

    @app.get("/returned")
    def returned():
        return {"b": 1, "a": [1, 2]}

    @app.get("/returned-status")
    def returned_status():
        return {"b": 1, "a": [1, 2]}, 201, {"X-More": "yes"}

    @app.get("/null")
    def null():
        return jsonify(None)

    @app.get("/text")
    def text():
        return jsonify("text")

    @app.get("/number")
    def number():
        return jsonify(5)

    @app.route("/echo", methods=["POST", "PUT", "GET"])
    def echo():
        return jsonify(request.get_json())

    @app.post("/silent")
    def silent():
        return jsonify(request.get_json(silent=True))

    @app.post("/is-json")
    def is_json():
        return "yes" if request.is_json else "no"

    return app


