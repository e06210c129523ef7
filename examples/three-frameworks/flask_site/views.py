"""The views of the Flask site."""

import hashlib
import hmac

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response

CHUNK_BYTES = 64 * 1024

site = Blueprint("site", __name__)


@site.get("/")
def home() -> str:
    """Show who is signed in, their notes and the upload form."""
    return render_template("home.html", notes=session.get("notes", []))


@site.route("/login", methods=["GET", "POST"])
def login() -> str | Response:
    """Sign in anyone who knows the password, under the name they give."""
    if request.method == "POST":
        password: str = current_app.config["PASSWORD"]
        if hmac.compare_digest(request.form["password"].encode(), password.encode()):
            session["user"] = request.form["name"]
            return redirect(url_for("site.home"), 303)
        flash("Wrong password.")
    return render_template("login.html")


@site.post("/logout")
def logout() -> Response:
    """Forget everything about the visitor."""
    session.clear()
    return redirect(url_for("site.home"), 303)


@site.post("/notes")
def add_note() -> Response:
    """Keep a note, one of the last five, in the session of a visitor who is signed in."""
    if "user" not in session:
        return redirect(url_for("site.login"), 303)
    notes = [*session.get("notes", []), request.form["text"][:200]]
    session["notes"] = notes[-5:]  # The session is a cookie, and browsers refuse one over 4 kB.
    return redirect(url_for("site.home"), 303)


@site.post("/upload")
def upload() -> dict[str, int | str]:
    """Read the request body to its end, in chunks, and answer its size and SHA-256."""
    size, digest = 0, hashlib.sha256()
    while chunk := request.stream.read(CHUNK_BYTES):
        size += len(chunk)
        digest.update(chunk)
    return {"size": size, "sha256": digest.hexdigest()}
