"""A site that needs a Flask older than that of its neighbours."""

import sys
from importlib.metadata import version

from flask import Flask, Response, jsonify

app = Flask(__name__)


@app.get("/")
def home() -> str:
    """Show what this process has."""
    return (
        f"<!doctype html><title>Old</title><h1>The old site</h1>"
        f'<p>Flask {version("flask")}, Werkzeug {version("werkzeug")}, {sys.prefix} <p><a href="/">front</a>'
    )


@app.get("/versions.json")
def versions() -> Response:
    """Give the same for programs: what the application imports, and where it comes from."""
    modules = {name: sys.modules[name].__file__ for name in ("flask", "werkzeug", "jinja2", "click")}
    return jsonify(python=sys.prefix, flask=version("flask"), werkzeug=version("werkzeug"), modules=modules)


@app.get("/fail")
def fail() -> str:
    """Raise, as an application does now and then."""
    return str(1 / 0)
