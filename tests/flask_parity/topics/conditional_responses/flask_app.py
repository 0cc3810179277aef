import datetime

from flask import Flask, Response, make_response, request

WHEN = datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc)


def make_app():
    app = Flask(__name__)

    @app.route("/etag", methods=["GET", "POST"])
    def etag():
        response = make_response("body with a tag")
        response.set_etag("tag", weak="weak" in request.args)
        return response.make_conditional(request)

    @app.get("/added")
    def added():
        response = make_response("body that is hashed")
        response.add_etag()
        return response.make_conditional(request)

    @app.get("/modified")
    def modified():
        response = make_response("body with a date")
        response.last_modified = WHEN
        return response.make_conditional(request)

    @app.get("/ranges")
    def ranges():
        response = make_response("0123456789")
        response.set_etag("tag")
        return response.make_conditional(request, accept_ranges=True, complete_length=10)

    @app.get("/cache/<what>")
    def cache(what):
        response = make_response("cached")
        control = response.cache_control
        if what == "public":
            control.public = True
            control.max_age = 60
        elif what == "private":
            control.private = True
            control.must_revalidate = True
        elif what == "no_store":
            control.no_store = True
            control.no_cache = True
        elif what == "immutable":
            control.immutable = True
            control.s_maxage = 5
            control.stale_while_revalidate = 10
        return response

    @app.get("/headers/<what>")
    def headers(what):
        response = Response("headers")
        if what == "vary":
            response.vary.add("Cookie")
            response.vary.add("Accept-Language")
            response.vary.add("cookie")
        elif what == "expires":
            response.expires = WHEN
        elif what == "date":
            response.last_modified = WHEN
        elif what == "age":
            response.age = 5
        elif what == "retry_after":
            response.retry_after = 120
        elif what == "allow":
            response.allow.update(["GET"])
        elif what == "content_language":
            response.content_language.add("de")
        elif what == "location":
            response.location = "/x"
        elif what == "mimetype":
            response.mimetype = "text/plain"
        elif what == "content_type":
            response.content_type = "application/json"
        elif what == "data":
            response.data = "replaced"
        elif what == "status":
            response.status = "404 Missing"
        elif what == "csp":
            response.content_security_policy.default_src = "'self'"
        elif what == "coop":
            from werkzeug.http import COOP

            response.cross_origin_opener_policy = COOP.SAME_ORIGIN
        elif what == "cors":
            response.access_control_allow_origin = "https://example.com"
            response.access_control_allow_methods = ["GET", "POST"]
            response.access_control_max_age = 60
        return response

    return app
