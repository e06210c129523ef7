"""What both applications of the shop share: settings, models, templates, static files and logs."""

import logging
import os
from pathlib import Path

from flask import Blueprint, Flask

from shared.products import Products, format_price

FOLDER = Path(__file__).resolve().parent.parent / "var"

# Mounted twice, once in each application, so that `url_for` stays within the prefix of the caller.
assets = Blueprint(
    "shared",
    __name__,
    static_folder="static",
    static_url_path="/static",
    template_folder="templates",
)


def create_shop_app(name: str, other_url: str) -> Flask:
    """Build what the two applications have in common.

    Args:
        name: The package of the application, and so the name of its logger, log file and cookie.
        other_url: Where the other application stands, or "" to show no link to it.
    """
    app = Flask(name, static_folder=None)
    secret = os.environ.get("SHOP_SECRET_KEY", "for the demo only, change it")
    app.config.from_mapping(
        # One origin, one cookie jar: an own name for each cookie, and an own key, so that neither
        # application takes the other's session for its own.
        SECRET_KEY=f"{name}: {secret}",
        SESSION_COOKIE_NAME=f"shop_{name}",
        SESSION_COOKIE_SAMESITE="Lax",
        SHOP_NAME=os.environ.get("SHOP_NAME", "Shop"),
        OTHER_URL=other_url,
        PRODUCTS=Products(Path(os.environ.get("SHOP_DATABASE", FOLDER / "shop.sqlite3"))),
    )
    app.add_template_filter(format_price, "price")
    app.register_blueprint(assets)
    log_to_file(app, Path(os.environ.get("SHOP_LOGS", FOLDER / "logs")))
    return app


def log_to_file(app: Flask, folder: Path) -> None:
    """Write what an application logs to a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    # Loggers outlive applications: one that is built again, in a test say, gets a new file.
    for handler in list(app.logger.handlers):
        if isinstance(handler, logging.FileHandler):
            app.logger.removeHandler(handler)
            handler.close()
    handler = logging.FileHandler(folder / f"{app.name}.log", encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    app.logger.addHandler(handler)
    app.logger.setLevel(logging.INFO)
