"""What leaves for one request, framed as RFC 9112, section 6, says; a head leaves with the first part of its body.

uvicorn's record of a request could send, too. But it notes that a response has begun before it has looked at the
headers, so that no 500 can follow, and writes the head alone.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeAlias

from uvicorn.protocols.utils import ClientDisconnected

from multiserve._types import Message
from multiserve.fields import has_control, is_name
from multiserve.servers.engine.reading import RequestReader

Headers: TypeAlias = list[tuple[bytes, bytes]]

_FINAL_STATUSES = range(200, 1000)
_NO_CONTENT = 204  # members of HTTPStatus take long to look up
_BODYLESS = (_NO_CONTENT, 304)
_GRACE = 3.0  # seconds in which an application may go on sending to a client that has left

_LOOKED_AT = frozenset((b"connection", b"content-length", b"date", b"server", b"transfer-encoding"))
_ERROR = b"Internal Server Error"


class Exchange:
    """The response to one request.

    Attributes:
        cycle: uvicorn's record of the request.
        status: The status, once the response has begun; 0 before.
        headers: The headers of the application.
        sent: Bytes of the body.
    """

    __slots__ = ("_connection", "_gone_since", "_has_body", "_head", "_is_chunked", "_left", "cycle", "headers", "sent",
                 "status")  # fmt: skip

    def __init__(self, cycle: Any, connection: RequestReader) -> None:
        """Answer on a connection."""
        self.cycle = cycle
        self.status = self.sent = 0
        self.headers: Headers = []
        self._connection = connection
        self._head = b""  # until a part of the body comes, if that comes at once: so long it can be taken back
        self._has_body = self._is_chunked = False
        self._left: int | None = None  # bytes until Content-Length is reached
        self._gone_since = 0.0

    @property
    def ends_with_connection(self) -> bool:
        """Whether the client can tell the end of the body by that of the connection alone, as in HTTP/1.0."""
        return self._has_body and not self._is_chunked and self._left is None

    async def send(self, message: Message) -> None:
        """Send a message of the application."""
        cycle, kind = self.cycle, message["type"]
        if self._connection.flow.write_paused and not cycle.disconnected:
            await self._connection.flow.drain()  # before anything is looked at: another task may send meanwhile
        if cycle.disconnected:
            await self._discard()
        elif kind == "http.response.start" and not self.status:
            self._start(message)
        elif kind == "http.response.body" and self.status and not cycle.response_complete:
            self._send_body(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            state = "is complete" if cycle.response_complete else "has begun" if self.status else "has not begun"
            raise RuntimeError(f"the application sent '{kind}' where its response {state}")

    def _start(self, message: Message) -> None:
        cycle, status, headers = self.cycle, message["status"], list(message.get("headers", ()))
        line = _status_line(status)
        fields, own = _read_fields(headers, is_bodyless=status == _NO_CONTENT)
        version, length = cycle.scope["http_version"], own.get(b"content-length")
        self._has_body = cycle.scope["method"] != "HEAD" and status not in _BODYLESS
        self._left = None if length is None else int(length)
        if b"connection" in own and b"close" in _tokens(own[b"connection"]):
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            fields.append(b"connection: close\r\n")
        # In HTTP/1.0 the end of the connection is that of the body.
        self._is_chunked = self._has_body and length is None and version != "1.0"
        if self._is_chunked:
            fields.append(b"transfer-encoding: chunked\r\n")
        self._head = b"".join((line, self._connection.listener.state.default_fields(own), *fields, b"\r\n"))
        self._connection.loop.call_soon(self._flush)
        self.status, self.headers = status, headers
        cycle.response_started, cycle.waiting_for_100_continue = True, False

    def _send_body(self, body: bytes, *, is_last: bool) -> None:
        if not self._has_body:
            body = b""
        elif self._left is not None:
            self._left -= len(body)
            if self._left < 0:
                raise RuntimeError("the body is longer than its Content-Length")
        self.sent += len(body)
        if self._is_chunked:
            body = _chunk(body, is_last=is_last)
        if self._head:
            body, self._head = self._head + body, b""
        self._write(body)
        if is_last:
            if self._has_body and self._left:  # the client sees it, too, as the connection is closed
                raise RuntimeError("the body is shorter than its Content-Length")
            self._complete()

    def _complete(self) -> None:
        cycle = self.cycle
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self._connection.close_after_response()
        cycle.on_response()

    def _flush(self) -> None:
        """Let the head leave alone, where no body has come."""
        if self._head:
            head, self._head = self._head, b""
            self._write(head)

    def _write(self, data: bytes) -> None:
        if data and not self._connection.is_half_closed:
            self._connection.transport.write(data)

    async def fail(self) -> bool:
        """Send 500 in place of the response, if its head has not left; return whether that was so."""
        if self.status and not self._head:
            return False
        self._head, self.status, self.sent = b"", 0, 0
        self.cycle.keep_alive = False
        length = b"%d" % len(_ERROR)
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", length)]
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        await self.send({"type": "http.response.body", "body": _ERROR})
        return True

    async def _discard(self) -> None:
        """Let an application end what it has begun, but hold up no other one, and not for ever."""
        now = asyncio.get_running_loop().time()
        self._gone_since = self._gone_since or now
        if now - self._gone_since > _GRACE:
            raise ClientDisconnected
        await asyncio.sleep(0)


def _read_fields(headers: Headers, *, is_bodyless: bool) -> tuple[list[bytes], dict[bytes, bytes]]:
    """Return the fields of an application as lines, and the values of those that the server looks at.

    How a body is framed is the server's (ASGI, "Response Start"), and 204 has no length (RFC 9110, section 8.6).
    """
    fields: list[bytes] = []
    own: dict[bytes, bytes] = {}
    for given, value in headers:
        name = _read_name(given)
        if name in _LOOKED_AT:
            if name == b"content-length" and (name in own or not value.isdigit()):
                lengths = [own[name], value] if name in own else [value]
                raise RuntimeError(f"Content-Length is no length: {b', '.join(lengths).decode('latin-1')}")
            own[name] = own[name] + b"," + value if name in own else value
            if name == b"transfer-encoding" or (is_bodyless and name == b"content-length"):
                continue
        fields += (name, b": ", value, b"\r\n")
    if has_control(b"".join(fields[2::4])):
        raise RuntimeError("a header field of the response has a control character")
    return fields, own


@lru_cache(512)
def _read_name(name: bytes) -> bytes:
    if not is_name(name):
        raise RuntimeError(f"{name.decode('latin-1')!r} is no name of a header field")
    return name.lower()


def _chunk(body: bytes, *, is_last: bool) -> bytes:
    """Return a part of a body as a chunk, with the last one, which is empty, behind it (RFC 9112, section 7.1)."""
    if not body:
        return b"0\r\n\r\n" if is_last else b""
    return b"%x\r\n%b\r\n%b" % (len(body), body, b"0\r\n\r\n" if is_last else b"")


def _tokens(value: bytes) -> list[bytes]:
    return [token.strip().lower() for token in value.split(b",")]


@lru_cache
def _status_line(status: int) -> bytes:
    """Return the first line of a response; raise if `status` is not one of a final response (RFC 9110, section 15)."""
    if status not in _FINAL_STATUSES:
        raise RuntimeError(f"{status} is not a final status")
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {int(status)} {phrase}\r\n".encode()
