"""What an application that does not keep to its protocol comes to."""

from __future__ import annotations

import sys

import pytest

from multiserve.probing.exchange import build_scope
from multiserve.testing.calls import Response, call_wsgi

SCOPE = build_scope("GET", "http://localhost/", "*/*")


class Body:
    def __init__(self, *chunks):
        self.chunks = iter(chunks)
        self.is_closed = False

    def __iter__(self):
        return self.chunks

    def close(self):
        self.is_closed = True


def test_a_body_is_closed():
    body = Body(b"a", b"b")

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    assert call_wsgi(app, SCOPE, b"").body == b"ab"
    assert body.is_closed


def test_a_body_that_raises_is_closed():
    def chunks():
        yield b"a"
        raise ValueError("too late")

    body = Body()
    body.chunks = chunks()

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    with pytest.raises(ValueError, match=r"^too late$"):
        call_wsgi(app, SCOPE, b"")
    assert body.is_closed


@pytest.mark.parametrize("has_written", [False, True])
def test_a_response_may_be_replaced_by_that_of_an_error_before_its_body(has_written):
    def app(environ, start_response):
        write = start_response("200 OK", [])
        if has_written:
            write(b"begun")
        try:
            int("an error page")
        except ValueError:
            start_response("500 Oh", [("X-Why", "because")], sys.exc_info())
        return [b"sorry"]

    if has_written:
        with pytest.raises(ValueError, match="an error page"):
            call_wsgi(app, SCOPE, b"")
    else:
        response = call_wsgi(app, SCOPE, b"")
        assert (response.status, response.headers["x-why"], response.body) == (500, "because", b"sorry")


def test_an_application_that_starts_no_response_is_named():
    with pytest.raises(RuntimeError, match=r"^the application has not called start_response$"):
        call_wsgi(lambda environ, start_response: [b"x"], SCOPE, b"")


def test_a_response_without_a_type_is_text():
    from wsgiref.headers import Headers

    assert Response(status=200, headers=Headers([]), body="é".encode()).text == "é"
