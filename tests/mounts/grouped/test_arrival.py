"""In the process of a group, a request is again what it was in front."""

from __future__ import annotations

import asyncio
import io

from multiserve.mounts.grouped.arrival import arrive_asgi, arrive_wsgi
from multiserve.mounts.grouped.envelope import pack

SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "scheme": "https",
    "path": "/shop/caf\xe9",
    "raw_path": b"/shop/caf%C3%A9",
    "query_string": b"q",
    "root_path": "/shop",
    "headers": [(b"host", b"example.com"), (b"x-a", b"\xe9"), (b"content-length", b"2")],
    "client": ("192.0.2.1", 50000),
    "server": ("127.0.0.1", 443),
}
LONG = {**SCOPE, "headers": [*SCOPE["headers"], *[(b"x-long", b"y" * 7000)] * 3]}  # more than a header can hold
STRANGER = "Misdirected Request: this socket is for multiserve alone.\n"


def call_asgi(scope):
    seen, sent = [], []

    async def application(scope, receive, send):
        seen.append(scope)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(arrive_asgi(application)(scope, receive, send))
    return seen, sent


def test_an_asgi_application_gets_the_scope_of_the_front():
    hop = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "client": None,
        "headers": [(b"host", b"group"), *((name.encode(), value.encode()) for name, value in pack(LONG, ""))],
        "state": {"of": "the group"},
    }
    (seen,), sent = call_asgi(hop)
    expected = {**LONG, "root_path": "", "asgi": {"version": "3.0"}, "state": {"of": "the group"}}
    assert (seen, sent) == (expected, [])


def test_who_is_not_the_front_is_refused():
    seen, (start, body) = call_asgi({"type": "http", "method": "GET", "path": "/shop", "headers": [(b"host", b"x")]})
    assert (seen, start["status"], body["body"].decode()) == ([], 421, STRANGER)


def call_wsgi(environ):
    seen, statuses = [], []

    def application(environ, start_response):
        seen.append(environ)
        return []

    parts = arrive_wsgi(application)(environ, lambda status, headers, exc_info=None: statuses.append(status))
    return seen, statuses, b"".join(parts).decode()


def test_a_wsgi_application_gets_the_environ_of_the_front():
    body = io.BytesIO(b"ab")
    hop = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "",
        "HTTP_HOST": "group",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in pack(LONG, "")},
        "CONTENT_LENGTH": "2",
        "wsgi.input": body,
        "wsgi.url_scheme": "http",
        "wsgi.multiprocess": True,
        "gunicorn.socket": "the socket",
    }
    (seen,), statuses, _ = call_wsgi(hop)
    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/shop/caf\xc3\xa9",
        "RAW_URI": "/shop/caf%C3%A9?q",
        "QUERY_STRING": "q",
        "CONTENT_LENGTH": "2",
        "HTTP_HOST": "example.com",
        "HTTP_X_A": "\xe9",
        "REMOTE_ADDR": "192.0.2.1",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        "wsgi.input": body,
        "gunicorn.socket": "the socket",
    }
    assert {name: seen.get(name) for name in expected} == expected
    assert "HTTP_MULTISERVE_SCOPE" not in seen
    assert statuses == []


def test_who_is_not_the_front_is_refused_by_wsgi_as_well():
    assert call_wsgi({"REQUEST_METHOD": "GET", "PATH_INFO": "/shop"}) == ([], ["421 Misdirected Request"], STRANGER)
