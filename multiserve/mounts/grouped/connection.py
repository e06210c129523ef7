"""One connection to the process of a group, read by the engine's parser, and the response to its latest request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable
from typing import cast

import httptools

from multiserve.mounts.proxied.failures import BrokenOffError, UpstreamError

CHUNKED = b"\r\nTransfer-Encoding: chunked\r\n\r\n"
"""The end of a head whose body comes in chunks."""

_UNREAD = 64 * 1024  # bytes of a response that are read ahead of the client
_CONTINUE = 100
_FIRST_FINAL = 200
_NO_ANSWER = "closed the connection without an answer"


class Connection(asyncio.Protocol):
    """One connection, and the response to its latest request.

    Attributes:
        status: The status of the response.
        raw_headers: Its headers, as they came.
        is_open: Whether the connection can be used.
        used_at: When it has answered the last one, on the clock of the loop.
    """

    def __init__(self) -> None:
        """Begin without a connection, which the loop makes."""
        self.status = 0
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.is_open = False
        self.used_at = 0.0
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._parts: deque[bytes] = deque()
        self._unread = 0
        self._is_whole = True  # all of the response is here
        self._is_sent = True  # all of the request has left
        self._keeps_open = False
        self._has_no_body = False
        self._has_more = False  # has come than one response: nobody knows for whom
        self._failure = ""
        self._sending: asyncio.Task[None] | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._is_wanted = asyncio.Event()  # the body

    # What the client asks for.

    async def exchange(
        self, head: bytes, method: str, body: AsyncIterable[bytes] | None, *, asks_first: bool = False
    ) -> None:
        """Send a request, and wait for the head of its response.

        Args:
            head: Its head.
            method: Its method.
            body: Its body; None for none.
            asks_first: Whether to send the body only when it is asked for.

        Raises:
            UpstreamError: There is none.
        """
        self.status = 0
        self.raw_headers = []
        self._is_whole = self._keeps_open = False
        self._is_sent = body is None
        self._is_wanted.clear()
        if not asks_first:
            self._is_wanted.set()
        self._has_no_body = method == "HEAD"
        self._transport.write(head)
        if body is not None:
            self._sending = asyncio.create_task(self._send(body, is_chunked=head.endswith(CHUNKED)))
        while not self.status:
            if self._failure:
                raise UpstreamError(self._failure)
            await self._wait()

    async def read(self) -> bytes:
        """Return the next part of the body; empty at its end.

        Raises:
            BrokenOffError: It is not whole.
        """
        while not self._parts and not self._is_whole:
            if self._failure:
                raise BrokenOffError(f"the process of the group {self._failure}")
            await self._wait()
        if not self._parts:
            return b""
        part = b"".join(self._parts) if len(self._parts) > 1 else self._parts[0]
        self._parts.clear()
        self._unread = 0
        self._transport.resume_reading()
        return part

    @property
    def is_complete(self) -> bool:
        """Whether all of the body has been read."""
        return self._is_whole and not self._parts

    @property
    def is_free(self) -> bool:
        """Whether another request can be sent."""
        return self.is_open and self._keeps_open and self._is_sent and self.is_complete and not self._has_more

    async def stop_sending(self) -> None:
        """Send no more of a body that nobody waits for."""
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        self._transport.abort()

    async def _send(self, body: AsyncIterable[bytes], *, is_chunked: bool) -> None:
        """Send the body no faster than the other process takes it, also while the response comes."""
        await self._is_wanted.wait()
        async for part in body:
            if not self.is_open:
                return
            self._transport.write(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
            await self._writable.wait()
        if is_chunked:
            self._transport.write(b"0\r\n\r\n")
        self._is_sent = True

    async def _wait(self) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)  # that of a stream
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Parse what has come."""
        if self._is_whole:
            self.close()  # nobody has asked for it
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"sent an invalid response: {error}")
        self._wake()

    def eof_received(self) -> None:
        """Take note that nothing more comes."""
        self._fail(_NO_ANSWER)

    def connection_lost(self, error: Exception | None) -> None:
        """Take note that the connection has ended."""
        del error
        self._fail(_NO_ANSWER)
        self._writable.set()

    def pause_writing(self) -> None:
        """Have the body wait: the other process does not take it as fast as it comes."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Have the body go on."""
        self._writable.set()

    def _fail(self, reason: str) -> None:
        self.is_open = False
        if not self._is_whole and not self._failure:
            self._failure = reason
        self._wake()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Take note of a second response."""
        self._has_more = self._has_more or self._is_whole

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if not self._is_whole:
            self.raw_headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the status, unless it is that of an interim response."""
        if self._is_whole:
            return
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL:
            self.raw_headers = []
            if status == _CONTINUE:
                self._is_wanted.set()
            return
        self.status = status
        if self._has_no_body:
            self._keeps_open = self._parser.should_keep_alive()
            self._is_whole = True
            self._parser = httptools.HttpResponseParser(self)  # this one waits for a body that does not come

    def on_body(self, part: bytes) -> None:
        """Take a part of the body, and read no further where much of it is here already."""
        if self._is_whole:
            self._has_more = True
            return
        self._parts.append(part)
        self._unread += len(part)
        if self._unread > _UNREAD:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Take note that the response is whole."""
        if self.status and not self._is_whole:
            self._keeps_open = self._parser.should_keep_alive()
            self._is_whole = True
