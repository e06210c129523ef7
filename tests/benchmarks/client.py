"""A small load generator, run as `python client.py KIND CONNECTIONS HOST:PORT/PATH SECONDS`."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from functools import partial
from typing import cast

import uvloop

_PAUSE = 0.005  # seconds
_TEXT = b"Hello, World!"
_MASK = b"mask"
_MASKED = bytes(byte ^ _MASK[place % 4] for place, byte in enumerate(_TEXT))
_QUESTION = bytes([0x81, 0x80 | len(_TEXT)]) + _MASK + _MASKED  # one text frame (RFC 6455, section 5.2)
_ECHO = bytes([0x81, len(_TEXT)]) + _TEXT
_UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
_LARGE = b"x" * 10 * 1024 * 1024
_KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


class Client(asyncio.Protocol):
    """One connection, with one request under way at any time; the answers have a Content-Length."""

    headers = ""
    accepts = b"HTTP/1.1 200 "

    def __init__(self, host: str, path: str) -> None:
        """Ask `host` for `path`."""
        self.question = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{self.headers}\r\n".encode()
        self.received = b""
        self.answers = 0
        self.asked = 0.0
        self.waits: list[float] = []  # seconds for each answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self.transport = cast("asyncio.WriteTransport", transport)
        self.ask()

    def ask(self) -> None:
        """Send the next question."""
        self.asked = time.perf_counter()
        self.transport.write(self.question)

    def data_received(self, data: bytes) -> None:
        """Ask again as soon as the answer is complete."""
        self.received += data
        if self.is_complete():
            self.received = b""
            self.answers += 1
            self.waits.append(time.perf_counter() - self.asked)
            self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        """End: a server that closes connections would not be measured."""
        sys.exit(f"the server closed a connection: {error}")

    def is_complete(self) -> bool:
        """Tell whether the answer is complete."""
        head, found, body = self.received.partition(b"\r\n\r\n")
        if found and not head.startswith(self.accepts):
            sys.exit(f"not a good answer: {head!r}")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return bool(found) and len(body) >= int(length)


class DownloadClient(Client):
    """One connection, over which something large comes: its bytes are counted, not kept."""

    def __init__(self, host: str, path: str) -> None:
        """Ask `host` for `path`."""
        super().__init__(host, path)
        self.missing = 0

    def data_received(self, data: bytes) -> None:
        """Ask again as soon as the answer is complete."""
        if not self.missing:
            self.received += data
            head, found, body = self.received.partition(b"\r\n\r\n")
            if not found:
                return
            self.missing = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            data = body
        self.missing -= len(data)
        if not self.missing:
            self.received = b""
            self.answers += 1
            self.waits.append(time.perf_counter() - self.asked)
            self.ask()


class UploadClient(Client):
    """One connection, over which something large goes."""

    def __init__(self, host: str, path: str) -> None:
        """Send something to `path` of `host`."""
        super().__init__(host, path)
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(_LARGE)}\r\n\r\n"
        self.question = head.encode() + _LARGE


class PatientClient(Client):
    """One connection, over which each request waits a little: for load beside a measurement."""

    accepts = b"HTTP/1.1 "

    def ask(self) -> None:
        """Send the next question, but not at once."""
        asyncio.get_running_loop().call_later(_PAUSE, super().ask)


class WebSocketClient(Client):
    """One WebSocket, with one text under way at any time."""

    headers = _UPGRADE + _KEY

    def is_complete(self) -> bool:
        """Tell whether the WebSocket has opened, or the text has come back."""
        if self.question == _QUESTION:
            return self.received == _ECHO
        if not self.received.endswith(b"\r\n\r\n"):
            return False
        if not self.received.startswith(b"HTTP/1.1 101 "):
            sys.exit(f"not a good answer: {self.received!r}")
        self.question = _QUESTION
        return True


_KINDS = {
    "http": Client,
    "beside": PatientClient,
    "download": DownloadClient,
    "upload": UploadClient,
    "websocket": WebSocketClient,
}


async def main(kind: str, connections: int, address: str, seconds: float) -> None:
    """Load the server, and print the rate as wrk does."""
    host, _, path = address.partition("/")
    name, _, port = host.partition(":")
    make = partial(_KINDS[kind], host, f"/{path}")
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for _ in range(connections):
        _, client = await loop.create_connection(make, name, int(port))
        clients.append(client)
    before, began = sum(client.answers for client in clients), time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (sum(client.answers for client in clients) - before) / (time.perf_counter() - began)
    if any(not client.answers for client in clients):
        sys.exit("a connection got no answer")
    slowest = statistics.quantiles((wait for client in clients for wait in client.waits), n=100)[-1]
    sys.stdout.write(f"99% {slowest * 1e3:.3f}ms\nRequests/sec: {rate:.2f}\n")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
