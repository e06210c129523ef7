"""Redirects (RFC 9110, section 15.4): mounts that redirect, and the slash that is added to a bare prefix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote, unquote_to_bytes, urlsplit

from multiserve._types import ASGIApplication, Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import Answer
from multiserve.paths import SAFE_IN_PATH, to_wsgi

_SAFE_METHODS = ("GET", "HEAD")


class Redirect:
    """Redirects to another path or host; the rest of the path and the query are kept."""

    def __init__(self, target: str, status: int, prefix: str) -> None:
        """Redirect from below a prefix.

        Args:
            target: An absolute path on this site, or an absolute URL.
            status: 301, 302, 303, 307 or 308.
            prefix: The prefix of the mount. Whatever precedes it in the request also precedes the target.
        """
        parts = urlsplit(target)
        self._origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
        self._path = quote(parts.path, safe=f"{SAFE_IN_PATH}%")
        self._status = status
        self._prefix = prefix

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        outer = environ.get("SCRIPT_NAME", "").encode("latin-1").removesuffix(self._prefix.encode())
        target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        rest = _as_written(target.partition("?")[0].encode("latin-1", "replace"), environ.get("PATH_INFO", ""))
        return self._answer(outer, rest, environ.get("QUERY_STRING", "")).wsgi(environ, start_response)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application without a lifespan."""
        if scope["type"] == "lifespan":
            raise NotImplementedError
        root_path = scope["root_path"]
        outer = root_path.removesuffix(self._prefix).encode("utf-8", "replace")
        decoded = to_wsgi(scope["path"][len(root_path) :], "replace")
        rest = _as_written((scope.get("raw_path") or b"").partition(b"?")[0], decoded)
        query = scope.get("query_string", b"").decode("latin-1")
        await self._answer(outer, rest, query).asgi(scope, receive, send)

    def _answer(self, outer: bytes, rest: str, query: str) -> Answer:
        if rest and not rest.startswith("/"):  # such as the * of OPTIONS: it would become part of the host name
            rest = f"/{rest}"
        path = (self._path.rstrip("/") + rest) if rest else self._path
        if not self._origin:
            path = quote(outer, safe=SAFE_IN_PATH) + path
            if not path or path.startswith("//"):  # the next segment would be taken for a host
                path = f"/{path.lstrip('/')}"
        return _moved(f"{self._origin}{path}", self._status, query)


def _as_written(target: bytes, rest: str) -> str:
    """Return the end of a path as the client escaped it, if the server has kept that; otherwise escape it again.

    Args:
        target: The whole path of the request as the client wrote it; empty if the server has not kept it.
        rest: The end of the path, decoded, as a WSGI string.
    """
    decoded = rest.encode("latin-1")
    begin = len(unquote_to_bytes(target)) - len(decoded)
    match = re.match(rb"(?:%%[0-9A-Fa-f]{2}|[\s\S]){%d}" % max(begin, 0), target)
    written = target[match.end() :] if match else b""
    return (
        quote(written, safe=f"{SAFE_IN_PATH}%")
        if unquote_to_bytes(written) == decoded
        else quote(decoded, safe=SAFE_IN_PATH)
    )


def with_slash_wsgi(application: WSGIApplication) -> WSGIApplication:
    """Redirect the bare prefix to the prefix with a slash; hand every other request to the application."""

    def redirecting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        __traceback_hide__ = True  # of werkzeug's debugger: this frame is not the application's
        script_name = environ.get("SCRIPT_NAME", "")
        if environ.get("PATH_INFO") or environ["REQUEST_METHOD"] not in _SAFE_METHODS or not script_name:
            return application(environ, start_response)
        segment = script_name.rpartition("/")[2].encode("latin-1")
        return add_slash(segment, environ.get("QUERY_STRING", "")).wsgi(environ, start_response)

    return redirecting


def with_slash_asgi(application: ASGIApplication) -> ASGIApplication:
    """Do the same as `with_slash_wsgi` for an ASGI application, which still gets WebSockets and the lifespan."""

    async def redirecting(scope: Scope, receive: Receive, send: Send) -> None:
        __traceback_hide__ = True
        is_bare = scope["type"] == "http" and scope["path"] == scope["root_path"] != ""
        if not is_bare or scope["method"] not in _SAFE_METHODS:
            await application(scope, receive, send)
            return
        segment = scope["path"].rpartition("/")[2].encode("utf-8", "replace")
        query = scope.get("query_string", b"").decode("latin-1")
        await add_slash(segment, query).asgi(scope, receive, send)

    return redirecting


def add_slash(segment: bytes, query: str) -> Answer:
    """Redirect to the same path with a slash appended; relative, so that it is right behind any proxy.

    Args:
        segment: The last segment of the path, decoded.
        query: The query string of the request.
    """
    # The dot keeps a segment with a colon from being read as a scheme. Without no-cache, browsers would keep the
    # redirect for ever, even after the configuration has changed.
    location = f"./{quote(segment, safe=SAFE_IN_PATH)}/"
    return _moved(location, HTTPStatus.PERMANENT_REDIRECT, query, ("Cache-Control", "no-cache"))


def _moved(location: str, status: int, query: str, *headers: tuple[str, str]) -> Answer:
    if query:
        location = f"{location}?{quote(query, safe=f'{SAFE_IN_PATH}?%[]', encoding='latin-1')}"
    phrase = HTTPStatus(status).phrase
    return Answer(f"{status} {phrase}", f"{phrase}: {location}\n", ("Location", location), *headers)
