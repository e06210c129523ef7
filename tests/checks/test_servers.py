from __future__ import annotations

import pytest

pytest.importorskip("aiohttp")

from multiserve.checks import look_at
from multiserve.checks.servers import silent_servers
from multiserve.composition import compose
from multiserve.config.file import load_config

pytestmark = pytest.mark.usefixtures("clean_process")

OK = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def find(write_config):
    """Find the servers of mounts that do not answer."""

    def found(*targets, required=False, is_production=False):
        entries = [
            f'"/{at}" = {{ proxy = "{each}", required = {str(required).lower()} }}' for at, each in enumerate(targets)
        ]
        composition = compose(load_config(write_config("[mounts]\n" + "\n".join(entries))))
        findings = silent_servers.find(look_at(composition, {}, is_production=is_production))
        return [(each.severity, each.mounts, each.message, each.consequence) for each in findings]

    return found


def test_a_server_that_answers_anything_is_there(find, serve_raw):
    server = serve_raw(OK)
    assert find(f"http://127.0.0.1:{server.port}") == []
    assert server.heads[0].startswith(b"HEAD /0/ HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("options", "severity", "consequence"),
    [
        pytest.param({}, "note", "Its requests get 502.", id="in development"),
        pytest.param({"required": True}, "note", "Its requests get 502.", id="required, in development"),
        pytest.param({"is_production": True}, "note", "Its requests get 502.", id="in production"),
        pytest.param(
            {"required": True, "is_production": True},
            "error",
            "The server does not start.",
            id="required in production",
        ),
    ],
)
def test_a_server_that_is_not_there_is_told(find, serve_raw, options, severity, consequence):
    there, gone = serve_raw(OK), serve_raw(OK)
    gone.close()
    message = f"http://127.0.0.1:{gone.port} takes no connections: Connection refused"
    targets = [f"http://127.0.0.1:{each.port}" for each in (there, gone)]
    assert find(*targets, **options) == [(severity, ("/1",), message, consequence)]
