"""Accepts connections for uvicorn's protocols, makes room for new ones, and stops in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import sys
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import partial
from socket import socket
from typing import Any

from uvicorn import Config

from multiserve._types import ASGIApplication
from multiserve.servers.addresses import spoken_https
from multiserve.servers.engine.access import Access
from multiserve.servers.engine.connection import Connection
from multiserve.servers.engine.host import ClosedGently
from multiserve.servers.engine.settings import EngineSettings
from multiserve.servers.engine.state import State
from multiserve.servers.engine.websocket import WebSocket

_LINGER = 1.0  # seconds in which a connection that is kept alive may still bring a request
_CANCEL = 0.25  # seconds in which what is dropped may clean up
_TICK = 0.02  # seconds between two looks at the connections of a server that stops
_LOOKS = 8  # at each connection, while its client keeps the server waiting for as long as it may
_ACCEPTED_AT_ONCE = 64  # where descriptors run out, asyncio of Python 3.11 fails as often as this
_GENTLE = 2.0  # seconds for a client to take in a response before it has sent its request
_PAUSE = 1.0  # seconds in which the same line is logged once
_DRAINED = 65536  # bytes that are read meanwhile


def _log_access(write: Callable[[Access], None], log: Any, access: Access) -> None:
    """Write a line of the access log; the connection stays open where that fails."""
    try:
        write(access)
    except Exception:  # a stream may be closed, full, or of another encoding
        log.exception("The access log could not be written")


class Listener:
    """Serves one application on some sockets.

    Attributes:
        is_stopping: Responses that begin from now on say that the connection ends with them.
    """

    def __init__(
        self,
        application: ASGIApplication,
        settings: EngineSettings,
        log: Any,
        log_access: Callable[[Access], None] | None = None,
    ) -> None:
        """Prepare to serve an application.

        Args:
            application: The application.
            settings: The limits.
            log: A logger, or what has a logger's methods.
            log_access: Write a line of the access log; None for no access log.
        """
        self.settings = settings
        self.log = log
        self.log_access: Callable[[Access], None] | None = partial(_log_access, log_access, log) if log_access else None
        self.is_stopping = False
        self.config = _configuration(application, settings)
        self.state = State(self)
        self._tasks: list[asyncio.Task[None]] = []
        self._servers: list[tuple[socket, asyncio.AbstractServer]] = []
        self._tls: dict[str, Any] = {}
        self._loop: asyncio.AbstractEventLoop
        self._complained = self._noted = -_PAUSE

    @property
    def answered(self) -> int:
        """How many requests have been answered."""
        return self.state.total_requests

    async def start(self, sockets: Iterable[socket], ssl_context: ssl.SSLContext | None = None) -> None:
        """Accept connections."""
        self._loop = loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._handle_error)
        if ssl_context:
            self._tls = {"ssl": ssl_context, "ssl_handshake_timeout": self.settings.client_timeout}
        self._set_date()
        for each in sockets:
            rest = each.dup()  # for those that wait when the server is closed, and its socket with it
            server = await loop.create_server(self._connect, sock=each, backlog=_ACCEPTED_AT_ONCE, **self._tls)
            rest.listen(self.settings.backlog)
            self._servers.append((rest, server))
        self._tasks = [loop.create_task(self._look_at_clients()), loop.create_task(self._set_date_each_second())]

    def _connect(self) -> Connection:
        return Connection(self, self._loop)

    def _handle_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Where no connection can be accepted, close an idle one, and say so once a second; asyncio tries again."""
        if not (isinstance(context.get("exception"), OSError) and "accept" in context.get("message", "")):
            loop.default_exception_handler(context)
            return
        self._close_one()
        if loop.time() - self._complained > _PAUSE:
            self._complained = loop.time()
            self.log.error("Cannot accept more connections: %s", context["exception"])

    async def _look_at_clients(self) -> None:
        patience = self.settings.client_timeout
        while True:
            await asyncio.sleep(patience / _LOOKS)
            now = self._loop.time()
            for connection in (*self.state.connections, *self.state.websockets):
                connection.look(now, patience)

    def _set_date(self) -> None:
        self.state.set_default_headers((b"server", b"multiserve"), (b"date", formatdate(usegmt=True).encode()))

    async def _set_date_each_second(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._set_date()

    # What connections ask.

    def make_room(self) -> bool:
        """Make room for one connection more, at the cost of another one; return whether there is room."""
        return len(self.state.connections) < self.settings.max_connections or self._close_one()

    def _close_one(self) -> bool:
        """Close the connection that has been idle for longest, or else that with the oldest part of a head."""
        connections = self.state.connections
        found = next((each for each in connections if each.is_idle), None)
        found = found or next((each for each in connections if each.sends_head), None)
        if found is None:
            return False
        connections.discard(found)  # it is closed by the loop, a little later
        found.transport.close()
        return True

    @property
    def has_room_for_websocket(self) -> bool:
        """Whether one WebSocket more may be opened."""
        return len(self.state.websockets) < self.settings.max_websockets

    def note_https(self, transport: asyncio.Transport) -> None:
        """Log that a client has begun with TLS where none is served."""
        if self._loop.time() - self._noted > _PAUSE:
            self._noted = self._loop.time()
            self.log.warning("%s", spoken_https(transport.get_extra_info("sockname")))

    def close_gently(self, connection: ClosedGently) -> None:
        """Close a connection whose client may still be sending: at once, its system would drop the response."""
        transport = connection.transport
        connection.is_refused = True
        if self._tls or transport.is_closing() or not transport.can_write_eof():
            transport.close()
            return
        connection.is_half_closed = True
        transport.set_protocol(_Drain(connection))
        transport.write_eof()
        transport.resume_reading()
        self._loop.call_later(_GENTLE, transport.close)

    # The end.

    def announce_stop(self) -> None:
        """Let responses that begin from now on say that the connection ends with them."""
        self.is_stopping = True

    async def stop(self, seconds: float, linger: float = _LINGER, *, takes_rest: bool = True) -> None:
        """Stop accepting, close WebSockets, let requests finish, and drop what is left.

        Args:
            seconds: How long requests may take.
            linger: Seconds in which connections that are kept alive may still bring a request.
            takes_rest: Serve the connections that wait to be accepted; else another process has the socket, too.
        """
        self.is_stopping = True
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        linger_end = min(clock() + linger, deadline)
        await self._stop_accepting(takes_rest=takes_rest)
        while True:
            now = clock()
            for connection in (*self.state.connections, *self.state.websockets):
                connection.say_stop(now, linger_end, linger)
            await asyncio.sleep(_TICK)  # at least once: what has just been accepted comes only now
            if not (self.state.connections or self.state.websockets or self.state.tasks) or clock() >= deadline:
                break
        await self._drop()

    async def _drop(self) -> None:
        for task in self._tasks:
            task.cancel()
        # The tasks end before the lifespans of their applications do.
        tasks = list(self.state.tasks)
        for task in tasks:
            task.cancel()
        for connection in (*self.state.connections, *self.state.websockets):
            connection.transport.abort()  # close() would wait for a client that does not read
        if tasks:
            await asyncio.wait(tasks, timeout=_CANCEL)

    async def _stop_accepting(self, *, takes_rest: bool) -> None:
        servers, self._servers = self._servers, []
        for rest, server in servers:
            if isinstance(server, asyncio.base_events.Server) and sys.platform != "win32":
                for each in server.sockets:
                    self._loop.remove_reader(each.fileno())
                await asyncio.sleep(0)  # asyncio's server loses what it has just accepted if it is closed now
            if takes_rest:
                await self._take_rest(rest)
            server.close()
            rest.close()

    async def _take_rest(self, listening: socket) -> None:
        """Take the connections that the system has accepted already: they would be lost with the socket."""
        with contextlib.suppress(OSError):
            listening.settimeout(0)
            while len(self.state.connections) < self.settings.max_connections:
                sock, _ = listening.accept()
                sock.settimeout(0)
                await self._loop.connect_accepted_socket(self._connect, sock=sock, **self._tls)


def _configuration(application: ASGIApplication, settings: EngineSettings) -> Config:
    config = Config(
        application,
        http=Connection,  # made by the listener alone
        ws=WebSocket,
        ws_max_size=settings.largest_message,
        ws_per_message_deflate=False,  # a message of 16 kB could be one of 16 MB
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the dispatcher believes proxies
        interface="asgi3",
        timeout_keep_alive=settings.keepalive,  # type: ignore[arg-type] # any number will do
    )
    config.load()
    return config


def hand_over_errors(handlers: Iterable[logging.Handler], level: int) -> None:
    """Let what uvicorn's protocols log themselves go to `handlers`, but nothing below a warning."""
    errors = logging.getLogger("uvicorn.error")
    errors.handlers[:] = handlers
    errors.propagate = False
    errors.setLevel(max(level, logging.WARNING))


class _Drain(asyncio.Protocol):
    """Reads what still comes on a connection that is to be closed, but not for long."""

    def __init__(self, connection: ClosedGently) -> None:
        self._connection = connection
        self._left = _DRAINED

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._connection.transport.abort()

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.connection_lost(exc)
