from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable
from typing import Any

import pytest

from multiserve.probing.validators import Validation, objection_of

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
BODY = {"type": "http.response.body", "body": b"x"}
PART = {**BODY, "more_body": True}

CASES = [
    # what the application sends, what is objected to
    pytest.param([START, BODY], [], id="right"),
    pytest.param([START, PART, PART, BODY], [], id="in parts"),
    pytest.param([{"type": "http.response.start", "status": 204}, {"type": "http.response.body"}], [], id="the least"),
    pytest.param(
        [{**START, "headers": [[b"Content-Type", b"text/plain"]]}, BODY], [], id="capitals, as Django has them"
    ),
    pytest.param([], ["it returned without http.response.start"], id="nothing"),
    pytest.param(
        [START], ["it returned before the last http.response.body: each one so far had more_body"], id="no body"
    ),
    pytest.param(
        [START, PART], ["it returned before the last http.response.body: each one so far had more_body"], id="no end"
    ),
    pytest.param(
        [BODY],
        ["it sent http.response.body before http.response.start", "it returned without http.response.start"],
        id="body first",
    ),
    pytest.param([START, START, BODY], ["it sent http.response.start twice"], id="two starts"),
    pytest.param([START, BODY, BODY], ["it sent http.response.body after the last one"], id="body after the end"),
    pytest.param(
        [START, {"type": "http.response.push"}, BODY],
        ["it sent a message of the type 'http.response.push', which the server does not offer"],
        id="an extension that is not there",
    ),
    pytest.param(
        [{"status": 200}, START, BODY],
        ["it sent a message of the type None, which the server does not offer"],
        id="no type",
    ),
    pytest.param(
        ["start", START, BODY], ["it sent a message that is of the type str, not a dict"], id="a text as message"
    ),
    pytest.param(
        [{**START, "status": "200"}, BODY], ["the status is of the type str, not an int"], id="status as text"
    ),
    pytest.param([{"type": START["type"]}, BODY], ["the status is None, not an int"], id="no status"),
    pytest.param([{**START, "headers": {"a": "b"}}, BODY], ["the header 'a' is not a pair"], id="a mapping as headers"),
    pytest.param(
        [{**START, "headers": None}, BODY], ["the headers are None, not pairs of bytes"], id="headers of None"
    ),
    pytest.param(
        [{**START, "headers": [("a", "b")]}, BODY],
        ["the header ('a', 'b') is not a pair of bytes"],
        id="text in headers",
    ),
    pytest.param(
        [{**START, "headers": [(b":status", b"200")]}, BODY],
        ["the header b':status' is one that only HTTP/2 itself may use"],
        id="a pseudo-header",
    ),
    pytest.param(
        [{**START, "headers": [(b"a", b"b\r\nc: d")]}, BODY],
        ["the value of the header b'a' has a line break or a zero byte in it"],
        id="a line break in a header",
    ),
    pytest.param([START, {**BODY, "body": "x"}], ["the body is of the type str, not bytes"], id="text as body"),
    pytest.param(
        [START, {**BODY, "more_body": 0}], ["more_body is of the type int, not a bool"], id="a number as flag"
    ),
]


def run_asgi(messages: list[Any], *, is_left_after: int = 100) -> tuple[tuple[str, ...], list[Any]]:
    """Give what is objected to in the messages of an application, and what arrives of them."""
    arrived: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in messages:
            await send(message)

    async def receive() -> Any:
        return {"type": "http.request"} if is_left_after else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if len(arrived) == is_left_after:
            raise OSError("gone")
        arrived.append(message)

    async def main() -> None:
        wrapped = validation.wrap(application, "asgi")
        try:
            await wrapped({"type": "http"}, receive, send)
        except OSError:
            arrived.append("gone")

    validation = Validation()
    asyncio.run(main())
    return validation.take(), arrived


@pytest.mark.parametrize(("messages", "expected"), CASES)
def test_the_messages_of_asgi_are_checked_and_arrive_as_they_are(messages, expected) -> None:
    assert run_asgi([dict(each) if isinstance(each, dict) else each for each in messages]) == (
        tuple(expected),
        messages,
    )


