"""Rules that both sides read from one text: `rules.txt` of a topic. rules.rs is the other half.

A line is methods (or `-` for the default), the rule, the endpoint, and options:

    GET,POST  /post/<int:id>  post  strict=false  merge=false  default:page=int:1  options=false

Each rule's view says which endpoint it is, and its arguments with their types.
"""

import os
import uuid

from flask import request

NAMES = {str: "str", int: "int", float: "float", uuid.UUID: "uuid"}


def typed(text):
    """`int:5`, `float:1.5`, `uuid:…`, `none:`; anything else is text."""
    kind, colon, rest = text.partition(":")
    kinds = {"int": int, "float": float, "uuid": uuid.UUID, "str": str, "none": lambda _: None}
    if colon and kind in kinds:
        return kinds[kind](rest)
    return text


def told(**_):
    args = sorted((request.view_args or {}).items())
    return " ".join([request.endpoint] + [f"{name}={NAMES[type(value)]}:{value}" for name, value in args]) + "\n"


def read(file):
    with open(os.path.join(os.path.dirname(file), "rules.txt"), encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if words and not words[0].startswith("#"):
                yield words[0], words[1], words[2], words[3:]


def add(app, file):
    """Adds the rules that are in the same folder as `file`."""
    for methods, rule, endpoint, options in read(file):
        more = {}
        for option in options:
            name, _, value = option.partition("=")
            if name.startswith("default:"):
                more.setdefault("defaults", {})[name[8:]] = typed(value)
            elif name in ("strict", "merge"):
                more[f"{name}_slashes"] = value == "true"
            elif name == "options":
                more["provide_automatic_options"] = value == "true"
            elif name in ("alias", "build_only"):
                more[name] = value == "true"
            else:
                more[name] = value
        if methods != "-":
            more["methods"] = methods.split(",")
        app.add_url_rule(rule, endpoint, told, **more)
