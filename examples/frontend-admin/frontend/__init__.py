"""The shop as customers see it: the products and a cart."""

from flask import Flask

from frontend import views
from shared import create_shop_app


def create_app(admin_url: str = "") -> Flask:
    """Build the application; `admin_url` is where the staff's application stands, if anywhere."""
    app = create_shop_app(__name__, admin_url)
    app.register_blueprint(views.shop)
    return app
