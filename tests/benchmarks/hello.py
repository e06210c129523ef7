"""The applications that are served: as small as they can be, so that the way to them is what is measured."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

if TYPE_CHECKING:  # the peers shall have nothing of multiserve in their processes
    from multiserve._types import ASGIApplication, Receive, Scope, Send

_TEXT = "Hello, World!"
_BODY = _TEXT.encode()
_SLOW = 0.05  # seconds
_PIECE = b"x" * 64 * 1024
_BIG = 160 * len(_PIECE)  # bytes
_HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(_BODY)))]


def bare_wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer without any framework."""
    start_response("200 OK", _HEADERS)
    return [_BODY]


def big_wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with 10 MB, in pieces as frameworks send files."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(_BIG))])
    return (_PIECE for _ in range(_BIG // len(_PIECE)))


def sink_wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Read the body of the request in pieces, as frameworks do."""
    while environ["wsgi.input"].read(len(_PIECE)):
        pass
    return bare_wsgi(environ, start_response)


def slow_wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Wait for something, such as a database, before answering."""
    time.sleep(_SLOW)
    return bare_wsgi(environ, start_response)


def glued() -> WSGIApplication:
    """Put a fast and a slow application together as one would without multiserve."""
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    return DispatcherMiddleware(bare_wsgi, {"/app": bare_wsgi, "/slow": slow_wsgi})


def make_tenant(tenant: str) -> WSGIApplication:
    """Make the application of one tenant, of its own."""
    return functools.partial(_bare_of, tenant)


def _bare_of(tenant: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return bare_wsgi(environ, start_response)


async def bare_asgi(scope: Scope, receive: Receive, send: Send) -> None:
    """Do nothing at all, for dispatch alone."""


def make_flask() -> WSGIApplication:
    """Make the application that everybody writes first."""
    from flask import Flask

    application = Flask(__name__)
    application.add_url_rule("/hello", view_func=lambda: _TEXT, endpoint="hello")
    return application


def make_starlette() -> ASGIApplication:
    """Make the same with Starlette."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def hello(request: object) -> PlainTextResponse:
        return PlainTextResponse(_TEXT)

    return Starlette(routes=[Route("/hello", hello)])


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send back what comes over a WebSocket; a request gets an answer, too, which says that the server is up."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})


def __getattr__(name: str) -> object:
    """Make an application for servers that call no factory."""
    factories = {"flask_app": make_flask, "starlette_app": make_starlette}
    if name in factories:
        return factories[name]()
    raise AttributeError(name)