def test_headers_that_can_be_read_once_arrive() -> None:
    _, arrived = run_asgi([{**START, "headers": iter([(b"a", b"b")])}, BODY])
    assert arrived[0]["headers"] == [(b"a", b"b")]


@pytest.mark.parametrize("after", [0, 1])
def test_who_is_left_by_the_client_need_not_end_the_response(after) -> None:
    assert run_asgi([dict(START), dict(PART)][: after + 1], is_left_after=after)[0] == ()


def test_nothing_but_requests_is_checked_and_nothing_while_it_is_off() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.complete"})

    async def send(message: Any) -> None: ...

    validation = Validation()
    wrapped = validation.wrap(application, "asgi")
    asyncio.run(wrapped({"type": "lifespan"}, None, send))
    with validation.off():
        asyncio.run(wrapped({"type": "http"}, None, send))
    assert validation.take() == ()
    asyncio.run(wrapped({"type": "http"}, None, send))
    assert len(validation.take()) == 2
    assert validation.take() == ()


def wsgi_environ() -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "x",
        "SERVER_PORT": "80", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(b"a\nb\nc"),
        "wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip


def run_wsgi(status: Any, headers: Any, body: Any) -> BaseException | None:
    def application(environ: Any, start_response: Callable[..., Any]) -> Any:
        start_response(status, headers)
        return body

    response = None
    try:
        response = Validation().wrap(application, "wsgi")(wsgi_environ(), lambda *_: lambda _: None)
        list(response)
    except Exception as error:  # noqa: BLE001 (it is what is looked at)
        return error
    finally:
        if response is not None:
            response.close()
    return None


TYPE = [("Content-Type", "text/plain")]
WORDS = [
    pytest.param("200 OK", TYPE, [b""], "", id="right"),
    pytest.param("OK", TYPE, [b""], "Status codes must be three characters: 'OK'", id="no number"),
    pytest.param("two OK", TYPE, [b""], "invalid literal for int() with base 10: 'two'", id="a number in words"),
    pytest.param("200 OK", [*TYPE, ("a",)], [b""],
                 "wsgiref.validate finds that this is not so: assert_(len(item) == 2)", id="without words"),
    pytest.param("200 OK", TYPE, ["x" * 400], f"Iterator yielded non-bytestring ('{'x' * 266}...", id="cut short"),
    pytest.param("200", TYPE, [b""],
                 "The status string ('200') should be a three-digit integer followed by a single space and a status "
                 "explanation", id="a warning"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "body", "expected"), WORDS)
def test_what_wsgiref_raises_is_told_in_words(status, headers, body, expected) -> None:
    error = run_wsgi(status, headers, body)
    assert (objection_of(error) if error else "") == expected


def test_what_an_application_raises_is_no_objection() -> None:
    def body() -> Any:
        assert not TYPE, "its own"
        yield b""

    error = run_wsgi("200 OK", TYPE, body())
    assert isinstance(error, AssertionError)
    assert objection_of(error) == ""


READS = [
    pytest.param(lambda source: source.read(), b"a\nb\nc", id="all"),
    pytest.param(lambda source: source.read(3), b"a\nb", id="some"),
    pytest.param(lambda source: source.readline() + source.readline(1), b"a\nb", id="lines"),
    pytest.param(lambda source: b"".join(source.readlines()), b"a\nb\nc", id="all lines"),
    pytest.param(lambda source: next(iter(source)), b"a\n", id="the next line"),
]


@pytest.mark.parametrize(("read", "expected"), READS)
def test_the_input_may_be_read_in_each_way_that_pep_3333_knows(read, expected) -> None:
    def application(environ: Any, start_response: Callable[..., Any]) -> Any:
        start_response("200 OK", TYPE)
        return [read(environ["wsgi.input"])]

    response = Validation().wrap(application, "wsgi")(wsgi_environ(), lambda *_: lambda _: None)
    assert b"".join(response) == expected
    response.close()
