"""Type aliases that several layers share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal, NamedTuple, TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Interface: TypeAlias = Literal["wsgi", "asgi"]

# ASGI 3.0, https://asgi.readthedocs.io/en/latest/specs/main.html
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = [
    "ASGIApplication",
    "Interface",
    "Loaded",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "StartResponse",
    "WSGIApplication",
    "WSGIEnvironment",
]


class Loaded(NamedTuple):
    """An application and its interface."""

    application: Any
    interface: Interface
