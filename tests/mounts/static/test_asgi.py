from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from multiserve.mounts.static.asgi import Sender, build_environ
from multiserve.mounts.static.responses import REUSES_MEMORY

PATIENCE = 30.0  # seconds


class Content:
    """The content of a file, and what becomes of it."""

    def __init__(self, *blocks: bytes, length: int | None = None, error: Exception | None = None) -> None:
        self.blocks = blocks
        self.length = sum(map(len, blocks)) if length is None else length
        self.error = error
        self.given = 0
        self.threads: set[threading.Thread] = set()
        self.closed = threading.Event()
        self.gate: threading.Event | None = None
        self.reading = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        for block in self.blocks:
            assert not self.closed.is_set()
            self.threads.add(threading.current_thread())
            self.reading.set()
            if self.gate is not None:
                assert self.gate.wait(PATIENCE)
            assert not self.closed.is_set()
            self.given += 1
            yield block
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        assert not self.closed.is_set()
        self.closed.set()

    def application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Content:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(self.length))])
        return self


class Client:
    """The server's side of one request."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.gone = asyncio.Event()
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.fails_at = 0

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        if len(self.sent) == self.fails_at:
            raise OSError("the client has left")
        await self.may_write.wait()

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])


SCOPE: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": []}


def start(content: Content, client: Client, threads: int = 1) -> asyncio.Task[None]:
    return asyncio.create_task(Sender(content.application, threads, "files")(SCOPE, client.receive, client.send))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (much of it happens in threads)
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param({}, {"PATH_INFO": "/"}, id="as it is"),
        pytest.param({"root_path": "/a", "path": "/a/b"}, {"SCRIPT_NAME": "/a", "PATH_INFO": "/b"}, id="mounted"),
        pytest.param({"root_path": "/a", "path": "/a"}, {"SCRIPT_NAME": "/a", "PATH_INFO": ""}, id="bare"),
        pytest.param({"path": "/é"}, {"PATH_INFO": "/\xc3\xa9"}, id="beyond ASCII"),
        pytest.param({"path": "/\ud800"}, {"PATH_INFO": "/\xed\xa0\x80"}, id="no character"),
        pytest.param({"query_string": b"a=\xff"}, {"PATH_INFO": "/", "QUERY_STRING": "a=\xff"}, id="query"),
        pytest.param(
            {"headers": [(b"accept", b"a"), (b"range", b"bytes=0-"), (b"accept", b"b"), (b"cookie", b"c")]},
            {"PATH_INFO": "/", "HTTP_ACCEPT": "a, b", "HTTP_RANGE": "bytes=0-"},
            id="headers",
        ),
    ],
)
def test_the_environ_of_a_request(scope: dict[str, Any], expected: dict[str, str]) -> None:
    plain = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "QUERY_STRING": "", REUSES_MEMORY: True}
    assert build_environ(SCOPE | scope) == plain | expected


@pytest.mark.parametrize("blocks", [(), (b"one",), (b"one", b"two"), (b"one", b"two", b"three")])
def test_each_block_is_sent_as_it_comes(blocks: tuple[bytes, ...]) -> None:
    content = Content(*blocks)

    async def ask() -> Client:
        client = Client()
        await start(content, client)
        return client

    assert asyncio.run(ask()).sent == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/plain"), (b"content-length", str(content.length).encode())],
        },
        *[
            {"type": "http.response.body", "body": block, "more_body": number < len(blocks)}
            for number, block in enumerate(blocks or [b""], 1)
        ],
    ]
    assert content.closed.is_set()
    assert threading.main_thread() not in content.threads


@pytest.mark.parametrize(
    ("length", "body"), [(4, b"onet"), (3, b"one"), (100, b"onetwo")], ids=["grown", "grown by a block", "shrunk"]
)
def test_no_more_is_sent_than_was_said(length: int, body: bytes) -> None:
    content = Content(b"one", b"two", length=length)

    async def ask() -> Client:
        client = Client()
        await start(content, client)
        return client

    client = asyncio.run(ask())
    assert client.body == body
    assert client.sent[-1]["more_body"] is False
    assert content.closed.is_set()


def test_a_slow_disk_does_not_hold_up_the_loop() -> None:
    async def ask() -> None:
        slow, fast = Content(b"slow"), Content(b"fast")
        slow.gate = threading.Event()
        client, other = Client(), Client()
        task = start(slow, client)
        await until(slow.reading.is_set)
        await start(fast, other)
        assert (client.sent, other.body) == ([], b"fast")
        slow.gate.set()
        await task
        assert client.body == b"slow"

    asyncio.run(ask())


def test_a_slow_client_is_waited_for_without_a_thread() -> None:
    async def ask() -> None:
        content, client = Content(*[b"block"] * 5), Client()
        client.may_write.clear()
        task = start(content, client)
        await until(lambda: client.sent)
        assert content.given == 1
        client.may_write.set()
        await task
        assert client.body == b"block" * 5

    asyncio.run(ask())


def test_nothing_is_read_for_a_client_that_has_left() -> None:
    async def ask() -> None:
        content, client = Content(*[b"block"] * 1000), Client()
        client.may_write.clear()
        task = start(content, client)
        await until(lambda: client.sent)
        client.gone.set()
        client.may_write.set()
        await task
        assert content.given < 5
        await until(content.closed.is_set)

    asyncio.run(ask())


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_a_send_that_fails_ends_the_response_quietly(fails_at: int) -> None:
    async def ask() -> None:
        content, client = Content(b"one", b"two", b"three"), Client()
        client.fails_at = fails_at
        await start(content, client)
        assert len(client.sent) == fails_at
        await until(content.closed.is_set)

    asyncio.run(ask())


def test_a_disk_that_fails_is_an_error() -> None:
    async def ask() -> None:
        content, client = Content(b"one", length=10, error=OSError(5, "Input/output error")), Client()
        with pytest.raises(OSError, match="Input/output error"):
            await start(content, client)
        assert (client.body, client.sent[-1]["more_body"]) == (b"one", True)
        await until(content.closed.is_set)

    asyncio.run(ask())


def test_a_request_that_is_cancelled_closes_its_file_when_the_thread_has_done_with_it() -> None:
    async def ask() -> None:
        content, client = Content(b"one", b"two"), Client()
        content.gate = threading.Event()
        task = start(content, client, threads=2)
        await until(content.reading.is_set)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert not content.closed.is_set()
        content.gate.set()
        await until(content.closed.is_set)
        assert (client.sent, content.given) == ([], 1)

    asyncio.run(ask())


def test_a_request_that_is_cancelled_before_a_thread_was_free_opens_nothing() -> None:
    async def ask() -> None:
        content, started = Content(b"one"), []
        content.gate = threading.Event()

        def application(*arguments: Any) -> Content:
            started.append(arguments)
            return content.application(*arguments)

        sender = Sender(application, 1, "files")
        first, second = (asyncio.create_task(sender(SCOPE, Client().receive, Client().send)) for _ in range(2))
        await until(content.reading.is_set)
        second.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await second
        content.gate.set()
        await first
        assert len(started) == 1

    asyncio.run(ask())
