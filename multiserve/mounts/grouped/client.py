"""The HTTP client of a group: HTTP/1.1 over its socket, to a process of ours, parsed by the engine's own parser.

It keeps connections open for the next requests, and neither side's body in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from multiserve.mounts.grouped.connection import CHUNKED, Connection
from multiserve.mounts.proxied.failures import CONNECT_TIMEOUT, describe
from multiserve.upstreams import Upstream

_IDLE = 1.0  # seconds; the process of a group closes idle connections, but none that has been used so recently
_MOST_IDLE = 64  # connections


class Client:
    """Sends requests to the process of a group, over connections that are kept open for the next ones."""

    def __init__(self, socket: str, *, asks_first: bool = False) -> None:
        """Connect to a unix socket, when a request needs it.

        Args:
            socket: Its path.
            asks_first: Whether a body is sent only when the other process asks for it (RFC 9110, section 10.1.1).
        """
        self._socket = socket
        self._asks_first = asks_first
        self._idle: list[Connection] = []

    async def close(self) -> None:
        """Close all connections that wait for a request."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    @asynccontextmanager
    async def request(
        self,
        upstream: Upstream,
        method: str,
        target: tuple[str, str],
        headers: Sequence[tuple[str, str]],
        body: AsyncIterable[bytes] | None = None,
    ) -> AsyncIterator[Connection]:
        """Send a request, and give the response once it has begun.

        Nothing is sent twice: a process of ours does not close a connection that has just been used, so where it ends
        without an answer, the application may have begun, and may have ended the process.

        Args:
            upstream: The group.
            method: The method, in capitals.
            target: Path and query, as they are to be sent.
            headers: The headers; the framing of a body without a length is added.
            body: The body; None for none.

        Raises:
            UpstreamError: There is no response.
        """
        del upstream  # it is the same for all requests
        if self._asks_first and body is not None:
            headers = [("Expect", "100-continue"), *headers]
        head = _head(method, target, headers, is_chunked=body is not None and headers[-1][0] != "Content-Length")
        connection = self._take() or await self._connect()
        try:
            await connection.exchange(head, method, body, asks_first=self._asks_first)
            yield connection
        finally:
            await connection.stop_sending()
            self._give_back(connection)

    def _take(self) -> Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and now - connection.used_at < _IDLE:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_unix_connection(Connection, self._socket)
        except OSError as error:  # a TimeoutError is one
            raise describe(error) from error
        return connection

    def _give_back(self, connection: Connection) -> None:
        if connection.is_free and len(self._idle) < _MOST_IDLE:
            connection.used_at = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.close()


def _head(method: str, target: tuple[str, str], headers: Sequence[tuple[str, str]], *, is_chunked: bool) -> bytes:
    path, query = target
    lines = [f"{method} {path}{'?' if query else ''}{query} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + (CHUNKED if is_chunked else b"\r\n\r\n")
