"""uvicorn's WebSocket, which a client that does not read cannot fill, and whose end and errors are logged."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from multiserve._types import Message, Receive, Scope, Send
from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.servers.engine.access import Access
from multiserve.servers.engine.slow_clients import WatchedConnection

_REFUSED = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class WebSocket(WatchedConnection, WebSocketsSansIOProtocol):
    """One WebSocket."""

    def __init__(
        self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        """Serve one WebSocket; the arguments are uvicorn's."""
        super().__init__(config, server_state, app_state, _loop)
        self.listener = server_state.listener
        self.log = self.listener.log
        self.connections = server_state.websockets  # they have a bound of their own
        self._application: Any = self.app
        self.app = self._answer
        self._was_told = self._was_lost = False
        self._status = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end, and wake who waits to send: not every release of uvicorn does."""
        self._was_lost = True
        if self.handshake_complete and self.conn.close_rcvd is None:
            # In front of the 1005 of uvicorn, which stands for a close frame without a code (RFC 6455, section 7.1.5).
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
        super().connection_lost(exc)
        self.writable.set()
        self.app = self._application  # the bound method would be a cycle of references

    def data_received(self, data: bytes) -> None:
        """Read; a handshake that the library does not take is answered as it says, and not with silence."""
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()) or _REFUSED)
            self.transport.close()

    def pause_writing(self) -> None:
        """Take note that the transport is full, which some releases of uvicorn have the wrong way round."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """Take note that the transport has room again."""
        self.writable.set()

    def handle_ping(self) -> None:
        """Answer a ping, but not to a client that reads no pongs: they would fill memory (RFC 6455, section 5.5.3)."""
        output = self.conn.data_to_send()
        if self.writable.is_set():
            self.transport.write(b"".join(output))

    def say_stop(self, _now: float, _linger_end: float, _linger: float) -> None:
        """Close with 1012, once; both ends learn it."""
        if not self._was_told:
            self._was_told = True
            self.shutdown()

    def send_500_response(self) -> None:
        """Refuse the handshake with 500, or with 503 where it is the server that stops."""
        if self.initial_response or self.handshake_complete:
            return
        status = HTTPStatus.SERVICE_UNAVAILABLE if self._was_told else HTTPStatus.INTERNAL_SERVER_ERROR
        self._status = self._status or status
        self.conn.send_response(self.conn.reject(status, status.phrase))
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.handshake_complete = self.close_sent = True  # uvicorn would refuse it once more

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = self.loop.time()

        async def noting(message: Message) -> None:
            was_open = self._is_open
            self._note(message)
            await send(message)
            if self._is_open and not was_open:
                self._log(scope, began)

        try:
            await self._application(scope, receive, noting)
            if not (self.handshake_complete or self.initial_response):
                raise RuntimeError("the application returned without accepting or closing the WebSocket")  # noqa: TRY301
        except asyncio.CancelledError:
            self.transport.close()
        except ClientDisconnected:
            pass
        except BaseException as error:  # noqa: BLE001 (it would end the loop)
            self._fail(scope, error)
        if getattr(self, "close_timer", None) is None:  # else the client has some time to say goodbye
            self.transport.close()
        if self._status:
            self._log(scope, began, self._close_code() if self._is_open else 0)

    @property
    def _is_open(self) -> bool:
        """Whether the handshake was accepted."""
        return self._status == HTTPStatus.SWITCHING_PROTOCOLS

    def _log(self, scope: Scope, began: float, code: int = 0) -> None:
        """Write a line of the access log: one for a handshake, and another one for the end."""
        if self.listener.log_access is not None:
            self.listener.log_access(Access(scope, self._status, [], 0, self.loop.time() - began, code))

    def _close_code(self) -> int:
        """Return the code with which the WebSocket was closed (RFC 6455, section 7.1.5)."""
        frame = self.conn.close_rcvd or self.conn.close_sent
        return int(frame.code) if frame else 1006

    def _fail(self, scope: Scope, error: BaseException) -> None:
        """Log an error, and tell the client that it is the server's fault: 500, or 1011 after the handshake."""
        where = f"{scope[MOUNT_KEY]}: " if MOUNT_KEY in scope else ""
        target = scope["raw_path"].decode("latin-1")
        if self._was_lost and isinstance(error, Exception):
            self.log.info("%sThe client has left the WebSocket %s: %r", where, target, error)
            return
        self.log.error("%sError handling WebSocket %s", where, target, exc_info=error)
        if not self.handshake_complete:
            self.send_500_response()
        elif not (self.close_sent or self.transport.is_closing()):
            self.conn.fail(1011)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True

    def _note(self, message: Message) -> None:
        """Take note of the status for the access log."""
        if not self._status:
            kind = message["type"]
            if kind == "websocket.accept":
                self._status = HTTPStatus.SWITCHING_PROTOCOLS
            elif kind == "websocket.close":
                self._status = HTTPStatus.FORBIDDEN
            elif kind == "websocket.http.response.start":
                self._status = message["status"]
