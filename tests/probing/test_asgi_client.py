from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from multiserve.dispatch.answers import not_found
from multiserve.dispatch.asgi import ASGIDispatcher, ASGIMount
from multiserve.dispatch.lifespan import Lifespan, Lifespans
from multiserve.keys import parse_key
from multiserve.probing import asgi_client
from multiserve.probing.asgi_client import ASGIClient
from multiserve.probing.exchange import Received
from multiserve.routing import Router

URL = "http://localhost:8000/a%20b?c=é"
START = {"type": "http.response.start", "status": 200, "headers": [(b"X", b"y"), ("odd",)]}


def dispatcher(application: Any) -> ASGIDispatcher:
    mount = ASGIMount(http=application, websocket=application)
    return ASGIDispatcher(Router([(parse_key("/"), mount)]), Lifespans([], [], 0.1), not_found(), 1)


PATIENCE = 30.0  # seconds: for a machine that is busy with other things


def ask_asgi(application: Any, seconds: float = PATIENCE) -> Received:
    with ASGIClient(dispatcher(application)) as client:
        return client.ask("GET", URL, "*/*", seconds)


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi_client, "_GRACE", 0.2)


def test_an_asgi_response_without_an_end_is_read_up_to_a_megabyte_and_left() -> None:
    ends = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 300_000, "more_body": True})
        except OSError as error:
            ends.append((str(error), [(await receive())["type"] for _ in range(2)]))
            raise

    received = ask_asgi(application)
    assert (received.status, len(received.body), received.error) == (200, 1_200_000, None)
    assert ends == [("the client has left", ["http.request", "http.disconnect"])]


async def waits(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    await asyncio.Event().wait()


async def is_late(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    await send({"type": "http.response.body", "body": b"x"})
    await asyncio.Event().wait()


def test_an_asgi_application_that_does_not_answer_is_cancelled() -> None:
    received = ask_asgi(waits, 0.1)
    assert (received.status, str(received.error)) == (200, "the response was not complete after 0.1 seconds")
    assert 0.1 <= received.seconds < PATIENCE


def test_what_runs_on_behind_the_response_is_no_part_of_it() -> None:
    received = ask_asgi(is_late)
    assert (received.status, bytes(received.body), received.error) == (200, b"x", None)
    assert received.seconds < PATIENCE


def test_an_application_that_ends_the_event_loop_ends_nothing() -> None:
    async def ends(scope: Any, receive: Any, send: Any) -> None:
        async def leave() -> None:
            raise SystemExit(4)

        leaving = asyncio.create_task(leave())
        await asyncio.wait([leaving])
        asyncio.get_running_loop().stop()
        await send(START)
        await send({"type": "http.response.body", "body": repr(leaving.exception()).encode()})

    received = ask_asgi(ends)
    assert (received.status, bytes(received.body), received.error) == (200, b"SystemExit(4)", None)


def test_an_application_that_blocks_the_event_loop_is_found_out_and_those_behind_it_do_not_wait_as_long() -> None:
    release = threading.Event()

    async def blocks(scope: Any, receive: Any, send: Any) -> None:
        release.wait(4 * PATIENCE)

    with ASGIClient(dispatcher(blocks)) as client:
        results = [client.ask("GET", URL, "*/*", seconds) for seconds in (0.1, 2 * PATIENCE)]
        release.set()
    message = "the event loop is blocked, by this application or one before it"
    assert [str(each.error) for each in results] == [message, message]
    assert results[1].seconds < PATIENCE


def test_a_lifespan_that_blocks_the_event_loop_is_named_until_it_lets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    release, blocked = threading.Event(), threading.Event()
    has_ended = ASGIClient._has_ended  # noqa: SLF001 (the time begins when it blocks)
    monkeypatch.setattr(ASGIClient, "_has_ended", staticmethod(lambda *call: blocked.wait(30) and has_ended(*call)))
    monkeypatch.setattr(asgi_client, "_STARTUP", 0.2)

    async def fine(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})

    async def blocks(scope: Any, receive: Any, send: Any) -> None:
        blocked.set()
        release.wait(4 * PATIENCE)

    lifespans = Lifespans([Lifespan(fine, "/fine"), Lifespan(blocks, "/x"), Lifespan(fine, "/y")], [], 0.1)
    with ASGIClient(ASGIDispatcher(Router([]), lifespans, not_found(), 1)) as client:
        first = client.blocker
        monkeypatch.setattr(asgi_client, "_GRACE", PATIENCE)
        release.set()
        received = client.ask("GET", URL, "*/*", PATIENCE)
        assert (first, client.blocker, received.status) == ("/x", "", 404)
