"""What the access log can tell of a request."""

from __future__ import annotations

import pytest

from multiserve.servers.engine.access import Access

SCOPE = {"http_version": "1.1", "raw_path": b"/a%20b", "query_string": b"", "headers": []}
ALL = {
    **SCOPE,
    "method": "POST",
    "query_string": b"q=1",
    "client": ("192.0.2.1", 4),
    "headers": [(b"user-agent", b"a")],
    "multiserve.mount": "/a",
}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param(SCOPE, ("GET", "/a%20b", "", "", {}), id="bare"),
        pytest.param(ALL, ("POST", "/a%20b?q=1", "192.0.2.1", "/a", {"user-agent": "a"}), id="all of it"),
    ],
)
def test_a_request_has_target_client_and_mount(scope, expected):
    access = Access(scope, 200, [], 9, 0.1)
    assert (access.method, access.target, access.client, access.mount, access.fields()) == expected
