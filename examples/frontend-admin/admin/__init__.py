"""The shop as the staff see it: a login and a form for new products."""

import os

from flask import Flask

from admin import views
from shared import create_shop_app


def create_app(shop_url: str = "") -> Flask:
    """Build the application; `shop_url` is where the customers' application stands, if anywhere."""
    app = create_shop_app(__name__, shop_url)
    app.config["PASSWORD"] = os.environ.get("SHOP_ADMIN_PASSWORD", "demo")
    app.register_blueprint(views.staff)
    return app
