"""A proxied mount as an ASGI application: what is handed on, and what is answered where that does not work."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import quote

from multiserve._types import Message, Receive, Scope, Send
from multiserve.dispatch.answers import Answer, not_found
from multiserve.mounts.proxied import http
from multiserve.mounts.proxied.failures import Failures, UpstreamError, bad_host, leaves_base, loop
from multiserve.mounts.proxied.headers import BadHostError, goes_in_circles, request_headers
from multiserve.mounts.proxied.placeholders import UPSTREAM_KEY
from multiserve.mounts.stripping import strip_scope
from multiserve.paths import SAFE_IN_PATH
from multiserve.upstreams import Upstream

_START = 5.0  # seconds in which a required server has to answer
_PAUSE = 0.1  # seconds between two attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions:
    """What the file says of a proxied mount.

    Attributes:
        name: The mount, as its key spells it.
        prefix: Its prefix.
        timeout: Seconds until the server must begin to answer.
        strip: Take the prefix off.
        keeps_host: Hand the client's Host header on.
        is_required: Start only if the server answers.
        details: Tell clients which server failed, and why.
    """

    name: str
    prefix: str
    timeout: float = 60.0
    strip: bool = False
    keeps_host: bool = True
    is_required: bool = False
    details: bool = False


class Proxy:
    """Hands requests and WebSockets on to a server."""

    def __init__(self, upstream: Upstream, options: ProxyOptions) -> None:
        """Prepare; nothing is connected before the first request.

        Args:
            upstream: The server. Where it has placeholders, the scope of each request has one without.
            options: What the file says.
        """
        self.upstream = upstream
        self.options = options
        self._failures = Failures(options.name, details=options.details)
        self._tls = ssl.create_default_context() if upstream.scheme == "https" else None
        self._client = self._new_client(upstream)

    def _new_client(self, upstream: Upstream) -> http.Client:
        from multiserve.mounts.proxied.client import Client  # it needs a package that is an extra

        return Client(upstream.socket, self._tls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection, or run the lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif refusal := self._refusal(scope):
            await refusal.asgi(scope, receive, send)
        else:
            await self._hand_on(scope, receive, send)

    def _refusal(self, scope: Scope) -> Answer | None:
        """Return the answer to what must not be handed on; None for anything else."""
        if goes_in_circles(scope):
            return loop(self.options.name)
        if not scope["path"].startswith("/"):  # the * of OPTIONS, which is no path of another server
            return not_found()
        upstream = scope.get(UPSTREAM_KEY) or self.upstream
        leaves = upstream.base and not {".", ".."}.isdisjoint(scope["path"].split("/"))
        return leaves_base() if leaves else None

    async def _hand_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        upstream = scope.get(UPSTREAM_KEY) or self.upstream
        try:
            outgoing = self._outgoing(upstream, scope)
        except BadHostError:
            await bad_host().asgi(scope, receive, send)
            return
        server = self._name_of(upstream)
        seconds = self.options.timeout
        try:
            if scope["type"] == "websocket":
                from multiserve.mounts.proxied import websocket

                await websocket.exchange(outgoing, seconds, self._tls, scope, receive, send)
                self._failures.has_answered(server)
            elif await self._ask(outgoing, scope, receive, send):
                self._failures.has_answered(server)
        except UpstreamError as error:
            answer = self._answer_to(server, error)
            is_websocket = scope["type"] == "websocket"
            await answer.asgi(scope, receive_again(receive, CONNECTED) if is_websocket else receive, send)

    def _name_of(self, upstream: Upstream) -> str:
        """Return what the log calls a server."""
        return upstream.at("")

    def _answer_to(self, server: str, error: UpstreamError) -> Answer:
        """Return the answer to a request that the server has not answered."""
        return self._failures.answer(server, error)

    async def _ask(self, outgoing: http.Outgoing, scope: Scope, receive: Receive, send: Send) -> bool:
        if outgoing.upstream is self.upstream or not outgoing.upstream.socket:
            return await http.exchange(self._client, outgoing, self.options.timeout, scope, receive, send)
        client = self._new_client(outgoing.upstream)  # made-up names would fill memory with clients that are kept
        try:
            return await http.exchange(client, outgoing, self.options.timeout, scope, receive, send)
        finally:
            await client.close()

    def _outgoing(self, upstream: Upstream, scope: Scope) -> http.Outgoing:
        prefix = scope.get("root_path", "") if self.options.strip else None
        headers = request_headers(scope, host="" if self.options.keeps_host else upstream.authority, prefix=prefix)
        if not headers[0][1]:  # HTTP/1.0 has no Host header
            headers[0] = ("Host", upstream.authority)
        found = strip_scope(scope) if self.options.strip else scope
        raw = (found.get("raw_path") or b"").partition(b"?")[0].decode("latin-1")
        path = _as_sent(raw) or quote(found["path"], safe=SAFE_IN_PATH, errors="replace")
        query = _as_sent(scope.get("query_string", b"").decode("latin-1"))
        return http.Outgoing(upstream, (upstream.base + path, query), headers)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if self.options.is_required and not self.upstream.names and (failure := await self.wait_until_up(_START)):
            await send({"type": "lifespan.startup.failed", "message": failure})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def wait_until_up(self, seconds: float) -> str:
        """Return why the server does not answer; empty as soon as it does, whatever the answer is."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        while failure := await self.find_failure(max(deadline - clock(), _PAUSE)):
            if clock() + _PAUSE >= deadline:
                break
            await asyncio.sleep(_PAUSE)
        return failure

    async def find_failure(self, seconds: float) -> str:
        """Ask for the place of the mount, and return why there is no answer; empty if there is any."""
        path = self.upstream.base + ("" if self.options.strip else quote(self.options.prefix, safe=SAFE_IN_PATH))
        headers = [("Host", self.upstream.authority), ("User-Agent", "multiserve")]
        asking = self._client.request(self.upstream, "HEAD", (f"{path}/", ""), headers)
        try:
            async with asyncio.timeout(seconds), asking:
                return ""
        except TimeoutError:
            return f"{self.upstream.at('')} has not answered within {seconds:.0f} seconds"
        except UpstreamError as error:
            return f"{self.upstream.at('')} {error}"
        finally:
            await self._client.close()


_IN_A_REQUEST_LINE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")


def _as_sent(text: str) -> str:
    """Return a part of a target as it came; only what cannot stand in a request line is escaped."""
    return quote(text, safe=_IN_A_REQUEST_LINE, encoding="latin-1")


CONNECTED: Message = {"type": "websocket.connect"}


def receive_again(receive: Receive, taken: Message) -> Receive:
    """Return a `receive` whose first event is one that has been taken already."""
    is_due = True

    async def again() -> Message:
        nonlocal is_due
        if is_due:
            is_due = False
            return taken
        return await receive()

    return again
