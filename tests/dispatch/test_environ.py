from __future__ import annotations

import io
import os
from typing import Any

import pytest

from multiserve.dispatch.environ import FileWrapper, build_environ


def environ_of(**changes: Any) -> dict[str, Any]:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/",
        "headers": [],
        **changes,
    }
    return build_environ(scope, lambda: b"")


PATHS = [
    pytest.param({"path": "/x"}, "", "/x", "/x", id="without raw_path"),
    pytest.param({"path": "/a b", "raw_path": b"/a%20b"}, "", "/a b", "/a%20b", id="escaped"),
    pytest.param({"path": "/\ufffd", "raw_path": b"/%ff"}, "", "/\xff", "/%ff", id="bytes that are not UTF-8"),
    pytest.param({"path": "/é", "raw_path": b"/%C3%A9"}, "", "/\xc3\xa9", "/%C3%A9", id="UTF-8"),
    pytest.param({"path": "/é"}, "", "/\xc3\xa9", "/\xc3\xa9", id="UTF-8 without raw_path"),
    pytest.param({"path": "/a/b", "raw_path": b"/a%2Fb"}, "", "/a/b", "/a%2Fb", id="an escaped slash"),
    pytest.param(
        {"path": "/admin/x", "raw_path": b"/admin/x", "root_path": "/admin"}, "/admin", "/x", "/admin/x", id="a prefix"
    ),
    pytest.param({"path": "/admin", "root_path": "/admin"}, "/admin", "", "/admin", id="the bare prefix"),
    pytest.param({"path": "/administrator", "root_path": "/admin"}, "/admin", "/administrator", "/administrator",
                 id="a longer segment is no prefix"),
    pytest.param({"path": "/café/x", "raw_path": b"/caf%C3%A9/x", "root_path": "/café"}, "/caf\xc3\xa9", "/x",
                 "/caf%C3%A9/x", id="a prefix beyond ASCII"),
    pytest.param({"path": "//x", "raw_path": b"//x"}, "", "//x", "//x", id="two slashes"),
    pytest.param({"path": "/x", "raw_path": b"/x?y"}, "", "/x", "/x", id="a server that leaves the query in raw_path"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "script_name", "path_info", "uri"), PATHS)
def test_every_byte_of_the_path_survives(changes: dict[str, Any], script_name: str, path_info: str, uri: str) -> None:
    environ = environ_of(**changes)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["RAW_URI"]) == (script_name, path_info, uri)


def test_the_query_and_the_line_of_the_request() -> None:
    environ = environ_of(query_string=b"a=%C3%A9&b=\xe9", method="PATCH", scheme="https", http_version="1.0")
    assert environ["QUERY_STRING"] == "a=%C3%A9&b=\xe9"
    assert environ["RAW_URI"] == environ["REQUEST_URI"] == "/?a=%C3%A9&b=\xe9"
    assert environ["REQUEST_METHOD"] == "PATCH"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert environ["wsgi.url_scheme"] == "https"


HEADERS = [
    pytest.param([(b"x-one", b"1")], {"HTTP_X_ONE": "1"}, id="a header"),
    pytest.param([(b"x-one", b"1"), (b"x-one", b"2")], {"HTTP_X_ONE": "1,2"}, id="two lines are joined"),
    pytest.param([(b"cookie", b"a=1"), (b"cookie", b"b=2")], {"HTTP_COOKIE": "a=1; b=2"}, id="cookies are joined"),
    pytest.param([(b"content-type", b"text/plain")], {"CONTENT_TYPE": "text/plain"}, id="Content-Type"),
    pytest.param([(b"content-length", b"3")], {"CONTENT_LENGTH": "3"}, id="Content-Length"),
    pytest.param([(b"x_one", b"1"), (b"script_name", b"/x")], {}, id="names with an underscore are dropped"),
    pytest.param([(b"x-\xc3\xa9", b"\xff")], {"HTTP_X_Ã\xa9": "\xff"}, id="bytes stay as they are"),
]


@pytest.mark.parametrize(("headers", "expected"), HEADERS)
def test_headers_become_variables(headers: list[tuple[bytes, bytes]], expected: dict[str, str]) -> None:
    environ = environ_of(headers=headers)
    found = {name: value for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT_"))}
    assert found == expected


ADDRESSES = [
    pytest.param({"server": ("127.0.0.1", 8000)}, ("127.0.0.1", "8000", ""), id="TCP"),
    pytest.param({"server": ("/run/x.sock", None)}, ("", "80", ""), id="a unix socket without Host"),
    pytest.param(
        {"server": ("/run/x.sock", None), "headers": [(b"host", b"example.com:81")]}, ("example.com", "81", ""),
        id="a unix socket with Host",
    ),
    pytest.param(
        {"server": ("/run/x.sock", None), "headers": [(b"host", b"[::1]:81")]}, ("[::1]", "81", ""),
        id="a unix socket with an IPv6 Host",
    ),
    pytest.param(
        {"server": ("/run/x.sock", None), "headers": [(b"host", b"x:y")]}, ("x:y", "80", ""),
        id="a unix socket with a Host whose port is none",
    ),
    pytest.param({"scheme": "https", "headers": [(b"host", b"a.test")]}, ("a.test", "443", ""), id="no server at all"),
    pytest.param({"server": ("h", 1), "client": ("10.0.0.1", 5)}, ("h", "1", "10.0.0.1"), id="a client"),
    pytest.param({"server": ("h", 1), "client": None}, ("h", "1", ""), id="no client"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), ADDRESSES)
def test_addresses(changes: dict[str, Any], expected: tuple[str, str, str]) -> None:
    environ = environ_of(**changes)
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"], environ["REMOTE_ADDR"]) == expected


def test_no_variable_of_the_process_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPT_NAME", "/leaked")
    environ = environ_of()
    assert environ["SCRIPT_NAME"] == ""
    assert not {"HOME", "PATH"} & environ.keys()
    assert os.environ["SCRIPT_NAME"] == "/leaked"


def test_a_file_is_handed_over_in_blocks_and_closed() -> None:
    file = io.BytesIO(b"abcdefg")
    wrapper = FileWrapper(file, 3)
    assert list(wrapper) == [b"abc", b"def", b"g"]
    wrapper.close()
    assert file.closed
