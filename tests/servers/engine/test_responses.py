"""What leaves for a request: framed by the server alone, complete or cut off, and never taken for the next one."""

from __future__ import annotations

import asyncio

import pytest

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"


def answering(*bodies, status=200, headers=(), error=None):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        for at, body in enumerate(bodies):
            await send({"type": "http.response.body", "body": body, "more_body": at < len(bodies) - 1})
        if error:
            raise error

    return application


DEFAULT = b"server: x\r\ndate: now\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\n" + DEFAULT + b"transfer-encoding: chunked\r\n\r\n"
SENT = [
    pytest.param(GET, answering(b"ab", b"c"), CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", id="chunked"),
    pytest.param(
        OLD,
        answering(b"ab", b"c"),
        b"HTTP/1.1 200 OK\r\n" + DEFAULT + b"connection: close\r\n\r\nabc",
        id="HTTP/1.0 has no chunks",
    ),
    pytest.param(
        OLD,
        answering(b"abc", headers=[(b"Content-Length", b"3")]),
        b"HTTP/1.1 200 OK\r\n" + DEFAULT + b"content-length: 3\r\nconnection: close\r\n\r\nabc",
        id="HTTP/1.0 with a length",
    ),
    pytest.param(
        GET, answering(b"ab", headers=[(b"Transfer-Encoding", b"chunked")]), CHUNKED + b"2\r\nab\r\n0\r\n\r\n",
        id="framing is the server's",
    ),
    pytest.param(
        GET,
        answering(b"", status=204, headers=[(b"content-length", b"0")]),
        b"HTTP/1.1 204 No Content\r\n" + DEFAULT + b"\r\n",
        id="204 has no length",
    ),
    pytest.param(
        GET,
        answering(b"no", status=304, headers=[(b"content-length", b"9")]),
        b"HTTP/1.1 304 Not Modified\r\n" + DEFAULT + b"content-length: 9\r\n\r\n",
        id="304 has a length and no body",
    ),
    pytest.param(
        GET,
        answering(b"", headers=[(b"Date", b"then"), (b"content-length", b"0")]),
        b"HTTP/1.1 200 OK\r\nserver: x\r\ndate: then\r\ncontent-length: 0\r\n\r\n",
        id="one date",
    ),
    pytest.param(
        GET,
        answering(b"", status=299, headers=[(b"Connection", b"x, Close"), (b"content-length", b"0")]),
        b"HTTP/1.1 299 \r\n" + DEFAULT + b"connection: x, Close\r\ncontent-length: 0\r\n\r\n",
        id="the application closes, with a status that has no name",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "application", "expected"), SENT)
def test_a_response_as_it_leaves(play, request_, application, expected):
    scene, _, transport = play(request_, application=application)
    assert transport.written == expected
    assert scene.logged == []


def test_head_and_body_leave_in_one_packet(play):
    _, _, transport = play(GET, application=answering(b"abc", headers=[(b"content-length", b"3")]))
    assert len(transport.packets) == 1


FAILED = (
    b"HTTP/1.1 500 Internal Server Error\r\n" + DEFAULT + b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: 21\r\nconnection: close\r\n\r\nInternal Server Error"
)
BROKEN = [
    pytest.param(answering(b"abcd", headers=[(b"content-length", b"3")]), id="a body too long"),
    pytest.param(answering(b"a", headers=[(b"content-length", b"1")] * 2), id="two lengths"),
    pytest.param(answering(b"a", headers=[(b"content-length", b"+1")]), id="a length with a sign"),
    pytest.param(answering(b"a", headers=[(b"content-length", b"one")]), id="a length that is none"),
    pytest.param(answering(b"a", headers=[(b"x", b"a\r\nb: c")]), id="a header with a line feed"),
    pytest.param(answering(b"a", headers=[(b"x y", b"a")]), id="a name with a space"),
    pytest.param(answering(b"a", headers=[(b"", b"a")]), id="a field without a name"),
    pytest.param(answering(b"a", status=103), id="no final status"),
    pytest.param(answering(b"a", status=1000), id="no status"),
    pytest.param(answering(error=ValueError("no body")), id="an error before the body"),
    pytest.param(answering(), id="no body at all"),
]


@pytest.mark.parametrize("application", BROKEN)
def test_what_cannot_be_sent_is_500_and_the_end_of_the_connection(play, application):
    scene, _, transport = play(GET, application=application)
    assert transport.written == FAILED
    assert transport.closing
    assert [line.partition(":")[0] for line in scene.logged] == ["Error handling request GET /"]


def test_a_body_that_is_too_short_is_cut_off(play):
    scene, connection, transport = play(GET, application=answering(b"ab", headers=[(b"content-length", b"3")]))
    assert transport.written.endswith(b"content-length: 3\r\n\r\nab")
    assert connection.cycle.disconnected
    assert transport.closing
    assert scene.logged == ["Error handling request GET /"]


OUT_OF_TURN = [
    pytest.param(("body",), "has not begun", id="a body first"),
    pytest.param(("start", "start"), "has begun", id="two starts"),
    pytest.param(("start", "body", "body"), "is complete", id="a body after the end"),
    pytest.param(("start", "trailers"), "has begun", id="what nobody has asked for"),
]


@pytest.mark.parametrize(("kinds", "state"), OUT_OF_TURN)
def test_messages_out_of_turn_are_errors_of_the_application(play, kinds, state):
    said = []

    async def application(scope, receive, send):
        try:
            for kind in kinds:
                await send({"type": f"http.response.{kind}", "status": 200, "headers": []})
        except RuntimeError as error:
            said.append(str(error))
            raise

    play(GET, application=application)
    assert said == [f"the application sent 'http.response.{kinds[-1]}' where its response {state}"]


def test_a_response_that_breaks_off_is_cut_off(play):
    error = OSError("late")
    scene, _, transport = play(
        GET, application=answering(b"12345", b"", headers=[(b"content-length", b"9")], error=error)
    )
    assert transport.written.endswith(b"\r\n\r\n12345")
    assert transport.closing
    assert scene.logged == ["Error handling request GET /"]


def test_an_application_may_end_what_it_sends_to_nobody_but_not_for_ever(act, monkeypatch):
    monkeypatch.setattr("multiserve.servers.engine.responses._GRACE", 0.0)
    ends = []

    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                if not ends:
                    ends.append("sending")
                    transports[0].close()
                await asyncio.sleep(0.01)  # by the clock of the test
        except OSError as error:
            ends.append(type(error).__name__)
            raise

    transports = []

    async def scene_of(scene):
        connection, transport = scene.connect()
        transports.append(transport)
        connection.data_received(GET)
        while len(ends) < 2:  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)  # by the clock of the test

    act(scene_of, application=application)
    assert ends == ["sending", "ClientDisconnected"]


