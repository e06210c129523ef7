"""One request through a proxied mount: the body goes up and the response comes down, neither kept in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from multiserve._types import Message, Receive, Scope, Send
from multiserve.mounts.proxied.failures import BrokenOffError, UpstreamError
from multiserve.mounts.proxied.headers import BadResponseError, RawHeaders, response_headers
from multiserve.mounts.proxied.patience import Patience
from multiserve.upstreams import Upstream

_FIRST_FINAL = 200  # the statuses below it are none of a whole response (RFC 9110, section 15.2)
_CODINGS = (b"content-length", b"transfer-encoding")


class Response(Protocol):
    """What a client has for a response that has begun: see `multiserve.mounts.proxied.client`."""

    @property
    def status(self) -> int:
        """Its status."""

    @property
    def raw_headers(self) -> RawHeaders:
        """Its headers, as they came."""

    @property
    def is_complete(self) -> bool:
        """Whether all of its body has been read."""

    async def read(self) -> bytes:
        """Return the next part of the body; empty at its end."""


class Client(Protocol):
    """What sends requests: see `multiserve.mounts.proxied.client`."""

    def request(
        self,
        upstream: Upstream,
        method: str,
        target: tuple[str, str],
        headers: Sequence[tuple[str, str]],
        body: AsyncIterable[bytes] | None = None,
    ) -> AbstractAsyncContextManager[Response]:
        """Send a request, and give the response once it has begun."""

    async def close(self) -> None:
        """Close all connections."""


class Outgoing(NamedTuple):
    """A request as the server gets it.

    Attributes:
        upstream: The server.
        target: Path and query, as they are sent.
        headers: The headers, without those that frame the body.
    """

    upstream: Upstream
    target: tuple[str, str]
    headers: list[tuple[str, str]]


class _ClientLeftError(Exception):
    """The client has left, or has broken off its body."""


class RequestBody:
    """The body of a request, read no faster than the server takes it; then waits for the client to leave.

    Attributes:
        length: The value of Content-Length; None if the client has not told.
        is_empty: There is none.
    """

    def __init__(self, scope: Scope, receive: Receive, patience: Patience) -> None:
        """Read the body of one request."""
        framing = {name: value for name, value in scope["headers"] if name in _CODINGS}
        told = framing.get(b"content-length", b"")
        self.length = int(told) if told.isdigit() and b"transfer-encoding" not in framing else None
        self.is_empty = not has_body(scope)
        self._left = self.length
        self._receive = receive
        self._patience = patience
        self._is_complete = False
        self._first: Message | None = None
        self._watch: asyncio.Task[None] | None = None

    async def begin(self, http_version: str) -> None:
        """Find out whether there is a body, where no header tells, as in HTTP/2; without one watch the client."""
        if self.is_empty and self.length is None and not http_version.startswith("1"):
            self._first = await self._receive()
            self.is_empty = not (self._first.get("body") or self._first.get("more_body"))
        if self.is_empty:
            self._watch = asyncio.create_task(self._wait_for_end())

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Return the next part."""
        while not self._is_complete:
            message, self._first = self._first, None
            if message is None:
                self._patience.rest()
                message = await self._receive()
            self._patience.wait()
            part: bytes = message.get("body", b"")
            self._count(message, part)
            if self._is_complete:
                self._watch = asyncio.create_task(self._wait_for_end())
            if part:
                return part
        raise StopAsyncIteration

    def _count(self, message: Message, part: bytes) -> None:
        """Take note of a part; raise if there will be no whole body."""
        self._is_complete = not message.get("more_body")
        if self._left is not None:
            self._left -= len(part)
        is_wrong = self._left is not None and (self._left < 0 or (self._is_complete and self._left > 0))
        if message["type"] == "http.disconnect" or is_wrong:
            self._is_complete = True
            self._patience.give_up()
            raise _ClientLeftError

    async def _wait_for_end(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._patience.give_up()

    def close(self) -> None:
        """Wait no longer for the client to leave."""
        if self._watch is not None:
            self._watch.cancel()


def has_body(scope: Scope) -> bool:
    """Return whether the headers of a request announce a body, as they do in HTTP/1.1 where there is one."""
    return any(name in _CODINGS and value.strip(b"0") for name, value in scope["headers"])


async def exchange(
    client: Client, outgoing: Outgoing, seconds: float, scope: Scope, receive: Receive, send: Send
) -> bool:
    """Hand a request on, and its response back; return False if the client has left.

    Args:
        client: What sends it.
        outgoing: What is sent.
        seconds: How long the server may take until it begins to answer.
        scope: The request, for its method and its body.
        receive: The client's side.
        send: Likewise.

    Raises:
        UpstreamError: There is no response, and nothing has been sent to the client.
        BrokenOffError: The response is not whole, and some of it has been sent.
    """
    patience = Patience(seconds)
    body = RequestBody(scope, receive, patience)
    try:
        async with patience:
            await body.begin(scope.get("http_version", "1.1"))
            headers = outgoing.headers
            if body.length is not None:
                headers = [*headers, ("Content-Length", str(body.length))]
            given = None if body.is_empty else body
            async with client.request(outgoing.upstream, scope["method"], outgoing.target, headers, given) as response:
                patience.answered()
                await _hand_back(response, send)
    except TimeoutError:
        if not patience.is_exhausted:
            raise
        if not patience.client_has_left:
            raise UpstreamError(f"has not answered within {seconds:.0f} seconds", is_late=True) from None
    except (UpstreamError, BrokenOffError):
        if not patience.client_has_left:
            raise
    finally:
        body.close()
    return not patience.client_has_left


async def _hand_back(response: Response, send: Send) -> None:
    if response.status < _FIRST_FINAL:
        raise UpstreamError(f"has answered {response.status}, which was not asked for")
    try:
        headers = response_headers(response.raw_headers)
    except BadResponseError as error:
        raise UpstreamError(f"sent an invalid response: {error}") from None
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    more = True
    while more:
        part = await response.read()
        more = not response.is_complete
        await send({"type": "http.response.body", "body": part, "more_body": more})
