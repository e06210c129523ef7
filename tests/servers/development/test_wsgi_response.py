"""What an application answers is sent as HTTP says; what cannot be sent so is refused before or behind its head."""

from __future__ import annotations

import io
import re

import pytest

from multiserve.servers.development.request_body import BadBody
from multiserve.servers.development.wsgi_response import BadResponse, Response


class Sent(io.BytesIO):
    """What the client gets: the head in one line, and the bytes of the body."""

    head = None

    def send_head(self, code, reason, headers):
        self.head = f"{code} {reason}|" + "|".join(f"{name}: {value}" for name, value in headers)


def answer(application, method="GET", version="HTTP/1.1"):
    sent = Sent()
    response = Response(sent, method, version, sent.send_head)
    try:
        response.send(application, {})
    except BadResponse as error:
        return sent, response, str(error)
    return sent, response, ""


def app(*parts, status="200 OK", headers=(), kind=list):
    def application(environ, start_response):
        start_response(status, list(headers))
        return kind(parts)

    return application


def lengths(*values):
    return [("Content-Length", value) for value in values]


CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("application", "method", "version", "head", "body"),
    [
        pytest.param(
            app(b"ab", b"", b"c"),
            "GET",
            "HTTP/1.1",
            f"200 OK|{CHUNKED}",
            b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            id="chunks",
        ),
        pytest.param(app(), "GET", "HTTP/1.1", f"200 OK|{CHUNKED}", b"0\r\n\r\n", id="no part"),
        pytest.param(app(b"ab", b"c"), "GET", "HTTP/1.0", "200 OK|", b"abc", id="no chunks for HTTP/1.0"),
        pytest.param(
            app(b"ab", headers=lengths("2")), "GET", "HTTP/1.1", "200 OK|Content-Length: 2", b"ab", id="length"
        ),
        pytest.param(app(b"ab", headers=lengths("2")), "HEAD", "HTTP/1.1", "200 OK|Content-Length: 2", b"", id="HEAD"),
        pytest.param(
            app(headers=lengths("2")), "HEAD", "HTTP/1.1", "200 OK|Content-Length: 2", b"", id="HEAD, no body"
        ),
        pytest.param(app(b"ab"), "HEAD", "HTTP/1.1", "200 OK|", b"", id="HEAD without a length"),
        pytest.param(app(b"ab", status="204 No Content"), "GET", "HTTP/1.1", "204 No Content|", b"", id="204"),
        pytest.param(
            app(status="304 Not Modified", headers=lengths("9")),
            "GET",
            "HTTP/1.1",
            "304 Not Modified|Content-Length: 9",
            b"",
            id="304",
        ),
        pytest.param(app(b"a", status="299"), "GET", "HTTP/1.0", "299 |", b"a", id="no reason phrase"),
        pytest.param(
            app(b"a", headers=[("Connection", "keep-alive"), ("TRANSFER-ENCODING", "chunked"), ("X-A", "\xe9")]),
            "GET",
            "HTTP/1.1",
            f"200 OK|X-A: \xe9|{CHUNKED}",
            b"1\r\na\r\n0\r\n\r\n",
            id="headers that are the server's",
        ),
    ],
)
@pytest.mark.parametrize("kind", [list, iter])
def test_responses_are_framed_for_their_client(application, method, version, head, body, kind):
    def as_kind(environ, start_response):
        return kind(application(environ, start_response))

    sent, response, error = answer(as_kind, method, version)
    assert (sent.head, sent.getvalue(), error) == (head, body, "")
    assert not response.is_broken


TOO_LONG = "the response is longer than its Content-Length of 2"


