"""Serving ASGI with gunicorn's own protocol class, in one event loop: for its worker and for the development server.

It leans on internals of gunicorn 27 (`ASGIProtocol` and its WebSocket), each named in a comment.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from socket import socket
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol

from multiserve.dispatch.wsgi import MOUNT_KEY

# Threads that compute would hold up the event loop for 5 ms at a time otherwise.
SWITCH_INTERVAL = 0.001  # seconds
_SERVICE_RESTART = 1012  # the WebSocket close code for a server that comes back (RFC 6455, IANA registry)
_LINGER = 1.0  # seconds in which a connection that is kept alive may still bring a request
_CANCEL = 0.25  # seconds in which what is dropped may clean up
_TICK = 0.02  # seconds between two looks at the connections


class Connection(ASGIProtocol):  # type: ignore[misc]
    """One connection of a client, which can be told that the server stops."""

    def __init__(self, worker: Any, connections: set[Connection]) -> None:
        """Serve one connection for `worker`, the object that gunicorn's protocol asks for everything."""
        super().__init__(worker)
        self._connections = connections
        self._was_told = False  # its WebSocket has been told that the server stops

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the connection."""
        self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, but not before the application has done with it: its shut-down comes after that."""
        super().connection_lost(exc)
        if self._task is None or self._task.done():  # gunicorn's task, in which it calls the application
            self._connections.discard(self)
        else:
            self._task.add_done_callback(lambda _: self._connections.discard(self))

    # gunicorn would take the first two letters of a unix socket's path for host and port.

    def _build_http_scope(self, request: Any, sockname: Any, peername: Any) -> dict[str, Any]:
        return _name_server(super()._build_http_scope(request, sockname, peername), sockname)

    def _build_http2_scope(self, request: Any, sockname: Any, peername: Any) -> dict[str, Any]:
        return _name_server(super()._build_http2_scope(request, sockname, peername), sockname)

    def _build_websocket_scope(self, request: Any, sockname: Any, peername: Any) -> dict[str, Any]:
        return _name_server(super()._build_websocket_scope(request, sockname, peername), sockname)

    async def close_websocket(self) -> None:
        """Say goodbye to a WebSocket, once, to both of its ends."""
        websocket = self._websocket
        if websocket is None or websocket.closed or self._was_told:
            return
        self._was_told = True
        websocket.close_code = _SERVICE_RESTART
        if websocket.accepted:
            await websocket._send_close(_SERVICE_RESTART, "Service restart")  # noqa: SLF001
        else:
            websocket._deny(503, "Service Unavailable")  # noqa: SLF001
        websocket.closed = True  # an application that only sends learns it from that
        websocket._receive_queue.put_nowait({"type": "websocket.disconnect", "code": _SERVICE_RESTART})  # noqa: SLF001

    @property
    def is_spare(self) -> bool:
        """Whether the connection serves nothing: it waits for a request, or had a WebSocket that is closed."""
        # A task that an application runs after its response is among the finishing calls.
        return self._was_told or (self._awaiting_request and not self._finishing_calls)

    def close(self) -> None:
        """Close the connection; an application that is still at it gets gunicorn's `asgi_disconnect_grace_period`."""
        self._close_transport()
        self._wake()

    def drop(self) -> asyncio.Task[None] | None:
        """Cut the connection off, whatever it is doing; give the task that ends with it."""
        if self.transport is not None:
            self.transport.abort()  # close() would wait for a client that does not read
        self._wake()
        if self._task is not None:
            self._task.cancel()
        task: asyncio.Task[None] | None = self._task
        return task

    def _wake(self) -> None:
        if self._request_ready is not None:  # HTTP/2 and uWSGI have none
            self._request_ready.set()  # its task waits for the next request, and sees that there is none


def _name_server(scope: dict[str, Any], sockname: Any) -> dict[str, Any]:
    if isinstance(sockname, str):
        scope["server"] = (sockname, None)
    return scope


class LoggedConnection(Connection):
    """A connection whose access log knows the mount of each request."""

    def __init__(self, worker: Any, connections: set[Connection]) -> None:
        """Serve one connection as `Connection` does."""
        super().__init__(worker, connections)
        self._scopes: dict[int, dict[str, Any]] = {}  # of the requests that are still to be logged

    # gunicorn makes the scope of each request, and later the environ for its access log.

    def _build_http_scope(self, request: Any, *args: Any) -> dict[str, Any]:
        return self._remember(request, super()._build_http_scope(request, *args))

    def _build_http2_scope(self, request: Any, *args: Any) -> dict[str, Any]:
        return self._remember(request, super()._build_http2_scope(request, *args))

    def _build_environ(self, request: Any, *args: Any) -> dict[str, Any]:
        return self._name_mount(request, super()._build_environ(request, *args))

    def _build_http2_environ(self, request: Any, *args: Any) -> dict[str, Any]:
        return self._name_mount(request, super()._build_http2_environ(request, *args))

    def _remember(self, request: Any, scope: dict[str, Any]) -> dict[str, Any]:
        self._scopes[id(request)] = scope
        return scope

    def _name_mount(self, request: Any, environ: dict[str, Any]) -> dict[str, Any]:
        """Name the mount for the access log, which knows nothing but this environ."""
        scope = self._scopes.pop(id(request), {})
        if MOUNT_KEY in scope:
            environ[MOUNT_KEY] = scope[MOUNT_KEY]
        return environ


class Listener:
    """Accepts connections on sockets, and stops in good order."""

    def __init__(self, worker: Any) -> None:
        """Serve for `worker`, the object that gunicorn's protocol asks for everything."""
        self._worker = worker
        self._connections: set[Connection] = set()
        self._servers: list[tuple[socket, asyncio.Server]] = []

    async def start(self, sockets: Iterable[socket], ssl_context: ssl.SSLContext | None = None) -> None:
        """Accept connections."""
        loop = asyncio.get_running_loop()
        connection = LoggedConnection if self._worker.log.access_log_enabled else Connection
        for each in sockets:
            server = await loop.create_server(
                lambda: connection(self._worker, self._connections), sock=each, ssl=ssl_context
            )
            self._servers.append((each, server))

    async def stop(self, seconds: float, linger: float = _LINGER) -> None:
        """Stop accepting, close WebSockets, let requests finish, and drop what is left.

        Args:
            seconds: How long requests may take.
            linger: Seconds in which connections that are kept alive may still bring a request.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        linger_end = min(clock() + linger, deadline)
        await self._stop_accepting()
        while True:
            for connection in list(self._connections):
                await connection.close_websocket()
                if clock() >= linger_end and connection.is_spare:
                    connection.close()
            await asyncio.sleep(_TICK)  # at least once: what has just been accepted comes only now
            if not self._connections or clock() >= deadline:
                break
        # Their tasks end before the lifespans of their applications do.
        if tasks := [task for connection in list(self._connections) if (task := connection.drop())]:
            await asyncio.wait(tasks, timeout=_CANCEL)

    async def _stop_accepting(self) -> None:
        loop = asyncio.get_running_loop()
        servers, self._servers = self._servers, []
        for each, _ in servers:
            loop.remove_reader(each)
        await asyncio.sleep(0)  # asyncio's server loses what it has just accepted if it is closed now
        for _, server in servers:
            server.close()
