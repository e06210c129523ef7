from __future__ import annotations

from typing import Any

import pytest

from multiserve.mounts.proxied.headers import (
    BadHostError,
    BadResponseError,
    goes_in_circles,
    request_headers,
    response_headers,
)

FORWARDED = [
    ("Via", "1.1 multiserve"),
    ("X-Forwarded-For", "192.0.2.7"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Host", "shop.test"),
    ("X-Forwarded-Port", "80"),
]


def scope_of(*headers: tuple[bytes, bytes], host: bytes = b"shop.test", **more: Any) -> dict[str, Any]:
    given = [(b"host", host), *headers]
    return {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "client": ("192.0.2.7", 5),
        "headers": given,
        **more,
    }


@pytest.mark.parametrize(
    ("headers", "handed_on"),
    [
        pytest.param(
            [(b"accept", b"text/html"), (b"cookie", b"a=b")],
            [("accept", "text/html"), ("cookie", "a=b")],
            id="end to end",
        ),
        pytest.param([(b"x-a", b"1"), (b"x-a", b"2")], [("x-a", "1"), ("x-a", "2")], id="two lines"),
        pytest.param([(b"x-a", "é".encode())], [("x-a", "é")], id="UTF-8"),
        pytest.param([(b"x-a", b"\xe9")], [("x-a", "é")], id="Latin-1"),
        pytest.param([(b"x-secret", b"1"), (b"connection", b"keep-alive, X-Secret")], [], id="named by Connection"),
        pytest.param(
            [(b"connection", b"close, x-a"), (b"x-a", b"1"), (b"connection", b"x-b"), (b"x-b", b"1")], [], id="twice"
        ),
        pytest.param(
            [(b"te", b"trailers"), (b"trailer", b"x"), (b"upgrade", b"h2c"), (b"keep-alive", b"1")], [], id="hop by hop"
        ),
        pytest.param(
            [(b"http2-settings", b"x"), (b"proxy-authorization", b"x"), (b"proxy-connection", b"x")],
            [],
            id="more of it",
        ),
        pytest.param(
            [(b"transfer-encoding", b"chunked"), (b"content-length", b"5"), (b"expect", b"100-continue")],
            [],
            id="framing",
        ),
        pytest.param([(b"x-forwarded-for", b"9.9.9.9"), (b"x-forwarded-host", b"evil.test")], [], id="X-Forwarded"),
        pytest.param(
            [(b"x-forwarded-prefix", b"/x"), (b"x-forwarded-ssl", b"on"), (b"forwarded", b"for=1")],
            [],
            id="more of them",
        ),
        pytest.param([(b"x-real-ip", b"9.9.9.9")], [], id="X-Real-IP"),
        pytest.param([(b"x_forwarded_for", b"9.9.9.9"), (b"content_length", b"5")], [], id="underscores"),
        pytest.param([(b"connection", b"x-forwarded-for, via, host")], [], id="Connection names what multiserve adds"),
        pytest.param([(b"sec-websocket-key", b"x"), (b"sec-websocket-version", b"13")], [], id="a handshake"),
    ],
)
def test_what_is_handed_on(headers, handed_on):
    assert request_headers(scope_of(*headers), host="", prefix=None) == [("Host", "shop.test"), *handed_on, *FORWARDED]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param({"scheme": "https"}, {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}, id="TLS"),
        pytest.param({"scheme": "wss"}, {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}, id="a WebSocket"),
        pytest.param(
            {"host": b"a.test:8000"}, {"X-Forwarded-Host": "a.test:8000", "X-Forwarded-Port": "8000"}, id="a port"
        ),
        pytest.param({"host": b"[::1]:80"}, {"X-Forwarded-Host": "[::1]:80", "X-Forwarded-Port": "80"}, id="IPv6"),
        pytest.param({"client": None}, {"X-Forwarded-For": None}, id="a unix socket"),
        pytest.param({"client": ("", 0)}, {"X-Forwarded-For": None}, id="one as other servers tell it"),
        pytest.param(
            {"host": b""}, {"Host": "", "X-Forwarded-Host": None, "X-Forwarded-Port": None}, id="an empty host"
        ),
        pytest.param({"http_version": "2"}, {"Via": "2 multiserve"}, id="HTTP/2"),
    ],
)
def test_what_the_server_learns(scope, expected):
    found = dict(request_headers(scope_of(**scope), host="", prefix=None))
    assert {name: found.get(name) for name in expected} == expected


