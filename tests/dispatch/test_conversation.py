"""The conversation of a request between its application's thread and the event loop."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from multiserve.dispatch.bridge import WSGIBridge
from multiserve.dispatch.conversation import ClientGone, Conversation
from multiserve.dispatch.threads import ThreadPool

Message = dict[str, Any]
SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": [], "http_version": "1.1", "query_string": b""}


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


def answer(chunks: Iterator[bytes], send: Callable[[Message], Any]) -> Any:
    """Send a response through the bridge."""

    def application(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        return chunks

    return WSGIBridge(application, ThreadPool(1, "test").submit)(SCOPE, never, send)


def body_of(sent: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


BOUNDS = [
    pytest.param(64 * 1024, 2, id="chunks of 64 KB"),
    pytest.param(1, 32, id="chunks of a byte, each of which needs memory, too"),
    pytest.param(4 * 1024 * 1024, 1, id="chunks of 4 MB"),
]


@pytest.mark.parametrize(("size", "most"), BOUNDS)
def test_the_application_waits_where_a_client_takes_nothing(size: int, most: int) -> None:
    made: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(100):
            made.append(number)
            yield b"x" * size

    async def run() -> None:
        may_send = asyncio.Event()
        sent: list[Message] = []

        async def send(message: Message) -> None:
            await may_send.wait()
            sent.append(message if size < 65536 else {"type": message["type"]})

        answering = asyncio.create_task(answer(chunks(), send))
        while len(made) < most:  # noqa: ASYNC110 (a thread makes it so)
            await asyncio.sleep(0.001)
        for _ in range(50):  # it would have gone on by now
            await asyncio.sleep(0.001)
        assert len(made) == most
        may_send.set()
        await asyncio.wait_for(answering, 30)
        assert len(made) == 100

    asyncio.run(run())


def test_a_megabyte_at_most_is_unsent_where_a_client_was_quick_and_stops() -> None:
    chunk = b"x" * 65536
    made: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(300):
            made.append(number)
            yield chunk

    async def run() -> None:
        may_send = asyncio.Event()
        may_send.set()
        sent: list[int] = []

        async def send(message: Message) -> None:
            await may_send.wait()
            sent.append(len(message.get("body", b"")))
            if sum(sent) == 200 * len(chunk):
                may_send.clear()

        answering = asyncio.create_task(answer(chunks(), send))
        for _ in range(100):
            await asyncio.sleep(0.001)
            assert len(made) * len(chunk) - sum(sent) <= 1024 * 1024 + len(chunk)
        assert may_send.is_set() is (sum(sent) != 200 * len(chunk))
        may_send.set()
        await asyncio.wait_for(answering, 30)
        assert sum(sent) == 300 * len(chunk)

    asyncio.run(run())


def test_all_chunks_arrive_in_order() -> None:
    chunks = [b"%d," % number for number in range(5000)]
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) % 7 == 0:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(answer(iter(chunks), send), 10))
    assert body_of(sent) == b"".join(chunks)
    assert [message["more_body"] for message in sent[1:]] == [True] * 5000 + [False]


def test_an_error_comes_behind_the_chunks_in_front_of_it() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        yield b"b"
        raise ZeroDivisionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(asyncio.wait_for(answer(chunks(), send), 30))
    assert [message.get("body") for message in sent] == [None, b"a", b"b"]


def test_a_client_that_has_left_is_told_with_the_next_chunk() -> None:
    raised: list[BaseException] = []
    ended = threading.Event()

    def chunks() -> Iterator[bytes]:
        try:
            yield b"a"
            has_left.wait(30)
            yield b"b"
            yield b"c"
        except GeneratorExit as error:
            raised.append(error)
        finally:
            ended.set()

    has_left = threading.Event()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        raise BrokenPipeError

    async def receive() -> Message:
        has_left.set()
        return {"type": "http.disconnect"}

    async def run() -> None:
        def application(_environ: Any, start_response: Any) -> Iterator[bytes]:
            start_response("200 OK", [])
            return chunks()

        bridge = WSGIBridge(application, ThreadPool(1, "test").submit)
        await asyncio.wait_for(bridge(SCOPE, receive, send), 30)
        assert await asyncio.to_thread(ended.wait, 30)

    asyncio.run(run())
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert [type(error) for error in raised] == [GeneratorExit]


def test_with_a_closed_loop_nobody_waits() -> None:
    async def send(_message: Message) -> None:
        raise AssertionError

    loop = asyncio.new_event_loop()
    conversation = Conversation(loop, never, send)
    loop.close()
    chunk = {"type": "http.response.body", "body": b"x" * 10_000_000, "more_body": True}
    for _ in range(2):
        with pytest.raises(ClientGone, match=r"^the client has left$"):
            conversation.send(chunk)
        with pytest.raises(ClientGone, match=r"^the client has left$"):
            conversation.receive()
    assert conversation.is_over
    conversation.finish(chunk)


def test_an_error_that_comes_too_late_is_kept_by_nobody() -> None:
    async def run() -> bool:
        async def send(_message: Message) -> None:
            raise AssertionError

        conversation = Conversation(asyncio.get_running_loop(), never, send)
        serving = asyncio.create_task(conversation.serve())
        await asyncio.sleep(0)
        serving.cancel()
        await asyncio.wait([serving])
        error = type("WatchedError", (Exception,), {})()
        reference = weakref.ref(error)
        await asyncio.to_thread(conversation.fail, error)
        del error
        for _ in range(100):
            if reference() is None:
                break
            await asyncio.sleep(0.001)
        return reference() is None

    gc.disable()
    try:
        assert asyncio.run(run())
    finally:
        gc.enable()
