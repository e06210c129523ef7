"""The views of the Flask site."""

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

site = Blueprint("site", __name__)


@site.get("/")
def home() -> str:
    """Show the form for the visitor's name, and the chat."""
    return render_template("home.html", name=session.get("name", "guest"))


@site.post("/name")
def rename() -> Response:
    """Keep the visitor's name in the session."""
    session["name"] = request.form["name"].strip()[:40] or "guest"
    return redirect(url_for("site.home"), 303)


@site.get("/about")
def about() -> str:
    """Tell what this is."""
    return render_template("about.html")
