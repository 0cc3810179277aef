from flask import Flask, Response, abort, request
from werkzeug.datastructures import WWWAuthenticate


def make_app():
    app = Flask(__name__)

    @app.get("/who")
    def who():
        auth = request.authorization
        if auth is None:
            return "nobody"
        return f"{auth.type}\nuser: {auth.username}\npassword: {auth.password}\ntoken: {auth.token}\nrealm: {auth.get('realm')}\n", {
            "Content-Type": "text/plain; charset=utf-8"
        }

    @app.get("/asks")
    def asks():
        abort(401, www_authenticate=WWWAuthenticate("basic", {"realm": "the \"inner\" room"}))

    @app.get("/response")
    def response():
        answer = Response("no", 401)
        answer.www_authenticate = WWWAuthenticate("digest", {"realm": "x", "nonce": "abc", "qop": "auth"})
        return answer

    return app
