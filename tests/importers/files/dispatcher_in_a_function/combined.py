from pathlib import Path

from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

BASE = Path(__file__).resolve().parent


def load_plugins():
    return {}


def create_app(config=None):
    from backoffice import create_app as create_backoffice
    from storefront import app

    local = create_backoffice(config)
    office = create_backoffice("staging")
    return DispatcherMiddleware(app, {"/office": office, "/local": local, **load_plugins()})


def main():
    run_simple(
        "127.0.0.1",
        8000,
        create_app(),
        static_files={"/static": "static", "/docs": ("shop", "docs")},
        reloader_type="stat",
        passthrough_errors=True,
    )


if __name__ == "__main__":
    main()