@pytest.mark.parametrize(
    ("application", "error"),
    [
        pytest.param(app(b"abc", headers=lengths("2")), TOO_LONG, id="length too small"),
        pytest.param(app(b"abc", headers=lengths("2"), kind=iter), TOO_LONG, id="length too small, iterator"),
        pytest.param(app(b"a", b"bc", headers=lengths("2")), TOO_LONG, id="length too small for two parts"),
        pytest.param(app(b"a", headers=lengths("2")), "the response ended after 1 of 2 bytes", id="too short"),
        pytest.param(app(headers=lengths("2"), kind=iter), "the response ended after 0 of 2 bytes", id="nothing"),
        pytest.param(app(b"a", headers=lengths("1", "1")), "more than one Content-Length", id="length twice"),
        pytest.param(app(b"a", headers=lengths("+1")), "not a Content-Length: '+1'", id="sign"),
        pytest.param(app(b"a", headers=lengths("")), "not a Content-Length: ''", id="empty length"),
        pytest.param(
            app(b"a", headers=lengths("1" * 5000)), f"not a Content-Length: {'1' * 5000!r}", id="5,000 digits"
        ),
        pytest.param(app(b"a", headers=[("A", "b\r\nC: d")]), "not a value for the header A: 'b\\r\\nC: d'", id="CRLF"),
        pytest.param(app(b"a", headers=[("A b", "c")]), "not the name of a header: 'A b'", id="blank in a name"),
        pytest.param(app(b"a", headers=[("A", 1)]), "not a value for the header A: 1", id="number"),
        pytest.param(
            app(b"a", headers=[("A", "\u20ac")]), "not a value for the header A: '\u20ac'", id="beyond Latin-1"
        ),
        pytest.param(app(b"a", status="OK"), "not a status: 'OK'", id="no number"),
        pytest.param(app(b"a", status="101 Switching"), "not a status: '101 Switching'", id="interim"),
        pytest.param(app(b"a", status="200 a\r\nB: c"), "not a status: '200 a\\r\\nB: c'", id="CRLF in the status"),
        pytest.param(app("text"), "a part of the response is no bytes but str", id="text"),
        pytest.param(lambda *_: [], "start_response() was not called", id="no start_response"),
        pytest.param(lambda *_: [b"a"], "start_response() was not called", id="no start_response but a body"),
    ],
)
def test_a_wrong_response_is_refused_before_its_head_is_sent(application, error):
    sent, response, found = answer(application)
    assert (sent.head, sent.getvalue(), found) == (None, b"", error)
    assert not response.is_begun


@pytest.mark.parametrize(
    ("application", "body", "error"),
    [
        pytest.param(app(b"a", b"bc", headers=lengths("2"), kind=iter), b"ab", TOO_LONG, id="too long"),
        pytest.param(
            app(b"a", headers=lengths("2"), kind=iter), b"a", "the response ended after 1 of 2 bytes", id="too short"
        ),
    ],
)
def test_no_more_than_the_length_is_sent(application, body, error):
    sent, response, found = answer(application)
    assert (sent.getvalue(), found) == (body, error)
    assert response.is_begun


def test_starting_twice_is_refused_unless_there_is_an_exception():
    def twice(environ, start_response):
        start_response("200 OK", [])
        start_response("404 Not Found", [])

    def once_more(environ, start_response):
        start_response("200 OK", lengths("9"))
        start_response("404 Not Found", [], (KeyError, KeyError(), None))
        return [b"a"]

    assert answer(twice)[2] == "start_response() was called twice"
    sent, _, error = answer(once_more, version="HTTP/1.0")
    assert (sent.head, sent.getvalue(), error) == ("404 Not Found|", b"a", "")


def test_an_exception_behind_the_head_leaves_the_response_incomplete():
    def failing(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        with pytest.raises(KeyError):
            start_response("500 Oh", [], (KeyError, KeyError(), None))

    sent, response, error = answer(failing)
    assert (sent.getvalue(), error) == (b"1\r\na\r\n", "")
    assert response.is_broken


def test_write_sends_behind_the_head():
    def writing(environ, start_response):
        write = start_response("200 OK", lengths("2"))
        write(b"a")
        return [b"b"]

    sent, _, error = answer(writing)
    assert (sent.head, sent.getvalue(), error) == ("200 OK|Content-Length: 2", b"ab", "")


@pytest.mark.parametrize("parts", [pytest.param([b"a"], id="complete"), pytest.param(["text"], id="refused")])
def test_what_the_application_returns_is_closed_once(parts):
    closed = []

    class Parts(list):
        def close(self):
            closed.append(1)

    answer(app(*parts, kind=Parts))
    assert closed == [1]


class Gone(Sent):
    def write(self, data):
        raise BrokenPipeError


def test_a_client_that_has_left_is_told_from_a_request_that_is_malformed():
    gone = Gone()
    response = Response(gone, "GET", "HTTP/1.1", gone.send_head)
    with pytest.raises(BrokenPipeError):
        response.send(app(b"a"), {})
    assert response.client_gone

    def refuse(*_):
        raise BadBody("not a trailer")

    response = Response(Sent(), "GET", "HTTP/1.1", refuse)
    with pytest.raises(BadBody, match=re.escape("not a trailer")):
        response.send(app(b"a"), {})
    assert not response.client_gone
    assert not response.is_begun
