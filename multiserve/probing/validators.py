"""Validators for probed applications: `wsgiref.validate` for PEP 3333, and one of our own for ASGI 3.0."""

from __future__ import annotations

import contextlib
import traceback
import wsgiref.validate
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from multiserve._types import (
    ASGIApplication,
    Interface,
    Message,
    Receive,
    Scope,
    Send,
    StartResponse,
    WSGIApplication,
    WSGIEnvironment,
)

_START, _BODY = "http.response.start", "http.response.body"
_LONGEST = 300  # characters of a violation, which may quote a whole response


class Validation:
    """Wraps applications in validators, and collects the violations.

    Attributes:
        is_on: Whether they look at all. That of WSGI raises where it objects: without it the response can be seen.
    """

    def __init__(self) -> None:
        """Start with validation switched on and no violations."""
        self.is_on = True
        self._objections: list[str] = []

    def wrap(self, application: Any, interface: Interface | None) -> Any:
        """Wrap an application of either interface."""
        return self._wrap_asgi(application) if interface == "asgi" else self._wrap_wsgi(application)

    @contextlib.contextmanager
    def off(self) -> Iterator[None]:
        """Switch validation off inside the with block."""
        self.is_on = False
        try:
            yield
        finally:
            self.is_on = True

    def take(self) -> tuple[str, ...]:
        """Return the violations since the last call, each once."""
        found = tuple(dict.fromkeys(self._objections))
        self._objections.clear()
        return found

    def _wrap_wsgi(self, application: WSGIApplication) -> WSGIApplication:
        def with_whole_reads(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            environ["wsgi.input"] = _Input(environ["wsgi.input"])
            return application(environ, start_response)

        validated = wsgiref.validate.validator(with_whole_reads)

        def either(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            return (validated if self.is_on else application)(environ, start_response)

        return either

    def _wrap_asgi(self, application: ASGIApplication) -> ASGIApplication:
        async def either(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not self.is_on:
                await application(scope, receive, send)
                return
            response = _Response(self._objections.append)

            async def noted() -> Message:
                message = await receive()
                response.is_left |= message["type"] == "http.disconnect"
                return message

            async def checked(message: Message) -> None:
                response.check(message)
                try:
                    await send(message)
                except OSError:  # raised by servers of ASGI 2.4 after the client has disconnected
                    response.is_left = True
                    raise

            await application(scope, noted, checked)
            response.check_end()

        return either


def objection_of(error: BaseException) -> str:
    """Return the violation that `wsgiref.validate` raised, in words; "" for an error of the application."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or frames[-1].filename != wsgiref.validate.__file__:
        return ""
    # Some of its assertions have no message; the source line of `assert_` is shown instead.
    frame = frames[-2] if frames[-1].name == "assert_" else frames[-1]
    return _short(str(error) or f"wsgiref.validate finds that this is not so: {frame.line}")


def is_about_content_type(objection: str) -> bool:
    """Return whether a violation is about the Content-Type, which does not matter without a body."""
    return objection.startswith(("No Content-Type header found", "Content-Type header found"))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


class _Input:
    """The input as `wsgiref.validate` wraps it, which wants a size for each read; PEP 3333 does not."""

    def __init__(self, validated: Any) -> None:
        self._validated = validated

    def read(self, size: int = -1, /) -> Any:
        """Return that many bytes, or all that are left."""
        return self._validated.read(size)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._validated)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._validated, name)


class _Response:
    """The messages of one response (ASGI 3.0, HTTP & WebSocket specification 2.5)."""

    def __init__(self, object_to: Callable[[str], None]) -> None:
        self._object_to = object_to
        self.is_left = False  # whether the client has stopped reading
        self._is_started = False
        self._is_complete = False

    def check(self, message: Message) -> None:
        """Check the types of the next message, and whether it is allowed at this point."""
        if not isinstance(message, dict):
            self._object_to(f"it sent a message that is {_describe(message)}, not a dict")
            return
        kind = message.get("type")
        if kind == _START:
            self._check_start(message)
        elif kind == _BODY:
            self._check_body(message)
        else:
            self._object_to(f"it sent a message of the type {_short(repr(kind))}, which the server does not offer")

    def check_end(self) -> None:
        """Check that the response was complete when the application returned."""
        if self.is_left:
            return
        if not self._is_started:
            self._object_to(f"it returned without {_START}")
        elif not self._is_complete:
            self._object_to(f"it returned before the last {_BODY}: each one so far had more_body")

    def _check_start(self, message: Message) -> None:
        if self._is_started:
            self._object_to(f"it sent {_START} twice")
        self._is_started = True
        status = message.get("status")
        if not isinstance(status, int) or isinstance(status, bool):
            self._object_to(f"the status is {_describe(status)}, not an int")
        self._check_flag(message, "trailers")
        headers = message.get("headers", ())
        if isinstance(headers, str | bytes) or not isinstance(headers, Iterable):
            self._object_to(f"the headers are {_describe(headers)}, not pairs of bytes")
            return
        if isinstance(headers, Iterator):  # it can be read only once
            message["headers"] = headers = list(headers)
        for header in headers:
            self._check_header(header)

    def _check_header(self, header: Any) -> None:
        try:
            name, value = header
        except (TypeError, ValueError):
            self._object_to(f"the header {_short(repr(header))} is not a pair")
            return
        if not (isinstance(name, bytes) and isinstance(value, bytes)):
            self._object_to(f"the header {_short(repr((name, value)))} is not a pair of bytes")
            return
        # Names have to be in lower case as well, but Django never does that, and servers accept it.
        if name.startswith(b":"):
            self._object_to(f"the header {name!r} is one that only HTTP/2 itself may use")
        if any(mark in value for mark in (b"\r", b"\n", b"\0")):
            self._object_to(f"the value of the header {name!r} has a line break or a zero byte in it")

    def _check_body(self, message: Message) -> None:
        if not self._is_started:
            self._object_to(f"it sent {_BODY} before {_START}")
        if self._is_complete:
            self._object_to(f"it sent {_BODY} after the last one")
        body = message.get("body", b"")
        if not isinstance(body, bytes):
            self._object_to(f"the body is {_describe(body)}, not bytes")
        self._check_flag(message, "more_body")
        self._is_complete = self._is_complete or not message.get("more_body", False)

    def _check_flag(self, message: Message, name: str) -> None:
        flag = message.get(name, False)
        if not isinstance(flag, bool):
            self._object_to(f"{name} is {_describe(flag)}, not a bool")


def _describe(value: Any) -> str:
    return "None" if value is None else f"of the type {type(value).__name__}"
