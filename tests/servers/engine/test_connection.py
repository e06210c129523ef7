"""One connection: who waits for whom, what the application learns of its client, and what a stop does to it."""

from __future__ import annotations

import asyncio

import pytest

from multiserve.servers.engine.listener import Listener
from multiserve.servers.engine.settings import EngineSettings

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_client_is_there_until_it_leaves(act):
    events = []

    async def application(scope, receive, send):
        await receive()
        for _ in range(3):  # as Starlette's is_disconnected does
            waiting = asyncio.ensure_future(receive())
            await act.settle()
            waiting.cancel()
            events.append(waiting.done())
        events.append((await receive())["type"])

    async def scene_of(scene):
        connection, transport = scene.connect()
        connection.data_received(GET)
        for _ in range(10):
            await act.settle()
        before = list(events)
        transport.close()
        await act.settle()
        return before

    assert act(scene_of, application=application) == [False] * 3
    assert events == [False, False, False, "http.disconnect"]


def test_every_request_of_a_pipeline_learns_that_the_client_has_left(act):
    events = []

    async def application(scope, receive, send):
        await receive()
        events.append((await receive())["type"])

    async def scene_of(scene):
        connection, transport = scene.connect()
        connection.data_received(GET * 3)
        await act.settle()
        transport.close()
        await act.settle()

    act(scene_of, application=application)
    assert events == ["http.disconnect"]


class Own(BaseException):
    """What an application may raise."""


@pytest.mark.parametrize("error", [Own("own"), OSError("late"), None], ids=repr)
def test_whatever_an_application_does_its_client_gets_an_answer_and_the_log_the_mount(play, error):
    async def application(scope, receive, send):
        scope["multiserve.mount"] = "/shop"
        if error:
            raise error

    scene, _, transport = play(GET, application=application)
    assert transport.written.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert scene.logged == ["/shop: Error handling request GET /"]
    assert [access.status for access in scene.accesses] == [500]


def test_a_client_that_sends_nothing_more_gets_its_response_but_is_not_waited_for(act, monkeypatch):
    monkeypatch.setattr("multiserve.servers.engine.connection._HALF_CLOSED", 0.01)
    go = asyncio.Event()

    async def application(scope, receive, send):
        if scope["path"] == "/slow":
            await go.wait()
        await act.echo(scope, receive, send)

    async def scene_of(scene):
        prompt, transport = scene.connect()
        prompt.data_received(GET)
        assert prompt.eof_received()
        await act.settle()
        slow, other = scene.connect()
        slow.data_received(GET.replace(b"/ ", b"/slow "))
        assert slow.eof_received()
        await asyncio.sleep(0.05)
        assert other.closing
        return transport.written, other.written

    prompt, slow = act(scene_of, application=application)
    assert b"connection: close" in prompt
    assert slow == b""


def test_newcomers_take_the_place_of_who_has_been_idle_for_longest_and_then_of_half_heads(act):
    async def scene_of(scene):
        kept = [await scene.send(GET) for _ in range(2)]
        half = [await scene.send(b"GET / HT") for _ in range(2)]
        kept[0][0].data_received(GET)  # the other one has been idle for longer now
        await act.settle()
        left = [*kept, *half]
        order = []
        for _ in range(4):
            scene.connect()[0].data_received(GET[:-2] + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n")
            await act.settle()
            order += [left.index(each) for each in left if each[1].closing and left.index(each) not in order]
        _, transport = scene.connect()
        return order, transport.written

    order, written = act(scene_of, max_connections=4)
    assert order == [1, 0, 2, 3]
    assert written.startswith(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\n")


def test_a_stop_closes_what_is_idle_and_lets_requests_end(act):
    go = asyncio.Event()

    async def application(scope, receive, send):
        if scope["path"] == "/slow":
            await go.wait()
        await act.echo(scope, receive, send)

    async def scene_of(scene):
        _, idle = await scene.send(GET)
        _, transport = await scene.send(GET.replace(b"/ ", b"/slow "))
        stopping = asyncio.ensure_future(scene.listener.stop(5, 0.0))
        await asyncio.sleep(0.05)
        assert (idle.closing, transport.closing) == (True, False)
        go.set()
        await stopping
        return transport.written

    written = act(scene_of, application=application)
    assert b"connection: close\r\n" in written
    assert written.endswith(b"GET /slow ")


def test_a_worker_that_is_alone_says_so(play):
    scene, _, _ = play(GET, is_alone=True)
    assert scene.accesses[0].scope["multiserve.is_alone"] is True
    scene, _, _ = play(GET)
    assert "multiserve.is_alone" not in scene.accesses[0].scope


def test_a_connection_stays_open_where_the_access_log_cannot_be_written(act):
    def write(access):
        raise UnicodeEncodeError("ascii", "\xe9", 0, 1, "ordinal not in range")

    async def scene_of(scene):
        scene.listener = Listener(act.echo, EngineSettings(), scene.listener.log, write)
        scene.listener._loop = scene.loop  # noqa: SLF001 (as `start` does)
        _, transport = await scene.send(GET, GET)
        return transport, scene.logged

    transport, logged = act(scene_of)
    assert transport.written.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert not transport.closing
    assert logged == ["The access log could not be written"] * 2


def test_a_request_behind_a_response_that_closes_is_not_served(act):
    served = []

    async def application(scope, receive, send):
        served.append(scope["path"])
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b""})

    async def scene_of(scene):
        connection, transport = scene.connect()
        connection.data_received(GET + b"POST /again HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        await act.settle()
        return transport.written.count(b"HTTP/1.1 200")

    assert act(scene_of, application=application) == 1
    assert served == ["/"]
