"""uvicorn's HTTP connection, which waits for no client for ever, and stops without losing a request.

What it leans on in uvicorn is listed in `release`, and held against the installed release there.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from multiserve._types import Message, Receive, Scope, Send
from multiserve.dispatch.environ_keys import ALONE_KEY, MOUNT_KEY
from multiserve.servers.engine.access import Access
from multiserve.servers.engine.host import Host
from multiserve.servers.engine.reading import RequestReader
from multiserve.servers.engine.responses import Exchange
from multiserve.servers.engine.slow_clients import WatchedConnection

_HALF_CLOSED = 1.0  # seconds in which a client that sends nothing more may still get its response


class Connection(WatchedConnection, RequestReader):
    """One connection of a client over HTTP/1.

    Attributes:
        idle_since: When the last response ended, in the loop's time.
    """

    def __init__(self, listener: Host, loop: asyncio.AbstractEventLoop) -> None:
        """Serve one connection for a listener."""
        super().__init__(listener, loop)
        self.log = listener.log
        self.access_log = False  # uvicorn's own
        self._application: Any = self.app
        self.app = self._answer
        self._serving: Any = None  # uvicorn's record of the request that is under way
        self._waits_for_body = 0
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room, or refuse the connection where all others are busy."""
        has_room = self.listener.make_room()
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        if not has_room:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, b"retry-after: 10\r\n")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Let a client that sends nothing more have its response, but not for long: it may have left."""
        cycle = self.cycle
        if self.scheme == "https" or cycle is None or cycle.response_started or cycle.more_body:
            return False
        cycle.keep_alive = False
        self.loop.call_later(_HALF_CLOSED, self._close_half)
        return True

    def _close_half(self) -> None:
        if not self.cycle.response_started:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Notify every request of the connection; uvicorn notifies the last one alone."""
        super().connection_lost(exc)
        self.pipeline.clear()
        if self._serving is not None and not self._serving.response_complete:
            self._serving.disconnected = True
            self._serving.message_event.set()
        self.app = self._application  # the bound method would be a cycle of references

    # The request.

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (an exchange has its own)
        cycle: Any = receive.__self__  # type: ignore[attr-defined] # uvicorn's record of this request
        self._serving = cycle
        if self.listener.is_stopping:
            cycle.keep_alive = False
        if self.settings.is_alone:
            scope[ALONE_KEY] = True
        began = self.loop.time()
        exchange = Exchange(cycle, self)
        try:
            await self._application(scope, self._counted(cycle, receive) if cycle.more_body else receive, exchange.send)
            if not (cycle.response_complete or cycle.disconnected):
                raise RuntimeError("the application returned without completing its response")  # noqa: TRY301
        except asyncio.CancelledError:
            cycle.disconnected = True
            self.transport.close()
        except BaseException as error:  # noqa: BLE001 (it would end the loop, or leave the client without an answer)
            await self._fail(scope, exchange, error)
        if self.listener.log_access is not None and exchange.status:
            access = Access(scope, exchange.status, exchange.headers, exchange.sent, self.loop.time() - began)
            self.listener.log_access(access)

    def _counted(self, cycle: Any, receive: Receive) -> Receive:
        """Take note while an application waits for a body; behind that it waits for the client to leave."""

        async def counted() -> Message:
            if not cycle.more_body:
                return await receive()
            self._waits_for_body += 1
            try:
                return await receive()
            finally:
                self._waits_for_body -= 1

        return counted

    async def _fail(self, scope: Scope, exchange: Exchange, error: BaseException) -> None:
        cycle = exchange.cycle
        if cycle.disconnected and isinstance(error, Exception):
            self.log.debug("The client has left: %r", error)
            return
        where = f"{scope[MOUNT_KEY]}: " if MOUNT_KEY in scope else ""
        target = scope["raw_path"].decode("latin-1")
        self.log.error("%sError handling request %s %s", where, scope["method"], target, exc_info=error)
        if not await exchange.fail() and not cycle.response_complete:
            cycle.disconnected = True
            if exchange.ends_with_connection:
                self.transport.abort()  # the client would take a good end for that of the response
            else:
                self.transport.close()

    def on_response_complete(self) -> None:
        """Take note of the time, from which on the connection is idle, and refuse what waits to be refused."""
        self.idle_since = self.loop.time()
        if self in self.connections:
            self.listener.state.connections.move_to_end(self)
        if self.is_half_closed:
            self.pipeline.clear()  # what waits is not answered, and may be sent again (RFC 9112, section 9.6)
        is_next = not self.pipeline or (len(self.pipeline) == 1 and self.pipeline[0][0].more_body)
        if self.refused_later and is_next and not (self.is_half_closed or self.transport.is_closing()):
            self.pipeline.clear()
            super().on_response_complete()
            self._unset_keepalive_if_required()
            self.refuse(self.refused_later)
        else:
            super().on_response_complete()

    # What the listener asks.

    @property
    def is_idle(self) -> bool:
        """Whether the client has nothing to lose."""
        return (self.cycle is None or self.cycle.response_complete) and not self._in_head

    @property
    def sends_head(self) -> bool:
        """Whether the client has sent a part of a head, and waits for no response."""
        return self._in_head and (self.cycle is None or self.cycle.response_complete)

    def say_stop(self, now: float, linger_end: float, linger: float) -> None:
        """Close the connection as soon as no request can be lost by it; to be called again and again."""
        if self.is_refused and self.refused_later is None:
            return
        if self.sends_head:
            if now >= linger_end:
                self.transport.close()
        elif self.is_idle:
            if now >= max(linger_end, self.idle_since + linger if self.cycle else 0):
                self.transport.close()
        elif not self.cycle.response_started:
            self.cycle.keep_alive = False

    def expected(self) -> object:
        """Return what the client has to do, another object whenever it does something; None for nothing."""
        if self.is_refused or self.transport.is_closing():
            return None
        if self.sends_head or self.cycle is None:
            return "send a head"
        if self._waits_for_body:
            return ("send a body", self._packets)
        return "end a body" if self._in_message and self.cycle.response_complete else None

    def give_up(self) -> None:
        """Say that it took too long, where the client has sent anything."""
        if self.sends_head or self._waits_for_body:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()
