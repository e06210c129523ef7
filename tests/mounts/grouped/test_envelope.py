"""A scope travels in a header, and comes out as it went in."""

from __future__ import annotations

import pytest

from multiserve.mounts.grouped.envelope import HEADER, pack, unpack

SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "scheme": "https",
    "path": "/a b/caf\xe9/x",
    "raw_path": b"/a%20b/caf%C3%A9/x",
    "query_string": b"q=%2F&b",
    "root_path": "/outer/a b",
    "headers": [(b"host", b"x"), (b"x-a", b"1"), (b"x-a", b"\xe9\xff"), (b"cookie", b'a="b\\c"')],
    "client": ("192.0.2.1", 50000),
    "server": ("127.0.0.1", 8000),
    "extensions": {"http.response.debug": {}},
    "state": {"of": "this process"},
}
TRAVELS = ("http_version", "scheme", "path", "raw_path", "query_string", "headers", "client", "server")

CASES = [
    pytest.param({}, id="a request"),
    pytest.param({"path": "*", "raw_path": b"*"}, id="asterisk-form"),
    pytest.param({"path": "/\udcff", "raw_path": b"/%ff"}, id="a path that is no text"),
    pytest.param({"path": "/\ufffd\U0001f600"}, id="characters beyond the first plane"),
    pytest.param({"client": None, "server": ("unix.sock", None)}, id="a unix socket"),
    pytest.param({"headers": []}, id="no headers"),
    pytest.param({"headers": [(b"x-a", b"\xe9" * 3000)] * 4}, id="more than a header can hold"),
    pytest.param({"query_string": b"\xff\x00"}, id="a query of any bytes"),
]


@pytest.mark.parametrize("change", CASES)
def test_what_arrives_is_what_was_sent(change):
    scope = {**SCOPE, **change}
    headers = pack(scope, "/outer")
    assert all(value.isascii() and value.isprintable() and len(value) <= 8000 for _, value in headers)
    assert unpack("".join(value for _, value in headers)) == {
        **{name: scope[name] for name in TRAVELS},
        "root_path": "/outer",
    }


def test_what_a_server_does_not_have_is_not_made_up():
    scope = {"type": "http", "path": "/", "headers": [], "raw_path": None}
    ((name, text),) = pack(scope, "")
    assert name == HEADER
    assert unpack(text) == {"path": "/", "root_path": "", "headers": []}


@pytest.mark.parametrize("text", ["", "{", "[]x"])
def test_anything_else_is_an_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 (the text is the parser's)
        unpack(text)
