"""The HTTP client of a proxied mount: aiohttp's, told to change nothing of what it is given."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from multiserve.mounts.proxied import failures
from multiserve.mounts.proxied.failures import CONNECT_TIMEOUT, BrokenOffError, UpstreamError, in_one_line, reason_of
from multiserve.upstreams import Upstream

# A server may close a connection that has been idle for some seconds just when the next request is sent. All usual ones
# keep it open for longer than this.
_IDLE = 1.0
_LONGEST_FIELD = 64 * 1024
_BLOCK = 64 * 1024  # bytes of a response that are read ahead of the client
LOOK = 5.0  # seconds between two looks at whether there is still somebody to wait for
_RETRIED = frozenset(("GET", "HEAD", "OPTIONS"))
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
# What aiohttp would add of its own accord.
_NOT_ADDED = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")


class Response:
    """A response that has begun.

    Attributes:
        status: Its status.
        raw_headers: Its headers, as they came.
        is_complete: Whether all of its body has been read.
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        """Read what aiohttp has begun to receive."""
        self.status = response.status
        self.raw_headers = response.raw_headers
        self.is_complete = False
        self._content = response.content
        self._protocol = response.connection.protocol if response.connection else None  # None where all of it is there

    async def read(self) -> bytes:
        """Return the next part of the body; empty at its end.

        Raises:
            BrokenOffError: It is not whole.
        """
        part = await self._read()
        self.is_complete = not part or self._content.at_eof()
        if self.is_complete and self._protocol is not None and isinstance(self._protocol.exception(), OSError):
            # Without a length the end of the connection ends the response; aiohttp takes an error for such an end.
            raise BrokenOffError("the connection to the server broke before its response was complete")
        return part

    async def _read(self) -> bytes:
        while True:
            try:
                async with asyncio.timeout(LOOK):
                    return await self._content.readany()
            except TimeoutError:
                # Where chunks turn out to be none, aiohttp closes the connection, and lets its reader wait for ever.
                if self._content.is_eof() or self._protocol is None or self._protocol.is_connected():
                    continue
                raise BrokenOffError("the server sent an invalid response") from None
            except (aiohttp.ClientError, OSError) as error:
                raise BrokenOffError(f"the server ended its response before that was complete: {error}") from None


class Client:
    """Sends requests to a server, over connections that are kept open for the next ones."""

    def __init__(self, socket: str = "", context: ssl.SSLContext | None = None) -> None:
        """Connect to the unix socket with this path; without one to the hosts of the requests.

        Args:
            socket: The path.
            context: What checks the certificates of hosts that are asked over TLS.
        """
        self._socket = socket
        self._context = context
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()

    @asynccontextmanager
    async def request(
        self,
        upstream: Upstream,
        method: str,
        target: tuple[str, str],
        headers: Sequence[tuple[str, str]],
        body: AsyncIterable[bytes] | None = None,
    ) -> AsyncIterator[Response]:
        """Send a request, and give the response once it has begun.

        A connection from an earlier request that turns out to be closed is replaced, once, where nothing can have
        happened by the first attempt.

        Args:
            upstream: The server.
            method: The method, in capitals.
            target: Path and query, as they are to be sent.
            headers: The headers, which frame the body, too.
            body: The body; None for none.

        Raises:
            UpstreamError: There is no response.
        """
        url = _url_of(upstream, *target)
        trace = SimpleNamespace(is_reused=False)
        send = self._open().request
        given: dict[str, Any] = {"headers": headers, "data": body, "trace_request_ctx": trace}
        try:
            try:
                response = await send(method, url, allow_redirects=False, **given)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if not trace.is_reused or body is not None or method not in _RETRIED:
                    raise
                response = await send(method, url, allow_redirects=False, **given)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise describe(error) from error
        try:
            yield Response(response)
        finally:
            response.close()  # what has been read to its end has given its connection back before

    def _open(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            self._loop = loop
            self._session = _new_session(self._socket, self._context)
        return self._session


def _new_session(socket: str, context: ssl.SSLContext | None) -> aiohttp.ClientSession:
    connector = (
        aiohttp.UnixConnector(path=socket, limit=0, keepalive_timeout=_IDLE)
        if socket
        else aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE, ssl=context or True)
    )
    traces = aiohttp.TraceConfig(trace_config_ctx_factory=_context_of)  # type: ignore[arg-type]
    traces.on_connection_reuseconn.append(_note_reuse)
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_NOT_ADDED,
        timeout=_NO_TIMEOUT,
        read_bufsize=_BLOCK,
        max_line_size=_LONGEST_FIELD,
        max_field_size=_LONGEST_FIELD,
        trace_configs=[traces],
    )
    session._retry_connection = False  # noqa: SLF001 (it would repeat PUT and DELETE as well, without their bodies)
    return session


def _context_of(trace_request_ctx: SimpleNamespace) -> SimpleNamespace:
    return trace_request_ctx


async def _note_reuse(_session: object, context: Any, _parameters: object) -> None:
    context.is_reused = True


def _url_of(upstream: Upstream, path: str, query: str) -> URL:
    """Return a URL whose path and query are sent as they are."""
    port = int(upstream.port) if upstream.port else None
    return URL.build(
        scheme=upstream.scheme,
        host=upstream.address or "localhost",
        port=port,
        path=path,
        query_string=query,
        encoded=True,
    )


def describe(error: BaseException) -> UpstreamError:
    """Return why there is no response, as the end of a sentence about the server."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return UpstreamError(f"has a certificate that is not trusted: {error.certificate_error}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamError(f"takes no connections: {reason_of(error.os_error)}")
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return UpstreamError("closed the connection without an answer")
    if isinstance(error, OSError):
        return failures.describe(error)
    return UpstreamError(f"sent an invalid response: {in_one_line(error)}")
