import asyncio

import pytest

from multiserve.dispatch.answers import not_found
from multiserve.dispatch.asgi import ASGIDispatcher, ASGIMount
from multiserve.dispatch.counting.asgi import ASGICounting
from multiserve.dispatch.counting.counts import ACTIVE, OPEN, OPENED, Counts, responses
from multiserve.dispatch.lifespan import Lifespans
from multiserve.keys import parse_key
from multiserve.routing import Router

START = {"type": "http.response.start", "status": 204, "headers": []}
BODY = {"type": "http.response.body"}
SEEN = []


def seen(counts):
    return counts.read()["/shop"][ACTIVE]


async def good(scope, receive, send):
    SEEN.append(seen(COUNTS[0]))
    await send(START)
    await send(BODY | {"more_body": True})
    await send(BODY)
    SEEN.append(seen(COUNTS[0]))  # a task in the background is no longer part of the request


async def failing(scope, receive, send):
    await send(START)
    raise RuntimeError("as it should")


async def leaving(scope, receive, send):
    await send(START)
    await send({"type": "leave"})


async def raising_in_turn(scope, receive, send):
    try:
        await leaving(scope, receive, send)
    except OSError:
        raise RuntimeError("as frameworks do") from None


async def late(scope, receive, send):
    await send(START)
    await send(BODY)
    raise RuntimeError("after the response")


async def gone(scope, receive, send):
    raise asyncio.CancelledError


async def socket(scope, receive, send):
    await send({"type": "websocket.accept"})
    SEEN.append(COUNTS[0].read()["/shop"][OPEN])


async def refused(scope, receive, send):
    await send({"type": "websocket.close"})


COUNTS = []


def plain(application):
    return application


def copying(application):
    async def middleware(scope, receive, send):
        await application(dict(scope), receive, send)

    return middleware


def count(application, path="/shop/x", kind="http", middleware=plain):
    COUNTS[:], SEEN[:] = [Counts(["/shop"])], []
    mount = ASGIMount(http=application, websocket=application)
    missing = not_found()
    dispatcher = ASGIDispatcher(Router([(parse_key("/shop"), mount)]), Lifespans([], [], 1.0), missing, 1.0)
    dispatcher.surround(middleware)
    dispatcher.surround(lambda answer: ASGICounting(dispatcher, COUNTS[0], answer))
    sent = []

    async def send(message):
        if message["type"] == "leave":
            raise BrokenPipeError  # as ClientDisconnected of uvicorn, a server says that the client has gone
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    scope = {"type": kind, "path": path, "method": "GET", "headers": [], "scheme": "http"}
    try:
        asyncio.run(dispatcher(scope, receive, send))
    except BaseException as error:  # noqa: BLE001 (whatever it is)
        return type(error)
    return None


@pytest.mark.parametrize(
    ("application", "kind", "raised"),
    [
        (good, "2xx", None),
        (failing, "5xx", RuntimeError),
        (late, "2xx", RuntimeError),
        (leaving, "2xx", BrokenPipeError),
        (raising_in_turn, "2xx", RuntimeError),
        (gone, "5xx", RuntimeError),  # which nobody but the application has cancelled
    ],
    ids=["good", "failing", "late", "client has gone", "client has gone, raised in turn", "cancelled"],
)
def test_a_request_is_counted_once(application, kind, raised):
    assert count(application) is raised
    assert {name: number for name, number in responses(COUNTS[0].read()["/shop"]).items() if number} == {kind: 1}
    assert seen(COUNTS[0]) == 0


def test_it_is_active_until_its_last_byte():
    count(good)
    assert SEEN == [1, 0]


def test_what_no_mount_takes():
    count(good, "/other")
    assert (SEEN, responses(COUNTS[0].read()[""])["4xx"]) == ([], 1)


def test_middleware_that_copies_the_scope_does_not_lose_the_mount():
    count(good, middleware=copying)
    assert (SEEN, responses(COUNTS[0].read()["/shop"])["2xx"]) == ([1, 0], 1)


@pytest.mark.parametrize("middleware", [plain, copying])
def test_a_websocket_is_open_until_its_end_and_no_request(middleware):
    count(socket, kind="websocket", middleware=middleware)
    row = COUNTS[0].read()["/shop"]
    assert (SEEN, row[OPEN], row[OPENED], sum(responses(row).values())) == ([1], 0, 1, 0)


def test_a_websocket_that_is_refused_was_never_open():
    count(refused, kind="websocket")
    assert COUNTS[0].read()["/shop"][OPENED] == 0
