"""Serving ASGI with gunicorn's own protocol class, in one event loop: for its worker and for the development server.

It leans on internals of gunicorn 27 (`ASGIProtocol` and its WebSocket), each named in a comment.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from http import HTTPStatus
from socket import socket
from typing import Any

from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.servers.asgi.kept_promise import PromisingConnection
from multiserve.servers.asgi.unsent import unsent

# Threads that compute would hold up the event loop for 5 ms at a time otherwise.
SWITCH_INTERVAL = 0.001  # seconds
_SERVICE_RESTART = 1012  # the WebSocket close code for a server that comes back (RFC 6455, IANA registry)
_LINGER = 1.0  # seconds in which a connection that is kept alive may still bring a request
_CANCEL = 0.25  # seconds in which what is dropped may clean up
_TICK = 0.02  # seconds between two looks at the connections
_LOOKS = 8  # at each connection, while its client keeps the server waiting for as long as it may


class Connection(PromisingConnection):
    """One connection of a client, which can be told that the server stops."""

    def __init__(self, worker: Any, connections: dict[Connection, None]) -> None:
        """Serve one connection for `worker`, the object that gunicorn's protocol asks for everything."""
        super().__init__(worker)
        self._connections = connections
        self._was_told = False  # its WebSocket has been told that the server stops
        self._awaited: object = None  # what the client was expected to do at the last look
        self._awaited_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the connection; gunicorn does not heed `worker_connections` here."""
        super().connection_made(transport)
        if len(self._connections) >= self.cfg.worker_connections:
            idle = next((each for each in self._connections if each.is_idle), None)
            if idle is None:
                self._send_error_response(503, "Service Unavailable", (("Retry-After", "10"),))
                self.close()
            else:
                idle.close()
        self._connections[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, but not before the application has done with it: its shut-down comes after that."""
        super().connection_lost(exc)
        if self._task is None or self._task.done():  # gunicorn's task, in which it calls the application
            self._connections.pop(self, None)
        else:
            self._task.add_done_callback(lambda _: self._connections.pop(self, None))

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

    def look(self, now: float, patience: float) -> None:
        """Give the client up if it keeps the server waiting for the same thing for too long, in seconds."""
        awaited = self._expected()
        if awaited is None or awaited != self._awaited:
            self._awaited, self._awaited_since = awaited, now
        elif now - self._awaited_since >= patience:
            self.log.info("A client kept the server waiting for more than %d s.", patience)
            self._give_up()

    def _expected(self) -> object:
        """Give what the client is expected to do, another thing whenever it does something; None for nothing."""
        if self.transport is None:
            return None
        if size := self.transport.get_write_buffer_size():
            return ("read", size, unsent(self.transport.get_extra_info("socket")))
        if self._callback_parser is None:  # a WebSocket, which may be silent, or HTTP/2 or uWSGI
            return None
        if self._awaiting_request:
            # Between two requests it is gunicorn's `keepalive` that counts.
            return ("send a head", self.req_count) if self.req_count == 1 or self._has_part_of_head else None
        receiver = self._body_receiver
        if receiver is None or receiver._complete:  # noqa: SLF001
            return None
        return receiver._waiter  # noqa: SLF001 (a new one for each part of a body that an application waits for)

    @property
    def _has_part_of_head(self) -> bool:
        parser = self._callback_parser
        # gunicorn's parser in C does not tell.
        return getattr(parser, "_state", None) == "headers" or bool(getattr(parser, "_buffer", b""))

    def _give_up(self) -> None:
        if self.transport.get_write_buffer_size():
            self.drop()
        elif self._awaiting_request:
            if self._has_part_of_head:
                self._send_error_response(408, "Request Timeout")
            self.close()
        else:
            # As gunicorn does after `timeout` seconds: the application learns that the rest will never come.
            self._body_receiver._body_wait_expired = True  # noqa: SLF001
            self._body_receiver._wake_waiter()  # noqa: SLF001

    def _send_error_response(self, status: int, message: str, *args: Any) -> None:
        """Answer in place of the application; what it could not do without its body is not its fault."""
        is_late = self._body_receiver is not None and self._body_receiver._body_wait_expired  # noqa: SLF001
        if is_late and status == HTTPStatus.INTERNAL_SERVER_ERROR:
            status, message = 408, "Request Timeout"
        super()._send_error_response(status, message, *args)

    @property
    def is_idle(self) -> bool:
        """Whether the client has nothing to lose: it has sent nothing of a request, and waits for nothing."""
        return self._awaiting_request and not self._finishing_calls and not self._has_part_of_head

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
    """A connection whose access log knows the mount of each request, and the client that a trusted proxy names."""

    def __init__(self, worker: Any, connections: dict[Connection, None]) -> None:
        """Serve one connection as `Connection` does."""
        super().__init__(worker, connections)
        self._scopes: dict[int, dict[str, Any]] = {}  # of the requests that are still to be logged

    # gunicorn makes the scope of each request, and later the environ for its access log.

    def _build_http_scope(self, request: Any, *args: Any) -> dict[str, Any]:
        return self._remember(request, super()._build_http_scope(request, *args))

    def _build_http2_scope(self, request: Any, *args: Any) -> dict[str, Any]:
        return self._remember(request, super()._build_http2_scope(request, *args))

    def _build_environ(self, request: Any, *args: Any) -> dict[str, Any]:
        return self._complete(request, super()._build_environ(request, *args))

    def _build_http2_environ(self, request: Any, *args: Any) -> dict[str, Any]:
        return self._complete(request, super()._build_http2_environ(request, *args))

    def _remember(self, request: Any, scope: dict[str, Any]) -> dict[str, Any]:
        self._scopes[id(request)] = scope
        return scope

    def _complete(self, request: Any, environ: dict[str, Any]) -> dict[str, Any]:
        """Name mount and client for the access log, which knows nothing but this environ."""
        scope = self._scopes.pop(id(request), {})
        if MOUNT_KEY in scope:
            environ[MOUNT_KEY] = scope[MOUNT_KEY]
        if client := scope.get("client"):
            environ["REMOTE_ADDR"] = client[0]
        return environ


