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
    pytest.param(b"GET http://x%2fy/ HTTP/1.1\r\n\r\n", 400, id="no authority"),
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
