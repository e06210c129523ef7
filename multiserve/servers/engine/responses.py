"""What leaves for one request: uvicorn's record of it, made to send only what its client can tell apart."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected

from multiserve._types import Message
from multiserve.servers.engine.reading import RequestReader

_BODYLESS = (204, 304)
_GRACE = 3.0  # seconds in which an application may go on sending to a client that has left


class ResponseTransport:
    """A transport as uvicorn's record of a request sees it.

    Head and first part of the body leave together, so that a head can be taken back as long as no body was sent, and
    a client that is still sending is not cut off before it has its response.
    """

    __slots__ = ("_connection", "_head", "_holds_next", "is_closing")

    def __init__(self, connection: RequestReader) -> None:
        """Write to the transport of a connection."""
        self._connection = connection
        self._head = b""
        self._holds_next = False
        self.is_closing = connection.transport.is_closing

    def hold_next(self) -> None:
        """Keep what is written next, a head, until a part of the body comes, if that comes at once."""
        self._holds_next = True

    def write(self, data: bytes) -> None:
        """Write, with the head of the response if that is still here."""
        if self._holds_next:
            self._holds_next = False
            self._head = data
            self._connection.loop.call_soon(self.flush)
            return
        if self._head:
            data, self._head = self._head + data, b""
        if not self._connection.is_half_closed:
            self._connection.transport.write(data)

    def flush(self) -> None:
        """Let the head leave alone."""
        if self._head:
            self.write(b"")

    def take_back(self) -> bool:
        """Forget the head; return whether it was still here."""
        is_here, self._head = bool(self._head), b""
        self._holds_next = False
        return is_here

    def close(self) -> None:
        """Close, gently where more of the request is to come."""
        self.flush()
        self._connection.close_after_response()


class Exchange:
    """The response to one request.

    Attributes:
        cycle: uvicorn's record of the request.
        status: The status, once the response has begun; 0 before.
        headers: The headers of the application.
        sent: Bytes of the body.
    """

    __slots__ = ("_gone_since", "_is_unbounded", "_transport", "cycle", "headers", "sent", "status")

    def __init__(self, cycle: Any, connection: RequestReader) -> None:
        """Answer on a connection."""
        self.cycle = cycle
        self.status = self.sent = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._transport = cycle.transport = ResponseTransport(connection)
        self._is_unbounded = False
        self._gone_since = 0.0

    async def send(self, message: Message) -> None:
        """Send a message of the application."""
        cycle = self.cycle
        if cycle.disconnected:
            await self._discard()
            return
        if message["type"] == "http.response.start" and not self.status:
            await self._start(message)
            return
        body = message.get("body", b"")
        if self.status in _BODYLESS:
            message, body = {**message, "body": b""}, b""
        if self._is_unbounded:
            cycle.expected_content_length = len(body)
        await cycle.send(message)
        if cycle.scope["method"] != "HEAD":
            self.sent += len(body)

    async def _start(self, message: Message) -> None:
        status, cycle = message["status"], self.cycle
        headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        lengths = [value for name, value in headers if name == b"content-length"]
        if status < 200:  # noqa: PLR2004 (RFC 9110, section 15.2)
            raise RuntimeError(f"{status} is no final response")
        if len(lengths) > 1 or (lengths and not lengths[0].isdigit()):
            raise RuntimeError(f"Content-Length is no length: {b', '.join(lengths).decode('latin-1')}")
        # How a body is framed is the server's (ASGI, "Response Start"), and 204 has no length (RFC 9110, section 8.6).
        dropped = (b"transfer-encoding", b"content-length") if status == 204 else (b"transfer-encoding",)  # noqa: PLR2004
        headers = [each for each in headers if each[0] not in dropped]
        names = [name for name, _ in headers]
        if not cycle.keep_alive and b"connection" not in names:
            headers.append((b"connection", b"close"))  # not every release of uvicorn says so
        cycle.default_headers = [each for each in cycle.default_headers if each[0] not in names]
        if cycle.scope["http_version"] == "1.0" and not lengths:
            cycle.chunked_encoding, self._is_unbounded = False, True  # the end of the connection ends it
        self._transport.hold_next()
        try:
            await cycle.send({**message, "headers": headers})
        except (RuntimeError, ValueError):  # uvicorn notes that it has begun before it looks at the headers
            self._begin_again()
            raise
        if cycle.response_started:
            self.status, self.headers = status, headers
        if status in _BODYLESS:
            cycle.expected_content_length = 0

    async def fail(self) -> bool:
        """Send 500 in place of the response, if its head has not left; return whether that was so."""
        if self.cycle.response_started and not self._transport.take_back():
            return False
        self.cycle.keep_alive = False
        self._begin_again()
        await self.cycle.send_500_response()
        self.status = 500
        return True

    def _begin_again(self) -> None:
        cycle = self.cycle
        self._transport.take_back()
        self._is_unbounded = False
        cycle.response_started, cycle.chunked_encoding, cycle.expected_content_length = False, None, 0

    async def _discard(self) -> None:
        """Let an application end what it has begun, but hold up no other one, and not for ever."""
        now = asyncio.get_running_loop().time()
        self._gone_since = self._gone_since or now
        if now - self._gone_since > _GRACE:
            raise ClientDisconnected
        await asyncio.sleep(0)
