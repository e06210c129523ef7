"""A library that makes an application for whoever asks."""

from flask import Flask, abort


def make(name):
    """Return an application, and what adds a page to it."""
    application = Flask(name)
    views = {}

    def page(path):
        def add(view):
            views[path] = view
            return view

        return add

    @application.get("/")
    @application.get("/<path:rest>")
    def show(rest=""):
        view = views.get(f"/{rest}")
        return view() if view else abort(404)

    return application, page
