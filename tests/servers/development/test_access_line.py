"""The line of the development server for a request or a WebSocket."""

from __future__ import annotations

import re

import pytest

from multiserve.servers.development.access_line import Answered, answered, is_of_our_own_pages
from multiserve.servers.engine.access import Access

SCOPE = {
    "raw_path": b"/a%20b",
    "query_string": b"q=1",
    "headers": [],
    "client": ("127.0.0.1", 4),
    "http_version": "1.1",
}
LINES = [
    pytest.param(
        Answered("127.0.0.1", "GET", "/admin/users?x=1", 200, "/admin", 0.0042),
        "WHEN  200     4 ms  GET /admin/users?x=1  (/admin)",
        id="a request",
    ),
    pytest.param(
        Answered("::1", "WEBSOCKET", "/live", 101, "/live", 75.25),
        "WHEN  101   75.2 s  WEBSOCKET /live  (/live)",
        id="a WebSocket",
    ),
    pytest.param(
        Answered("::1", "WEBSOCKET", "/live", 101, "/live", 75.25, code=1006),
        "WHEN  1006   75.2 s  WEBSOCKET /live closed  (/live)",
        id="the end of a WebSocket",
    ),
    pytest.param(
        Answered("192.0.2.1", "POST", "/", 404, "", 0.9),
        "WHEN  404   900 ms  POST /  (no mount)  from 192.0.2.1",
        id="another machine and no mount",
    ),
    pytest.param(
        Answered("", "GET", "/\x1b[2J\xe9", 500, "/\u0142", 0.0),
        "WHEN  500     0 ms  GET /\\x1b[2J\\xe9  (/\\u0142)",
        id="what a terminal would obey",
    ),
]


@pytest.mark.parametrize(("request_", "expected"), LINES)
def test_a_line_has_status_duration_request_and_mount(request_, expected):
    assert re.sub(r"^\d\d:\d\d:\d\d", "WHEN", request_.line()) == expected


@pytest.mark.parametrize(
    ("status", "role"), [(101, "good"), (204, "good"), (304, "note"), (404, "warning"), (500, "bad"), (999, "bad")]
)
def test_the_status_is_set_off_by_its_class(status, role):
    line = Answered("", "GET", "/", status, "/", 0.0).line(lambda text, role: f"<{role} {text}>")
    assert f"<{role} {status}>" in line


@pytest.mark.parametrize(("code", "role"), [(1000, "good"), (1001, "good"), (1006, "warning"), (4001, "warning")])
def test_the_code_of_a_websocket_is_set_off_by_whether_it_is_normal(code, role):
    line = Answered("", "WEBSOCKET", "/", 101, "/", 0.0, code=code).line(lambda text, role: f"<{role} {text}>")
    assert f"<{role} {code}>" in line


def test_the_same_for_a_log_of_json():
    line = Answered("::1", "GET", "/a?b=1?c", 200, "/", 0.5, "HTTP/1.1", 9, "id", 0).as_access_line()
    assert line == ("::1", "GET", "/a", "b=1?c", "HTTP/1.1", 200, 0.5, 9, "/", "id", 0)


@pytest.mark.parametrize(
    ("scope", "method"),
    [
        pytest.param({**SCOPE, "type": "http", "method": "PUT"}, "PUT", id="a request"),
        pytest.param({**SCOPE, "type": "websocket"}, "WEBSOCKET", id="a WebSocket"),
    ],
)
def test_what_the_engine_reports_becomes_the_same_line(scope, method):
    access = Access({**scope, "multiserve.mount": "/a"}, 200, [], 9, 0.5)
    expected = ("127.0.0.1", method, "/a%20b?q=1", 200, "/a", 0.5, "HTTP/1.1", 9, "", 0)
    assert answered(access) == expected


@pytest.mark.parametrize(
    ("status", "target", "waits", "expected"),
    [
        pytest.param(503, "/shop/", True, True, id="a page that goes on waiting"),
        pytest.param(200, "/shop/", True, False, id="a page whose mount is back"),
        pytest.param(200, "/__multiserve__/refresh/process", True, True, id="the script of refresh"),
        pytest.param(503, "/shop/", False, False, id="a user"),
        pytest.param(200, "/?__debugger__=yes&cmd=resource&f=style.css", False, True, id="a part of the debugger"),
        pytest.param(200, "/a?__debugger__=yes&cmd=printpin&s=secret", False, True, id="the debugger's secret"),
        pytest.param(200, "/?__debugger__=no&cmd=x", False, False, id="a query of its own"),
        pytest.param(200, "/__debugger__", False, False, id="a path of its own"),
    ],
)
def test_what_our_own_pages_ask_has_no_line(status, target, waits, expected):
    assert is_of_our_own_pages(status, target, waits=waits) is expected
