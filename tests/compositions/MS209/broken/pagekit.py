"""A library that has one application in a process, as some for dashboards have."""

from flask import Flask, abort

application = Flask(__name__)
application.secret_key = "of all pages"
views = {}


def page(path):
    """Add a page, or replace it."""

    def add(view):
        views[path] = view
        return view

    return add


@application.get("/")
@application.get("/<path:rest>")
def show(rest=""):
    view = views.get(f"/{rest}")
    return view() if view else abort(404)
