"""What is probed in this process: with a validator around each application, and without one."""

from __future__ import annotations

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.probing.processes import ThisProcess

pytestmark = pytest.mark.usefixtures("clean_process")

APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["text"] if environ["PATH_INFO"] == "/wrong" else [b"bytes"]


async def live(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""


@pytest.fixture
def here(write_config, tmp_path):
    (tmp_path / "probed_here.py").write_text(APP)

    def here(*names):
        mounts = "".join(f'"/{name}" = "probed_here:{name}"\n' for name in names)
        return ThisProcess(compose(load_config(write_config(f"[mounts]\n{mounts}"))))

    return here


def test_a_visit_returns_what_the_validator_objects_to(here):
    with here("app") as process:
        received, violations = process.visit("http://localhost/app/wrong")
        assert str(received.error) == "a response consists of bytes, not of str"
        assert len(violations) == 1
        received, violations = process.visit("http://localhost/app/x")
        assert (received.status, bytes(received.body), violations) == (200, b"bytes", ())


def test_any_other_request_is_not_validated(here):
    with here("app") as process:
        process.ask("GET", "http://localhost/app/wrong")
        assert process.visit("http://localhost/app/x")[1] == ()


def test_a_lifespan_that_does_not_start_says_why(here):
    with here("app", "live") as process:
        assert process.failure_at("http://localhost/live").endswith("no database")
        assert process.failure_at("http://localhost/app") == ""
        assert process.failure_at("http://localhost/nowhere") == ""
        assert process.blocker == ""
