"""The HTTP client of a proxied mount: aiohttp's, told to change nothing of what it is given."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from multiserve.mounts.proxied.failures import UpstreamError
from multiserve.upstreams import Upstream

CONNECT_TIMEOUT = 5.0  # seconds: what takes longer to take a connection is not there
# A server may close a connection that has been idle for some seconds just when the next request is sent. All usual ones
# keep it open for longer than this.
_IDLE = 1.0
_LONGEST_FIELD = 64 * 1024
_BLOCK = 64 * 1024  # bytes of a response that are read ahead of the client
_RETRIED = frozenset(("GET", "HEAD", "OPTIONS"))
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
# What aiohttp would add of its own accord.
_NOT_ADDED = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")


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
    ) -> AsyncIterator[aiohttp.ClientResponse]:
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
            yield response
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
    if isinstance(error, TimeoutError):
        return UpstreamError(f"took no connection within {CONNECT_TIMEOUT:.0f} seconds", is_late=True)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return UpstreamError(f"has a certificate that is not trusted: {error.certificate_error}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamError(f"takes no connections: {_reason_of(error.os_error)}")
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | ConnectionError):
        return UpstreamError("closed the connection without an answer")
    if isinstance(error, OSError):
        return UpstreamError(f"takes no connections: {_reason_of(error)}")
    return UpstreamError(f"sent an invalid response: {_in_one_line(error)}")


def _reason_of(error: OSError) -> str:
    """Return what the system says, without the address, which is named already."""
    is_numbered = error.errno and error.errno > 0 and not isinstance(error, ssl.SSLError)
    return os.strerror(error.errno) if is_numbered and error.errno else _in_one_line(error)


def _in_one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
