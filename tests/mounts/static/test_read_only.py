"""What is only read answers GET and HEAD, and refuses everything else, over WSGI and ASGI."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from multiserve._types import WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import Answer
from multiserve.mounts.static.read_only import ReadOnly


class Poem(ReadOnly):
    """Something that can be read."""

    def answer(self, environ: WSGIEnvironment) -> WSGIApplication:
        return Answer("200 OK", f"read with {environ['REQUEST_METHOD']}\n").wsgi


POEM = Poem("a poem", 1)
STATUSES = {"GET": "200 OK", "HEAD": "200 OK", "POST": "405 Method Not Allowed", "PUT": "405 Method Not Allowed"}


@pytest.mark.parametrize(("method", "status"), STATUSES.items())
def test_wsgi_reads_and_refuses(method: str, status: str) -> None:
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    b"".join(POEM.wsgi({"REQUEST_METHOD": method}, lambda *head: heads.append(head) or (lambda _: None)))
    [(found, headers)] = heads
    assert found == status
    assert (("Allow", "GET, HEAD") in headers) is status.startswith("405")


def ask(scope: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(POEM.asgi(scope, receive, send))
    return sent


@pytest.mark.parametrize(("method", "status"), STATUSES.items())
def test_asgi_reads_and_refuses(method: str, status: str) -> None:
    start, *_ = ask({"type": "http", "method": method, "path": "/", "headers": []})
    assert start["status"] == int(status[:3])


def test_a_websocket_is_refused() -> None:
    scope = {"type": "websocket", "path": "/", "headers": [], "extensions": {"websocket.http.response": {}}}
    start, *_ = ask(scope)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 404)


def test_there_is_no_lifespan() -> None:
    with pytest.raises(NotImplementedError):
        ask({"type": "lifespan"})
