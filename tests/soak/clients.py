"""Clients of every kind, good and bad, each in a thread; the good ones count what was lost."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

_PATIENCE = 30.0  # seconds for an answer
_BODY = b"x" * 200_000
_PARTS = (  # of requests, or whole ones whose responses nobody reads
    b"",
    b"GET / HT",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1",
    b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n",
)


class Clients:
    """All clients of one server."""

    def __init__(self, address: str, *, with_websockets: bool) -> None:
        self.address = address
        self.counts: Counter[str] = Counter()
        self.lost: list[str] = []
        self.longest = 0.0  # seconds for a good request
        self._ending = threading.Event()
        acts = [self._keep_alive, self._keep_alive, self._anew, self._upload, self._leave, self._stay_half, self._fail]
        acts += [self._websocket] if with_websockets else []
        self._threads = [threading.Thread(target=self._repeat, args=(act,), name=act.__name__) for act in acts]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, act: Callable[[], None]) -> None:
        while not self._ending.wait(0.005):
            try:
                act()
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.lost.append(f"{act.__name__}: {error!r}")

    def _ask(self, connection: http.client.HTTPConnection, path: str, expected: bytes, body: bytes = b"") -> None:
        begin = time.monotonic()
        connection.request("POST" if body else "GET", path, body or None)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, expected)
        self.longest = max(self.longest, time.monotonic() - begin)
        self.counts["good requests"] += 1

    def _connect(self) -> contextlib.closing[http.client.HTTPConnection]:
        return contextlib.closing(http.client.HTTPConnection(self.address, timeout=_PATIENCE))

    def _keep_alive(self) -> None:
        with self._connect() as connection:
            for _ in range(100):
                self._ask(connection, "/", b"hello")
                if connection.sock is None or self._ending.wait(0.002):  # the server has said that it closes
                    break

    def _anew(self) -> None:
        with self._connect() as connection:
            self._ask(connection, "/", b"hello")

    def _upload(self) -> None:
        with self._connect() as connection:
            self._ask(connection, "/upload", str(len(_BODY)).encode(), _BODY)

    def _fail(self) -> None:
        """Have an application raise: that answer is 500."""
        with self._connect() as connection:
            connection.request("GET", "/raises")
            assert connection.getresponse().status == 500
        self.counts["applications that raised"] += 1
        self._ending.wait(0.1)

    def _leave(self) -> None:
        """Leave in the middle of a request, or of its response."""
        with self._socket() as client:
            client.sendall(random.choice(_PARTS))
            client.settimeout(0.05)
            with contextlib.suppress(TimeoutError):
                client.recv(1000)
        self.counts["clients that left"] += 1

    def _stay_half(self) -> None:
        """Leave requests half-sent and responses unread, until the server has had enough."""
        with contextlib.ExitStack() as opened:
            for _ in range(5):
                for part in _PARTS:
                    opened.enter_context(self._socket()).sendall(part)
            self._ending.wait(3)
        self.counts["clients that stayed half"] += 5 * len(_PARTS)

    def _socket(self) -> socket.socket:
        host, _, port = self.address.partition(":")
        return socket.create_connection((host, int(port)), timeout=_PATIENCE)

    def _websocket(self) -> None:
        """Open a WebSocket for a while; a reload closes it, and says so."""
        with contextlib.suppress(ConnectionClosed), connect(f"ws://{self.address}/live/ws", proxy=None) as client:
            for number in range(50):
                client.send(str(number))
                assert client.recv(_PATIENCE) == str(number)
                self.counts["messages over WebSockets"] += 1
                if self._ending.wait(0.02):
                    break
        self.counts["WebSockets"] += 1
