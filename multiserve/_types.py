"""Type aliases that several layers share."""

from __future__ import annotations

from typing import Literal, TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Interface: TypeAlias = Literal["wsgi", "asgi"]

__all__ = ["Interface", "StartResponse", "WSGIApplication", "WSGIEnvironment"]
