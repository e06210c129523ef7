"""Sockets of clients for the threaded worker: whoever keeps it waiting too long is given up, and holds no thread.

They stay ordinary sockets for everybody else: an application that takes one over, for WebSockets, may wait on it.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gunicorn.http.unreader import SocketUnreader

from multiserve.dispatch.threads import waiting_for_client
from multiserve.servers.asgi.unsent import unsent

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    _Socket = socket.socket
else:
    _Socket = object

# Bytes to write at once: TLS cannot write a part of what it is given. A buffer with room has room for so many.
_PIECE = 16384


class _Patience(_Socket):
    """What the sockets with and without TLS have in common.

    Attributes:
        patience: Seconds to wait for a client that does nothing.
        has_sent: Whether a response has begun.
        is_lost: Whether the client, and not the application, is to blame for an OSError.
    """

    patience: float
    has_sent = False
    is_lost = False

    def wait(self, event: int) -> None:
        """Wait until the socket can be read or written without blocking.

        Raises:
            TimeoutError: The client was given up.
        """
        poll = select.poll()
        poll.register(self, event)
        if poll.poll(0):
            return
        # gunicorn sets a timeout where it has less patience, as for the rest of a body that nobody has read.
        milliseconds = 1000 * (self.gettimeout() or self.patience)
        with waiting_for_client():
            before = unsent(self)
            while not poll.poll(milliseconds):
                if event == select.POLLIN or (now := unsent(self)) >= before:
                    raise TimeoutError("the client kept the server waiting")
                before = now  # it reads slowly, but it does; there is room only when it has read a good deal

    def finish_sending(self) -> None:
        """Tell the client that nothing more comes.

        Raises:
            OSError: The client has left.
        """
        self.shutdown(socket.SHUT_WR)

    def _guard(self, act: Callable[..., Any], *args: Any) -> Any:
        try:
            return act(*args)
        except OSError:
            self.is_lost = True
            raise

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        """Send some bytes, as gunicorn does for `100 Continue`."""
        sent: int = self._guard(super().send, data, flags)
        return sent

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        """Send all bytes, however long it takes, as long as the client takes some of them."""
        self.has_sent = True
        if self.gettimeout() == 0:  # gunicorn does not wait for a client to take in why its request is refused
            self._guard(super().sendall, data, flags)
        else:
            self._guard(self._send_patiently, memoryview(data).cast("B"), flags)

    def _send_patiently(self, data: memoryview, flags: int) -> None:
        raise NotImplementedError

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> Any:
        """Send a file; the kernel does the work, and what is not small needs no thread of the application."""
        self.has_sent = True
        self.wait(select.POLLOUT)
        is_small = count is not None and count <= _PIECE
        before = self.gettimeout()
        self.settimeout(self.patience)  # for each part of it
        try:
            with contextlib.nullcontext() if is_small else waiting_for_client():
                return self._guard(self._send_parts, file, offset, count)
        finally:
            self.settimeout(before)

    def _send_parts(self, file: Any, offset: int, count: int | None) -> int:
        sent, before = 0, (0, unsent(self))
        while True:
            try:
                return sent + super().sendfile(file, offset + sent, None if count is None else count - sent)
            except TimeoutError:
                sent = file.tell() - offset  # where it stands even then
                now = (-sent, unsent(self))
                if now >= before:
                    raise
                before = now


class ClientSocket(_Patience, socket.socket):
    """A connection without TLS."""

    def _send_patiently(self, data: memoryview, flags: int) -> None:
        while data:
            try:
                data = data[socket.socket.send(self, data, flags | socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self.wait(select.POLLOUT)


class TLSClientSocket(_Patience, ssl.SSLSocket):
    """A connection with TLS."""

    def _send_patiently(self, data: memoryview, flags: int) -> None:
        before = self.gettimeout()
        self.settimeout(before or self.patience)  # a client may stop in the middle of a record
        try:
            while data:
                self.wait(select.POLLOUT)
                data = data[ssl.SSLSocket.send(self, data[:_PIECE], flags) :]
        finally:
            self.settimeout(before)

    def finish_sending(self) -> None:
        """Tell the client that nothing more comes, first in TLS: the end of the stream alone could be an attacker's."""
        self.settimeout(0)
        with contextlib.suppress(OSError, ValueError):  # there is no answer yet, or no TLS any more
            self.unwrap()
        super().finish_sending()


class ClientReader(SocketUnreader):  # type: ignore[misc]
    """What gunicorn's parser reads from: first what has been read already, then the socket, patiently."""

    def __init__(self, sock: ClientSocket | TLSClientSocket, already: bytes) -> None:
        """Read from a socket, of which some bytes have been read already."""
        super().__init__(sock)
        self.buf.write(already)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Read what there is, and wait for it if there is nothing."""
        try:
            return self._read(size_hint)
        except OSError:
            self.sock.is_lost = True
            raise

    def _read(self, size_hint: int | None) -> bytes:
        sock: ClientSocket | TLSClientSocket = self.sock
        if isinstance(sock, ClientSocket):
            sock.wait(select.POLLIN)
            data: bytes = super().chunk(size_hint)
            return data
        if not sock.pending():
            sock.wait(select.POLLIN)
        before = sock.gettimeout()
        sock.settimeout(before or sock.patience)  # a client may stop in the middle of a record
        try:
            data = super().chunk(size_hint)
        finally:
            sock.settimeout(before)
        return data
