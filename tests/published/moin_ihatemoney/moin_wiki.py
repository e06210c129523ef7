"""The wiki, as deployment/moin.wsgi of the package makes the application."""

from pathlib import Path

from moin.app import create_app

app = create_app(str(Path(__file__).with_name("wikiconfig.py")))
