"""One WebSocket: its handshake and its end, in both logs, and what a client cannot do to it."""

from __future__ import annotations

import asyncio

import pytest

KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
HANDSHAKE = b"GET /chat?q HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + KEY + b"\r\n"
PING = b"\x89\x80\0\0\0\0"
PONG = b"\x8a\x00"


async def accepting(scope, receive, send):
    scope["multiserve.mount"] = "/chat"
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def closing(scope, receive, send):
    await send({"type": "websocket.close"})


async def denying(scope, receive, send):
    assert "websocket.http.response" in scope["extensions"]
    await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"x", b"y")]})
    await send({"type": "websocket.http.response.body", "body": b"who are you?"})


async def failing(scope, receive, send):
    scope["multiserve.mount"] = "/chat"
    raise ValueError("no database")


async def returning(scope, receive, send):
    scope["multiserve.mount"] = "/chat"


ENDS = [
    pytest.param(closing, 403, [], id="closed before it is accepted"),
    pytest.param(denying, 401, [], id="denied"),
    pytest.param(failing, 500, ["/chat: Error handling WebSocket /chat"], id="an error"),
    pytest.param(returning, 500, ["/chat: Error handling WebSocket /chat"], id="neither accepted nor closed"),
]


@pytest.mark.parametrize(("application", "status", "logged"), ENDS)
def test_a_handshake_that_fails_tells_why_to_the_client_and_to_both_logs(play, application, status, logged):
    scene, _, transport = play(HANDSHAKE, application=application)
    assert transport.written.startswith(b"HTTP/1.1 %d " % status)
    assert transport.closing
    assert scene.logged == logged
    (access,) = scene.accesses
    assert (access.status, access.method, access.target) == (status, "GET", "/chat?q")


CODES = [
    pytest.param(b"", 1006, id="a client that vanishes"),
    pytest.param(b"\x88\x80\0\0\0\0", 1005, id="a goodbye without a code"),
    pytest.param(b"\x88\x82\0\0\0\0\x03\xe9", 1001, id="a goodbye with one"),
]


@pytest.mark.parametrize(("frame", "code"), CODES)
def test_an_application_learns_how_its_client_has_left(act, frame, code):
    codes = []

    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        codes.append((await receive())["code"])

    async def scene_of(scene):
        _, transport = await scene.send(HANDSHAKE, *([frame] if frame else []))
        transport.close()
        await act.settle()

    act(scene_of, application=application)
    assert codes == [code]


@pytest.mark.parametrize(("frame", "code"), CODES)
def test_a_websocket_is_in_the_access_log_when_it_is_opened_and_when_it_is_closed(act, frame, code):
    async def scene_of(scene):
        _, transport = await scene.send(HANDSHAKE)
        assert transport.written.startswith(b"HTTP/1.1 101 ")
        assert [(each.status, each.code) for each in scene.accesses] == [(101, 0)]
        await asyncio.sleep(20.0)  # by the clock of the test
        if frame:
            transport.protocol.data_received(frame)
        transport.close()
        await act.settle()
        assert not scene.listener.state.websockets
        return scene.accesses

    opened, closed = act(scene_of, application=accepting)
    assert (closed.status, closed.code, closed.mount) == (101, code, "/chat")
    assert opened.seconds < 1.0
    assert closed.seconds >= 20.0


@pytest.mark.parametrize("code", [1000, 4001])
def test_the_code_of_an_application_that_closes_is_in_the_access_log(act, code):
    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": code})

    async def scene_of(scene):
        _, transport = await scene.send(HANDSHAKE)
        transport.close()
        await act.settle()
        return scene.accesses

    _, closed = act(scene_of, application=application)
    assert closed.code == code


def test_an_error_after_the_handshake_closes_with_1011(play):
    async def application(scope, receive, send):
        await send({"type": "websocket.accept"})
        raise ValueError("late")

    scene, _, transport = play(HANDSHAKE, application=application)
    assert transport.written.endswith(b"\x88\x02\x03\xf3")
    assert scene.logged == ["Error handling WebSocket /chat"]


def test_pings_are_answered_but_not_to_who_reads_no_pongs(act):
    async def scene_of(scene):
        _, transport = await scene.send(HANDSHAKE)
        websocket = transport.protocol
        websocket.data_received(PING)
        answered = transport.written.count(PONG)
        websocket.pause_writing()
        websocket.data_received(PING * 50)
        return answered, transport.written.count(PONG)

    assert act(scene_of, application=accepting) == (1, 1)


def test_a_message_that_is_too_large_ends_the_websocket(act):
    async def scene_of(scene):
        _, transport = await scene.send(HANDSHAKE)
        transport.protocol.data_received(b"\x82\xfe\x03\xe9\0\0\0\0")
        return transport.written

    assert b"\x03\xf1" in act(scene_of, application=accepting, largest_message=1000)  # 1009


def test_websockets_have_a_bound_of_their_own(act):
    async def scene_of(scene):
        first = (await scene.send(HANDSHAKE))[1]
        second = (await scene.send(HANDSHAKE))[1]
        plain = (await scene.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))[0]
        assert len(scene.listener.state.websockets) == 1
        return first.written, second.written, plain.is_refused

    first, second, is_refused = act(scene_of, application=accepting, max_websockets=1, max_connections=2)
    assert first.startswith(b"HTTP/1.1 101 ")
    assert second.startswith(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\n")
    assert not is_refused


STOPS = [
    pytest.param(accepting, b"\x88\x02\x03\xf4", id="closed with 1012"),
    pytest.param(lambda scope, receive, send: receive_twice(receive), b"503 Service Unavailable", id="before it"),
]


async def receive_twice(receive):
    await receive()
    await receive()


@pytest.mark.parametrize(("application", "expected"), STOPS)
def test_a_stop_is_told_at_once(act, application, expected):
    async def scene_of(scene):
        _, transport = await scene.send(HANDSHAKE)
        await scene.listener.stop(1)
        return transport.written

    assert expected in act(scene_of, application=application)


def test_a_handshake_that_the_library_does_not_take_is_not_met_with_silence(act):
    many = b"".join(b"A%d: b\r\n" % number for number in range(150))

    async def scene_of(scene):
        _, transport = await scene.send(HANDSHAKE[:-2] + many + b"\r\n")
        return transport

    transport = act(scene_of, application=accepting, most_fields=0)
    assert transport.written[:13] in (b"HTTP/1.1 431 ", b"HTTP/1.1 400 ")  # websockets 15 tells nothing
    assert transport.closing


NONE = [
    pytest.param(HANDSHAKE[:-2] + b"Content-Length: 3\r\n\r\nabc", id="a body"),
    pytest.param(HANDSHAKE[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="a body in chunks"),
    pytest.param(HANDSHAKE.replace(b"GET", b"POST"), id="another method"),
    pytest.param(HANDSHAKE.replace(b"HTTP/1.1", b"HTTP/1.0"), id="HTTP/1.0"),
]


@pytest.mark.parametrize("handshake", NONE)
def test_a_handshake_that_is_none_gets_400(play, handshake):
    scene, _, transport = play(handshake, application=accepting)
    assert transport.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert scene.accesses == []


def test_a_handshake_may_say_that_it_has_no_body(act):
    async def scene_of(scene):
        _, transport = await scene.send(HANDSHAKE[:-2] + b"Content-Length: 0\r\n\r\n")
        return transport.written

    assert act(scene_of, application=accepting).startswith(b"HTTP/1.1 101 ")
