"""The other end: in the process of a group, each request becomes again what it was in front."""

from __future__ import annotations

from collections.abc import Iterable

from multiserve._types import ASGIApplication, Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import Answer
from multiserve.dispatch.environ import build_environ
from multiserve.mounts.grouped.envelope import HEADER, unpack

_NAME = HEADER.encode()
_VARIABLE = f"HTTP_{HEADER.upper().replace('-', '_')}"
_FRAMING = ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING")  # of the body as it comes here


def arrive_asgi(application: ASGIApplication) -> ASGIApplication:
    """Hand each request and WebSocket to an application with the scope that it had in front."""

    async def arriving(scope: Scope, receive: Receive, send: Send) -> None:
        packed = b"".join(value for name, value in scope["headers"] if name.startswith(_NAME))
        if not packed:
            await _stranger().asgi(scope, receive, send)
            return
        await application({**scope, **unpack(packed.decode("latin-1"))}, receive, send)

    return arriving


def arrive_wsgi(application: WSGIApplication) -> WSGIApplication:
    """Do the same for a worker that calls WSGI applications."""

    def arriving(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        packed = environ.get(_VARIABLE, "")
        if not packed:
            return _stranger().wsgi(environ, start_response)
        number = 1
        while more := environ.get(f"{_VARIABLE}_{number}"):
            packed += more
            number += 1
        scope = {"type": "http", "method": environ["REQUEST_METHOD"], **unpack(packed)}
        built = build_environ(scope, lambda: b"")
        server = {name: value for name, value in environ.items() if "." in name and name != "wsgi.url_scheme"}
        framing = {name: environ[name] for name in _FRAMING if name in environ}
        return application({**built, **server, **framing}, start_response)

    return arriving


def _stranger() -> Answer:
    """Return the answer to whoever connects to the socket of a group without being the process in front."""
    return Answer("421 Misdirected Request", "Misdirected Request: this socket is for multiserve alone.\n")
