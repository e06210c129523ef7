"""Applications that must not see the prefix of their mount: they ignore SCRIPT_NAME or root_path, as Sanic does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

from multiserve._types import ASGIApplication, Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.paths import SAFE_IN_PATH


def strip_wsgi(application: WSGIApplication) -> WSGIApplication:
    """Hand a WSGI application an empty SCRIPT_NAME and the path below its prefix."""

    def stripping(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        __traceback_hide__ = True  # of werkzeug's debugger: this frame is not the application's
        return application(strip_environ(environ), start_response)

    return stripping


def strip_environ(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Return an environ without the prefix."""
    return {**environ, "SCRIPT_NAME": "", "PATH_INFO": environ.get("PATH_INFO") or "/"}


def strip_asgi(application: ASGIApplication) -> ASGIApplication:
    """Hand an ASGI application an empty root_path and the path below its prefix."""

    async def stripping(scope: Scope, receive: Receive, send: Send) -> None:
        __traceback_hide__ = True
        if scope["type"] in ("http", "websocket"):
            scope = strip_scope(scope)
        await application(scope, receive, send)

    return stripping


def strip_scope(scope: Scope) -> Scope:
    """Return the scope of a request or a WebSocket without the prefix."""
    root_path, path = scope.get("root_path", ""), scope["path"]
    rest = path.removeprefix(root_path)
    stripped = {**scope, "root_path": "", "path": rest or "/"}
    if raw := scope.get("raw_path"):
        stripped["raw_path"] = _raw_rest(raw, root_path, rest) or b"/"
    return stripped


def _raw_rest(raw: bytes, root_path: str, rest: str) -> bytes:
    """Return the end of a path as the client has escaped it, without the prefix."""
    prefix = root_path.encode("utf-8", "surrogatepass")
    match = re.match(rb"(?:%%[0-9A-Fa-f]{2}|[\s\S]){%d}" % len(prefix), raw)
    if match and unquote_to_bytes(match[0]) == prefix:
        return raw[match.end() :]
    return quote(rest, safe=SAFE_IN_PATH, errors="replace").encode()
