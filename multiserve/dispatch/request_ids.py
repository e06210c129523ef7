"""The id of each request: taken from a trusted proxy, or made, and handed to the application and the client."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from multiserve._types import (
    ASGIApplication,
    Message,
    Receive,
    Scope,
    Send,
    StartResponse,
    WSGIApplication,
    WSGIEnvironment,
)
from multiserve.dispatch.environ_keys import REQUEST_ID_KEY

REQUEST: ContextVar[Mapping[str, Any] | None] = ContextVar("multiserve.request", default=None)
"""The environ or the scope of the request that is being answered, where requests have ids."""

_NAME = b"x-request-id"
_VARIABLE = "HTTP_X_REQUEST_ID"
_FIELD = "X-Request-ID"
# What every log, header and shell takes as it is.
_SAFE = re.compile(r"[A-Za-z0-9._:/+=@~-]{1,128}")
_STARTS = frozenset(("http.response.start", "websocket.accept", "websocket.http.response.start"))


def identify_asgi(application: ASGIApplication, *, trusts: bool) -> ASGIApplication:
    """Return an application whose requests and WebSockets have ids.

    Args:
        application: The application.
        trusts: Whether the id that comes with a request counts.
    """

    async def identified(scope: Scope, receive: Receive, send: Send) -> None:
        headers: list[tuple[bytes, bytes]] = [each for each in scope["headers"] if each[0] != _NAME]
        given = "" if len(headers) == len(scope["headers"]) else _only_value(scope)
        found = _known(given) if trusts else ""
        request_id = scope[REQUEST_ID_KEY] = found or _new_id()
        headers.append((_NAME, request_id.encode()))
        scope["headers"] = headers
        REQUEST.set(scope)  # every request has a task of its own, and that a context

        async def sending(message: Message) -> None:
            await send(_with_id(message, request_id) if message["type"] in _STARTS else message)

        await application(scope, receive, sending)

    return identified


def _only_value(scope: Scope) -> str:
    values = [value for name, value in scope["headers"] if name == _NAME]
    return values[0].decode("latin-1") if len(values) == 1 else ""


def _with_id(message: Message, request_id: str) -> Message:
    headers = list(message.get("headers") or ())
    if any(name.lower() == _NAME for name, _ in headers):
        return message
    return {**message, "headers": [*headers, (_NAME, request_id.encode())]}


def identify_wsgi(application: WSGIApplication, *, trusts: bool) -> WSGIApplication:
    """Do the same for a WSGI application."""

    def identified(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        found = _known(environ.get(_VARIABLE, "")) if trusts else ""
        request_id = environ[_VARIABLE] = environ[REQUEST_ID_KEY] = found or _new_id()

        def starting(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            if not any(name.lower() == _FIELD.lower() for name, _ in headers):
                headers = [*headers, (_FIELD, request_id)]
            return start_response(status, headers, *exc_info)

        token = REQUEST.set(environ)
        try:
            result = application(environ, starting)
        finally:
            REQUEST.reset(token)  # the thread serves others
        wrapper = environ.get("wsgi.file_wrapper")
        is_whole = isinstance(result, list | tuple) or (isinstance(wrapper, type) and isinstance(result, wrapper))
        return result if is_whole else _Parts(result, environ)

    return identified


class _Parts:
    """A response that is made while it is sent, for the same request."""

    def __init__(self, result: Iterable[bytes], environ: WSGIEnvironment) -> None:
        self._result = result
        self._environ = environ

    def __iter__(self) -> Iterator[bytes]:
        parts = iter(self._result)
        while True:
            token = REQUEST.set(self._environ)
            try:
                part = next(parts)
            except StopIteration:
                return
            finally:
                REQUEST.reset(token)
            yield part

    def close(self) -> None:
        if hasattr(self._result, "close"):
            self._result.close()


def _known(given: str) -> str:
    """Return an id that a proxy has sent; empty if there is none, or none that can be handed on."""
    return given if _SAFE.fullmatch(given) else ""


def _new_id() -> str:
    return os.urandom(16).hex()
