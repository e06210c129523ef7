"""A small Flask site: a home page that asks for a name and embeds the chat."""

import os

from flask import Flask

from website import views


def create_app(chat_url: str = "", admin_url: str = "") -> Flask:
    """Build the Flask application, which is told where its neighbours stand, if anywhere."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="website: " + os.environ.get("EXAMPLE_SECRET_KEY", "for the demo only, change it"),
        # Applications on one origin share the browser's cookie jar: each needs its own cookie name.
        SESSION_COOKIE_NAME="website_session",
        SESSION_COOKIE_SAMESITE="Lax",
        CHAT_URL=chat_url,
        ADMIN_URL=admin_url,
    )
    app.register_blueprint(views.site)
    return app
