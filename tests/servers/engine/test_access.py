"""The line of a request in the access log."""

from __future__ import annotations

import re

import pytest

from multiserve.servers.engine.access import Access

SCOPE = {"http_version": "1.1", "raw_path": b"/a%20b", "query_string": b"", "headers": []}
FIELDS = [(b"referer", b"http://x/"), (b"user-agent", b'a "b"')]

LINES = [
    pytest.param({**SCOPE, "method": "POST"}, 9, '- - - [WHEN] "POST /a%20b HTTP/1.1" 200 9 "-" "-" "-"', id="bare"),
    pytest.param(
        {
            **SCOPE,
            "query_string": b"q=1",
            "client": ("192.0.2.1", 4),
            "headers": FIELDS,
            "multiserve.mount": "/a",
        },
        0,
        '192.0.2.1 - - [WHEN] "GET /a%20b?q=1 HTTP/1.1" 200 - "http://x/" "a \\"b\\"" "/a"',
        id="a WebSocket with all of it",
    ),
    pytest.param(
        {**SCOPE, "headers": [(b"user-agent", b"\xe9\x9b1m\x1b[2J\x7f")], "multiserve.mount": "/\u0142"},
        1,
        '- - - [WHEN] "GET /a%20b HTTP/1.1" 200 1 "-" "\\xe9\\x9b1m\\x1b[2J\\x7f" "/\\u0142"',
        id="what is not printable",
    ),
]


@pytest.mark.parametrize(("scope", "sent", "expected"), LINES)
def test_a_line_has_request_client_and_mount(scope, sent, expected):
    line = Access(scope, 200, [], sent, 0.1).line()
    assert re.sub(r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", "[WHEN]", line) == expected
