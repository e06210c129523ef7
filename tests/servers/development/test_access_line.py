"""The line of the development server for a request or a WebSocket."""

from __future__ import annotations

import re

import pytest

from multiserve.servers.development.access_line import Answered, answered
from multiserve.servers.engine.access import Access

SCOPE = {"raw_path": b"/a%20b", "query_string": b"q=1", "headers": [], "client": ("127.0.0.1", 4)}
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


@pytest.mark.parametrize(
    ("scope", "method"),
    [
        pytest.param({**SCOPE, "type": "http", "method": "PUT"}, "PUT", id="a request"),
        pytest.param({**SCOPE, "type": "websocket"}, "WEBSOCKET", id="a WebSocket"),
    ],
)
def test_what_the_engine_reports_becomes_the_same_line(scope, method):
    access = Access({**scope, "multiserve.mount": "/a"}, 200, [], 9, 0.5)
    assert answered(access) == ("127.0.0.1", method, "/a%20b?q=1", 200, "/a", 0.5)
