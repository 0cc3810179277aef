from flask import Flask, request

NAMES = (
    "host_url root_url url_root base_url root_path script_root access_route mimetype_params content_encoding referrer "
    "origin date max_forwards is_secure blueprints view_args want_form_data_parsed if_match if_none_match "
    "if_modified_since if_unmodified_since if_range range cache_control user_agent"
).split()


def shown(name):
    value = getattr(request, name, None)
    if name == "range":
        return f"{value.units} {value.ranges}" if value is not None else None
    if name == "if_range":
        return f"{value.etag} {value.date}"
    if name in ("if_match", "if_none_match"):
        return ", ".join(sorted(str(value).split(", ")))  # they are sets
    return list(value) if name == "access_route" else value


def make_app():
    app = Flask(__name__)

    @app.route("/dump", methods=["GET", "POST"])
    @app.route("/dump/<int:n>", methods=["GET", "POST"])
    def dump(n=0):
        wanted = request.args.get("only", "").split() or NAMES
        return "".join(f"{name}: {shown(name)}\n" for name in wanted if name in NAMES), {
            "Content-Type": "text/plain; charset=utf-8"
        }

    @app.get("/agent")
    def agent():
        return request.user_agent.string

    return app
