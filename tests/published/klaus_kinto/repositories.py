"""Klaus, as its documentation makes the WSGI application."""

from pathlib import Path

from klaus import make_app

app = make_app([str(Path(__file__).with_name("shop"))], "The repositories")
