"""The management listener: a thread that takes connections, and one for each of a bounded number of them.

It logs nothing and takes no lock that a process forked meanwhile could need.
"""

from __future__ import annotations

import contextlib
import re
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping

from multiserve.servers.management.exchange import Exchange, Page

_MOST_CONNECTIONS = 16
_LONGEST = 16384  # bytes of a request
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_PATIENCE = 5.0  # seconds for a whole request, and for the client to take the response
_LINGER = 1.0  # seconds for a client to close the connection


class Listener:
    """Answers requests on a socket, until it is closed."""

    def __init__(self, listener: socket.socket, pages: Mapping[str, Page], host: str) -> None:
        """Prepare; `start` begins.

        Args:
            listener: The socket.
            pages: What answers, by path.
            host: The host of its address; empty for a unix socket.
        """
        self.socket = listener
        self._pages = pages
        self._host = host
        self._open: dict[int, socket.socket] = {}
        self._wake, self._waker = socket.socketpair()
        self._thread: threading.Thread | None = None
        listener.settimeout(0)

    def start(self) -> None:
        """Begin to answer; signals stay with the main thread, which waits for them."""
        self._thread = self._start_thread(self._accept)

    def _start_thread(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            thread.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return thread

    def _accept(self) -> None:
        while True:
            readable, _, _ = select.select([self.socket, self._wake], [], [])
            if self._wake in readable:
                return
            try:
                connection, _ = self.socket.accept()
            except OSError:  # another process was faster, or the client has gone
                continue
            if len(self._open) >= _MOST_CONNECTIONS:
                connection.close()
                continue
            self._open[connection.fileno()] = connection
            try:
                self._start_thread(self._serve, connection)
            except RuntimeError:  # no more threads
                self._close(connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            deadline = time.monotonic() + _PATIENCE
            if received := _read_request(connection, deadline):
                answer = Exchange(received, self._pages, self._host).answer
                connection.settimeout(_PATIENCE)
                connection.sendall(answer)
                _linger(connection)
        except OSError:  # the client is too slow, or has gone
            pass
        finally:
            self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        self._open.pop(connection.fileno(), None)
        connection.close()

    def close(self) -> None:
        """Stop taking connections, and close the socket; the file of a unix socket stays."""
        if self._thread is not None:
            self._waker.send(b"x")
            self._thread.join(_PATIENCE)
        self._close_own()

    def close_here(self) -> None:
        """Close all sockets, in a process that was forked, which has none of the threads."""
        self._close_own()
        for connection in self._open.values():
            connection.close()

    def _close_own(self) -> None:
        for each in (self.socket, self._wake, self._waker):
            each.close()


def _read_request(connection: socket.socket, deadline: float) -> bytes:
    """Return a request up to its end; empty if there is none in time, or it is too long."""
    received = b""
    while (length := _length_of(received)) is None or len(received) < length:
        if len(received) > _LONGEST or (length or 0) > _LONGEST:
            return b""
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        block = connection.recv(4096)
        if not block:
            return b""
        received += block
    return received[:length]


def _length_of(received: bytes) -> int | None:
    """Return how long a request is, by its header Content-Length; None if its head is not complete."""
    end = _END_OF_HEAD.search(received)
    if end is None:
        return None
    found = _LENGTH.search(received, 0, end.end())
    return end.end() + (int(found[1]) if found else 0)


def _linger(connection: socket.socket) -> None:
    """Wait for the client to close: to close first, with unread bytes, would take the response from it."""
    connection.shutdown(socket.SHUT_WR)
    deadline = time.monotonic() + _LINGER
    with contextlib.suppress(OSError):
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(65536):
                return
