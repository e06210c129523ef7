"""A small Flask site: a login, notes in the session, an upload and a static file."""

import os

from flask import Flask

from flask_site import views


def create_app() -> Flask:
    """Build the Flask application."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="flask: " + os.environ.get("EXAMPLE_SECRET_KEY", "for the demo only, change it"),
        PASSWORD=os.environ.get("EXAMPLE_PASSWORD", "demo"),
        # Applications on one origin share the browser's cookie jar: each needs its own cookie name.
        SESSION_COOKIE_NAME="flask_session",
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.register_blueprint(views.site)
    return app