class Listener:
    """Accepts connections on sockets, gives up clients that are too slow, and stops in good order."""

    def __init__(self, worker: Any, client_timeout: float) -> None:
        """Serve for `worker`, the object that gunicorn's protocol asks for everything.

        Args:
            worker: The worker.
            client_timeout: Seconds that a client may keep the server waiting.
        """
        self._worker = worker
        self._patience = client_timeout
        self._watch: asyncio.Task[None] | None = None
        self._connections: dict[Connection, None] = {}  # in the order in which they came
        self._servers: list[tuple[socket, asyncio.Server]] = []
        self._accept: Callable[..., Awaitable[object]]

    async def start(self, sockets: Iterable[socket], ssl_context: ssl.SSLContext | None = None) -> None:
        """Accept connections."""
        loop = asyncio.get_running_loop()
        connection = LoggedConnection if self._worker.log.access_log_enabled else Connection
        tls: dict[str, Any] = {"ssl": ssl_context, "ssl_handshake_timeout": self._patience} if ssl_context else {}
        connect = partial(connection, self._worker, self._connections)
        self._accept = partial(loop.connect_accepted_socket, connect, **tls)
        for each in sockets:
            server = await loop.create_server(
                connect,
                sock=each,
                backlog=self._worker.cfg.backlog,  # the loop would set a shorter one of its own
                **tls,
            )
            self._servers.append((each, server))
        self._watch = loop.create_task(self._look_at_clients())

    async def _look_at_clients(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self._patience / _LOOKS)
            for connection in list(self._connections):
                connection.look(clock(), self._patience)

    def keep_promises(self) -> None:
        """Let clients send one more request where they may; to be called just before the worker says that it stops."""
        for connection in list(self._connections):
            connection.keep_promise()

    async def stop(self, seconds: float, linger: float = _LINGER, *, takes_rest: bool = True) -> None:
        """Stop accepting, close WebSockets, let requests finish, and drop what is left.

        Args:
            seconds: How long requests may take.
            linger: Seconds in which connections that are kept alive may still bring a request.
            takes_rest: Serve the connections that wait to be accepted; else another process has the socket, too.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        linger_end = min(clock() + linger, deadline)
        await self._stop_accepting(takes_rest=takes_rest)
        while True:
            for connection in list(self._connections):
                await connection.close_websocket()
                if clock() >= linger_end and connection.is_spare:
                    connection.close()
            await asyncio.sleep(_TICK)  # at least once: what has just been accepted comes only now
            if not self._connections or clock() >= deadline:
                break
        if self._watch is not None:
            self._watch.cancel()
        # Their tasks end before the lifespans of their applications do.
        if tasks := [task for connection in list(self._connections) if (task := connection.drop())]:
            await asyncio.wait(tasks, timeout=_CANCEL)

    async def _stop_accepting(self, *, takes_rest: bool) -> None:
        loop = asyncio.get_running_loop()
        servers, self._servers = self._servers, []
        for each, _ in servers:
            loop.remove_reader(each)
        await asyncio.sleep(0)  # asyncio's server loses what it has just accepted if it is closed now
        for each, server in servers:
            if takes_rest:
                await self._take_rest(each)
            server.close()

    async def _take_rest(self, listening: socket) -> None:
        """Take the connections that the system has accepted already: they would be lost with the socket."""
        with contextlib.suppress(OSError):
            while len(self._connections) < self._worker.cfg.worker_connections:
                sock, _ = listening.accept()
                sock.settimeout(0)
                await self._accept(sock=sock)
