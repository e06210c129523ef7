"""The id of a request: whose it is, and who gets it."""

from __future__ import annotations

import asyncio
import re

import pytest

from multiserve.dispatch.request_ids import REQUEST, identify_asgi, identify_wsgi

NEW = re.compile("[0-9a-f]{32}")
LONGEST = "a" * 128
# What a client or a proxy sends, whether it is trusted, and the id that the application has; None for a new one.
GIVEN = [
    pytest.param(["req-1"], True, "req-1", id="trusted"),
    pytest.param(["req-1"], False, None, id="not-trusted"),
    pytest.param([], True, None, id="none"),
    pytest.param([""], True, None, id="empty"),
    pytest.param([LONGEST], True, LONGEST, id="longest"),
    pytest.param([LONGEST + "a"], True, None, id="too-long"),
    pytest.param(["a b"], True, None, id="space"),
    pytest.param(['a"b'], True, None, id="quote"),
    pytest.param(["a\\nb"], True, None, id="backslash"),
    pytest.param(["caf\xe9"], True, None, id="not-ascii"),
    pytest.param(["one", "two"], True, None, id="two"),
    pytest.param(
        ["Root=1-67891233-abcdef012345678912345678"], True, "Root=1-67891233-abcdef012345678912345678", id="aws"
    ),
]


def asgi(given, *, trusts, headers=(), kind="http"):
    """Return the scope that the application gets, and the headers of its response."""
    starts = {
        "http": "http.response.start",
        "websocket": "websocket.accept",
        "refused": "websocket.http.response.start",
    }
    seen, sent = [], []

    async def application(scope, receive, send):
        seen.append((scope, REQUEST.get()))
        await send({"type": starts[kind], "headers": list(headers)})
        await send({"type": "http.response.body"})

    async def send(message):
        sent.append(message)

    fields = [(b"host", b"a"), *((b"x-request-id", each.encode("latin-1")) for each in given)]
    scope = {"type": "http", "headers": fields}
    asyncio.run(identify_asgi(application, trusts=trusts)(scope, None, send))
    assert sent[1] == {"type": "http.response.body"}
    return *seen[0], sent[0]["headers"]


def wsgi(given, *, trusts, headers=()):
    seen, sent = [], []

    def application(environ, start_response):
        seen.append((environ, REQUEST.get()))
        start_response("200 OK", list(headers))
        return []

    environ = {"HTTP_X_REQUEST_ID": ",".join(given)} if given else {}
    identify_wsgi(application, trusts=trusts)(environ, lambda _, headers: sent.extend(headers))
    assert REQUEST.get() is None
    return *seen[0], sent


@pytest.mark.parametrize(("given", "trusts", "expected"), GIVEN)
def test_asgi(given, trusts, expected):
    scope, request, headers = asgi(given, trusts=trusts)
    found = scope["multiserve.request_id"]
    assert found == expected if expected else NEW.fullmatch(found)
    assert scope["headers"] == [(b"host", b"a"), (b"x-request-id", found.encode())]
    assert headers == [(b"x-request-id", found.encode())]
    assert request is scope


@pytest.mark.parametrize(("given", "trusts", "expected"), GIVEN)
def test_wsgi(given, trusts, expected):
    environ, request, headers = wsgi(given, trusts=trusts)
    found = environ["multiserve.request_id"]
    assert found == expected if expected else NEW.fullmatch(found)
    assert environ["HTTP_X_REQUEST_ID"] == found
    assert headers == [("X-Request-ID", found)]
    assert request is environ


def test_an_application_may_answer_with_an_id_of_its_own():
    own = [(b"X-Request-Id", b"mine")]
    assert asgi([], trusts=False, headers=own)[2] == own
    own = [("x-request-ID", "mine")]
    assert wsgi([], trusts=False, headers=own)[2] == own


@pytest.mark.parametrize("kind", ["websocket", "refused"])
def test_the_answer_to_a_handshake_has_the_id_too(kind):
    scope, _, headers = asgi([], trusts=False, kind=kind)
    assert headers == [(b"x-request-id", scope["multiserve.request_id"].encode())]


def test_each_request_has_an_id_of_its_own():
    made = {wsgi([], trusts=False)[0]["multiserve.request_id"] for _ in range(100)}
    assert len(made) == 100


def test_a_response_that_is_made_while_it_is_sent_is_of_the_same_request():
    seen, closed = [], []

    def application(environ, start_response):
        start_response("200 OK", [])
        try:
            for part in (b"a", b"b"):
                seen.append(REQUEST.get())
                yield part
        finally:
            closed.append(True)

    environ = {}
    response = identify_wsgi(application, trusts=False)(environ, lambda *_: None)
    parts = iter(response)
    assert (next(parts), REQUEST.get()) == (b"a", None)
    assert list(parts) == [b"b"]
    assert seen == [environ, environ]
    response.close()
    assert closed == [True]


def test_the_server_gets_a_file_as_it_is():
    class Wrapper:
        pass

    made = Wrapper()
    environ = {"wsgi.file_wrapper": Wrapper}
    assert identify_wsgi(lambda *_: made, trusts=False)(environ, lambda *_: None) is made


def test_exc_info_is_handed_on():
    handed = []

    def application(environ, start_response):
        start_response("500 Internal Server Error", [], (ValueError, ValueError(), None))
        return []

    identify_wsgi(application, trusts=False)({}, lambda *given: handed.append(given))
    ((_, _, (kind, _, _)),) = handed
    assert kind is ValueError
