from flask import Flask, request

LISTS = {"type": "accept_mimetypes", "language": "accept_languages", "charset": "accept_charsets", "encoding": "accept_encodings"}


def make_app():
    app = Flask(__name__)

    @app.get("/<kind>")
    def asked(kind):
        accept = getattr(request, LISTS[kind])
        offers = request.args.getlist("o")
        best = accept.best_match(offers)
        qualities = " ".join(f"{offer}={accept.quality(offer):g}" for offer in offers)
        contained = " ".join(str(offer in accept) for offer in offers)
        return f"best: {best}\nqualities: {qualities}\nin: {contained}\nvalues: {list(accept.values())}\nheader: {accept.to_header()}\n"

    @app.get("/type-words")
    def words():
        accept = request.accept_mimetypes
        return f"{accept.accept_html} {accept.accept_json} {accept.accept_xhtml} {accept.best}"

    return app
