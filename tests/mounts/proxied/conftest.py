"""A proxied mount that is asked in process, over servers of raw bytes."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiohttp")

from multiserve.mounts.proxied.application import Proxy, ProxyOptions
from multiserve.upstreams import parse_upstream

PATIENCE = 30.0  # seconds


@dataclasses.dataclass
class Client:
    """One side of an ASGI connection: what is to be received, and what has been sent.

    Attributes:
        parts: The parts of the body that the client sends.
        leaves: The client leaves once it has sent them.
        sent: The messages of the application.
    """

    parts: tuple[bytes, ...] = (b"",)
    leaves: bool = False
    sent: list[Any] = dataclasses.field(default_factory=list)
    gone: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._left = list(self.parts)

    async def receive(self) -> dict[str, Any]:
        if self._left:
            part = self._left.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self._left) or self.leaves}
        if not self.leaves:
            await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.sent[1:])

    @property
    def is_whole(self) -> bool:
        return bool(self.sent) and not self.sent[-1].get("more_body")


def scope_of(path: str = "/app/x", *, method: str = "GET", headers: Any = (), **more: Any) -> dict[str, Any]:
    """Return the scope of a request that came in at /app."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "/app",
        "query_string": b"",
        "client": ("192.0.2.7", 5000),
        "headers": [(b"host", b"shop.test"), *headers],
        **more,
    }


@pytest.fixture
def scope() -> Callable[..., dict[str, Any]]:
    """Make the scope of a request."""
    return scope_of


@pytest.fixture
def proxy() -> Callable[..., Proxy]:
    """Make what hands requests on to a target."""

    def make(target: str, **options: Any) -> Proxy:
        return Proxy(parse_upstream(target, Path.cwd()), ProxyOptions(name="/app", prefix="/app", **options))

    return make


@pytest.fixture
def client() -> type[Client]:
    """The client's side of a connection."""
    return Client


@pytest.fixture
def run() -> Callable[..., Any]:
    """Run something of asyncio, but not for ever."""

    def until_done(make: Callable[[], Any]) -> Any:
        async def limited() -> Any:
            async with asyncio.timeout(PATIENCE):
                return await make()

        return asyncio.run(limited())

    return until_done


@pytest.fixture
def ask(run: Callable[..., Any]) -> Callable[..., Client]:
    """Send one request through a mount, and close its connections."""

    def one(proxy: Proxy, scope: dict[str, Any], *parts: bytes, leaves: bool = False) -> Client:
        client = Client(parts or (b"",), leaves)

        async def whole() -> None:
            try:
                await proxy(scope, client.receive, client.send)
            finally:
                await proxy.close()

        run(whole)
        return client

    return one