@pytest.mark.parametrize(("method", "sent"), [(b"GET", 3), (b"HEAD", 0)])
def test_what_is_sent_of_a_body_is_counted(play, method, sent):
    scene, _, _ = play(GET.replace(b"GET", method), application=answering(b"abc"))
    assert [access.sent for access in scene.accesses] == [sent]


def test_nothing_is_sent_behind_the_end_of_a_response_by_a_task_that_has_waited(act):
    late = []

    async def application(scope, receive, send):
        async def send_last(body):
            try:
                await send({"type": "http.response.body", "body": body})
            except RuntimeError as error:
                late.append(str(error))

        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.gather(send_last(b"first"), send_last(b"LATE"))

    async def scene_of(scene):
        connection, transport = scene.connect()
        connection.pause_writing()
        connection.data_received(GET)
        await act.settle()
        connection.resume_writing()
        await act.settle()
        return transport.written

    written = act(scene_of, application=application)
    assert written.endswith(b"\r\n\r\n5\r\nfirst\r\n0\r\n\r\n")
    assert late == ["the application sent 'http.response.body' where its response is complete"]


def test_a_response_whose_end_is_that_of_the_connection_breaks_off_with_a_reset(play):
    _, _, transport = play(OLD, application=answering(b"ab", b"", error=OSError("late")))
    assert "abort" not in transport.events  # it was complete
    _, _, transport = play(OLD, application=breaking_off)
    assert transport.written.endswith(b"\r\n\r\nab")
    assert transport.events == ["abort"]


async def breaking_off(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ab", "more_body": True})
    raise OSError("late")
