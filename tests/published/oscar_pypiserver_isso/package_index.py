"""A package index, as the documentation of pypiserver makes the WSGI application."""

from pathlib import Path

import pypiserver

app = pypiserver.app(roots=[str(Path(__file__).parent / "packages")])
