"""What is read of a request, each fault of uvicorn's parser with the case that shows it."""

from __future__ import annotations

import pytest

HEAD = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: x\r\n"


def statuses(data):
    return [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]


def test_an_upgrade_to_what_we_do_not_have_is_ignored_and_body_and_connection_stay(play):
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    _, _, transport = play(POST + upgrade + b"Content-Length: 5\r\n\r\nhello", HEAD)
    assert statuses(transport.written) == [200, 200]
    assert b"POST /a hello" in transport.written
    assert transport.written.endswith(b"GET /a ")


def test_garbage_behind_a_request_waits_for_its_response(play):
    _, _, transport = play(HEAD + b"garbage\r\n\r\n")
    assert statuses(transport.written) == [200, 400]
    assert transport.events[-2:] == ["eof", "resume"]


def test_a_trailer_changes_no_header(play):
    seen = []

    async def application(scope, receive, send):
        while (await receive())["more_body"]:
            pass
        seen.extend(scope["headers"])

    play(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", b"0\r\nX-Admin: yes\r\n\r\n", application=application)
    assert seen == [(b"host", b"x"), (b"transfer-encoding", b"chunked")]


HEADERS = [
    pytest.param(b"X-A:  \t a b \t ", (b"x-a", b"a b"), id="white space"),
    pytest.param(b"X-A: \xe9", (b"x-a", b"\xe9"), id="not ASCII"),
    pytest.param(b"X_A: 1", None, id="an underscore"),
]


@pytest.mark.parametrize(("line", "expected"), HEADERS)
def test_fields_are_as_an_application_wants_them(play, line, expected):
    scene, _, _ = play(HEAD[:-2] + line + b"\r\n\r\n")
    assert scene.accesses[0].scope["headers"] == [(b"host", b"x"), *([expected] if expected else [])]


TARGETS = [
    pytest.param(b"GET http://y:81/b?q HTTP/1.1", (b"/b", b"q", b"y:81"), id="absolute-form"),
    pytest.param(b"GET http://y HTTP/1.1", (b"/", b"", b"y"), id="absolute-form without a path"),
    pytest.param(b"OPTIONS * HTTP/1.1", (b"*", b"", b"x"), id="asterisk"),
]


@pytest.mark.parametrize(("line", "expected"), TARGETS)
def test_a_target_and_its_host(play, line, expected):
    scene, _, _ = play(line + b"\r\nHost: x\r\n\r\n")
    scope = scene.accesses[0].scope
    assert (scope["raw_path"], scope["query_string"], dict(scope["headers"])[b"host"]) == expected


REFUSED = [
    pytest.param(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, id="a long line"),
    pytest.param(b"GET /" + b"x" * 200_000, 414, id="a line without an end"),
    pytest.param(HEAD[:-2] + b"A: " + b"x" * 9000 + b"\r\n\r\n", 431, id="a long field"),
    pytest.param(HEAD[:-2] + b"A: " + b"x" * 200_000, 431, id="a field without an end"),
    pytest.param(HEAD[:-2] + b"A: b\r\n" * 101 + b"\r\n", 431, id="many fields"),
    pytest.param(b"GET http://x%2fy/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="no authority"),
    pytest.param(HEAD[:-2] + b"Expect: else\r\n\r\n", 417, id="an expectation"),
    pytest.param(POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501, id="stacked codings"),
    pytest.param(POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400, id="a number of thousands of digits"),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="HTTP/2"),
]


@pytest.mark.parametrize(("data", "status"), REFUSED)
def test_a_head_is_refused_with_its_status(play, data, status):
    _, connection, transport = play(*(data[at : at + 65536] for at in range(0, len(data), 65536)))
    assert statuses(transport.written) == [status]
    assert b"connection: close\r\n" in transport.written
    assert connection.is_refused


def test_what_comes_behind_a_refusal_is_not_read(play):
    _, _, transport = play(b"garbage\r\n\r\n", HEAD)
    assert statuses(transport.written) == [400]


def test_a_body_that_breaks_in_the_queue_is_refused_after_the_responses_in_front(play):
    _, _, transport = play(HEAD + POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert statuses(transport.written) == [200, 400]


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS = [
    pytest.param(b"0\r\nX: ", id="a trailer"),
    pytest.param(b"1;x=", id="an extension of a chunk"),
]


@pytest.mark.parametrize("start", ENDLESS)
def test_what_is_endless_behind_a_head_is_refused(play, start):
    _, connection, transport = play(CHUNKED + start, b"a" * 40_000)
    assert not connection.is_refused
    _, connection, transport = play(CHUNKED + start, b"a" * 40_000, b"a" * 40_000)
    assert statuses(transport.written) == [431]
    assert connection.is_refused


def test_many_fields_of_a_trailer_are_refused(play):
    _, _, transport = play(CHUNKED + b"0\r\n", b"A: b\r\n" * 8000, b"A: b\r\n" * 8000)
    assert statuses(transport.written) == [431]


def test_a_long_body_in_chunks_is_no_trailer(play):
    chunk = b"9c40\r\n" + b"a" * 40_000 + b"\r\n"
    _, _, transport = play(CHUNKED, *[chunk] * 5, b"0\r\nX: y\r\n\r\n")
    assert statuses(transport.written) == [200]


CUT = [
    pytest.param(HEAD * 8000, 8000, id="many requests"),
    pytest.param(POST + b"Content-Length: 250000\r\n\r\n" + b"a" * 250_000, 1, id="an upload"),
]


@pytest.mark.parametrize(("before", "count"), CUT)
def test_a_head_behind_much_else_is_not_too_long(act, before, count):
    async def scene_of(scene):
        connection, transport = await scene.send(before + HEAD[:10], HEAD[10:])
        assert not connection.is_refused
        while transport.written.count(b"HTTP/1.1 200 ") <= count and connection.pipeline:
            transport.packets[:] = [transport.written]
            await act.settle()
        await act.settle()
        return statuses(transport.written)

    assert act(scene_of) == [200] * (count + 1)


def test_thousands_of_upgrades_in_one_packet_are_ignored(act):
    upgrade = HEAD[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

    async def scene_of(scene):
        connection, transport = await scene.send(upgrade * 2000)
        while connection.pipeline:
            transport.packets[:] = [transport.written]
            await act.settle()
        await act.settle()
        return statuses(transport.written)

    assert act(scene_of) == [200] * 2000


def test_an_upgrade_in_http_1_0_stays_in_http_1_0(play):
    head = b"GET /a HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    scene, _, _ = play(head)
    assert scene.accesses[0].scope["http_version"] == "1.0"


def test_a_head_may_be_as_long_as_its_limits_together(play):
    field = b"A: " + b"x" * 8000 + b"\r\n"
    _, _, transport = play(HEAD[:-2], *[field] * 99, b"\r\n")
    assert statuses(transport.written) == [200]


def test_fields_without_a_limit_in_number_end_with_the_head(play):
    _, _, transport = play(HEAD[:-2], *[b"A: b\r\n" * 8000] * 25, most_fields=0)
    assert statuses(transport.written) == [431]


def test_a_line_without_a_limit_may_come_in_many_parts(play):
    target = [b"x" * 20_000] * 3
    _, _, transport = play(b"GET /", *target, b" HTTP/1.1\r\nHost: x\r\n\r\n", longest_line=0)
    assert statuses(transport.written) == [200]


@pytest.mark.parametrize(("version", "interim"), [(b"1.0", 0), (b"1.1", 1)])
def test_100_continue_is_for_clients_of_http_1_1(play, version, interim):
    head = POST.replace(b"1.1", version) + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    _, _, transport = play(head, b"abc")
    assert transport.written.count(b"HTTP/1.1 100 Continue\r\n\r\n") == interim
    assert transport.written.endswith(b"POST /a abc")


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_head_exactly_at_its_limits_is_read_in_any_parts(act, size):
    settings = {"longest_line": 50, "most_fields": 3, "longest_field": 40}
    data = (
        b"GET /".ljust(41, b"a")
        + b" HTTP/1.1\r\n"
        + (b"Host: ".ljust(38, b"x") + b"\r\n")
        + (b"A: ".ljust(38, b"x") + b"\r\n") * 2
        + b"\r\n"
    )

    async def scene_of(scene):
        connection, transport = scene.connect()
        for at in range(0, len(data), size):
            connection.data_received(data[at : at + size])
        await act.settle()
        return statuses(transport.written)

    assert act(scene_of, **settings) == [200]


LIMITS = {"longest_line": 50, "most_fields": 3, "longest_field": 40}
TOO_LONG = [
    pytest.param(b"GET /".ljust(42, b"a") + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, id="a line"),
    pytest.param(HEAD[:-2] + b"A: ".ljust(39, b"x") + b"\r\n\r\n", 431, id="a field"),
    pytest.param(HEAD[:-2] + b"A: x\r\n" * 3 + b"\r\n", 431, id="one field more"),
]


@pytest.mark.parametrize("size", [1, 7, 60, 100_000])
@pytest.mark.parametrize("in_front", [b"", HEAD], ids=["first", "behind another one"])
@pytest.mark.parametrize(("data", "status"), TOO_LONG)
def test_a_head_just_above_its_limits_is_refused_in_any_parts(play, data, status, in_front, size):
    whole = in_front + data
    _, _, transport = play(*(whole[at : at + size] for at in range(0, len(whole), size)), **LIMITS)
    assert statuses(transport.written) == [*([200] if in_front else []), status]


@pytest.mark.parametrize("length", [9000, 60_000])
def test_a_field_that_ends_in_the_next_packet_has_its_limit(play, length):
    _, _, transport = play(HEAD[:-2] + b"A: " + b"x" * length, b"x\r\n\r\n")
    assert statuses(transport.written) == [431]
