"""I hate money, as its wsgi.py makes the application."""

from pathlib import Path

from ihatemoney.run import create_app

FOLDER = Path(__file__).parent


class Settings:
    SECRET_KEY = "a key of these expenses alone"
    SQLALCHEMY_DATABASE_URI = f"sqlite:///{FOLDER / 'expenses.sqlite'}"
    SQLALCHEMY_TRACK_MODIFICATIONS = False
    ACTIVATE_DEMO_PROJECT = True
    ACTIVATE_ADMIN_DASHBOARD = False
    ADMIN_PASSWORD = ""
    ALLOW_PUBLIC_PROJECT_CREATION = True
    BABEL_DEFAULT_TIMEZONE = "UTC"
    ENABLE_CAPTCHA = False
    LEGAL_LINK = ""
    MAIL_DEFAULT_SENDER = "budget@example.com"
    SESSION_COOKIE_NAME = "expenses"
    SHOW_ADMIN_EMAIL = False
    SITE_NAME = "Expenses"
    SUPPORTED_LANGUAGES = ("en", "de")


def expenses(prefix: str) -> object:
    """Return the application, which must be told where it stands."""
    settings = type("SettingsBelow", (Settings,), {"APPLICATION_ROOT": prefix})
    return create_app(settings, instance_path=str(FOLDER))