def test_the_prefix_that_was_taken_off_is_told():
    found = dict(request_headers(scope_of((b"x-forwarded-prefix", b"/evil")), host="", prefix="/café"))
    assert found["X-Forwarded-Prefix"] == "/caf%C3%A9"


def test_the_host_of_the_target_takes_the_place_of_the_clients():
    found = request_headers(scope_of(), host="other.test:81", prefix=None)
    assert (found[0], dict(found)["X-Forwarded-Host"]) == (("Host", "other.test:81"), "shop.test")


@pytest.mark.parametrize("host", [b"a.test:80@evil.test", b"a.test/x", b"a b", b"a.test:99999", b"\xff"])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(BadHostError):
        request_headers(scope_of(host=host), host="", prefix=None)


def test_two_hosts_are_refused():
    with pytest.raises(BadHostError):
        request_headers(scope_of((b"host", b"other.test")), host="", prefix=None)


@pytest.mark.parametrize(
    ("vias", "expected"),
    [
        pytest.param([], False, id="none"),
        pytest.param([b", ".join([b"1.1 multiserve"] * 7)], False, id="seven"),
        pytest.param([b", ".join([b"1.1 multiserve"] * 8)], True, id="eight"),
        pytest.param([b"1.1 multiserve (x)"] * 8, True, id="eight lines"),
        pytest.param([b"1.1 other"] * 20, False, id="others"),
        pytest.param([b",,\xff,"], False, id="nonsense"),
    ],
)
def test_circles_are_noticed(vias, expected):
    assert goes_in_circles(scope_of(*((b"via", each) for each in vias))) is expected


@pytest.mark.parametrize(
    ("raw", "handed_back"),
    [
        pytest.param(
            [(b"Content-Type", b"a/b"), (b"Set-Cookie", b"a"), (b"Set-Cookie", b"b")],
            [(b"content-type", b"a/b"), (b"set-cookie", b"a"), (b"set-cookie", b"b")],
            id="end to end",
        ),
        pytest.param(
            [(b"Content-Length", b"5"), (b"ETag", b"x")], [(b"etag", b"x"), (b"content-length", b"5")], id="a length"
        ),
        pytest.param(
            [(b"Content-Length", b"5"), (b"Content-Length", b"5")], [(b"content-length", b"5")], id="a length twice"
        ),
        pytest.param([(b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")], [], id="chunks win"),
        pytest.param(
            [(b"Connection", b"close, X-A"), (b"X-A", b"1"), (b"Keep-Alive", b"timeout=5")], [], id="hop by hop"
        ),
        pytest.param([(b"Content-Encoding", b"br")], [(b"content-encoding", b"br")], id="an encoding"),
        pytest.param([(b"X-A", b"\xe9")], [(b"x-a", b"\xe9")], id="bytes"),
    ],
)
def test_what_is_handed_back(raw, handed_back):
    assert response_headers(raw) == handed_back


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param([(b"X-A", b"1\r\nX-B: 2")], "the header 'x-a' is not valid", id="a line"),
        pytest.param([(b"X A", b"1")], "the header 'x a' is not valid", id="a space"),
        pytest.param([(b"X-A", b"\x00")], "the header 'x-a' is not valid", id="NUL"),
        pytest.param([(b"Content-Length", b"5"), (b"Content-Length", b"6")], "it has two lengths", id="two lengths"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(raw, message):
    with pytest.raises(BadResponseError) as caught:
        response_headers(raw)
    assert str(caught.value) == message
