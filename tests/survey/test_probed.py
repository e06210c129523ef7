"""A probe asks the process of a group."""

from __future__ import annotations

import os
import signal

import pytest

from multiserve.survey.mounts import survey

pytestmark = pytest.mark.usefixtures("clean_process")

ASGI = """
import asyncio, os

open(__file__ + ".pid", "w").write(str(os.getpid()))


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        return
    if scope["path"].endswith("/breaks"):
        raise ValueError("broken")
    if scope["path"].endswith("/wrong"):
        await send({"type": "http.response.start", "status": "200", "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["method"].encode() + b" \\xff"})
"""
FINE = ASGI.replace('failed", "message": "no database"', 'complete"')
DJANGO = """
from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.configure(DEBUG=True, STATIC_URL="static/", INSTALLED_APPS=["django.contrib.staticfiles"])
app = get_wsgi_application()
"""


@pytest.fixture
def probed(grouped, tmp_path):
    """Give what a probe asks for the mount /a, whose group has an application of a text."""
    (tmp_path / "live.py").write_text(FINE)
    (tmp_path / "dead.py").write_text(ASGI)
    config = grouped({"/a": ("live", "blog"), "/dead": ("dead", "blog")})
    with survey(config, probe=True) as found:
        yield found.processes["blog"]


def test_responses_are_those_of_the_application(probed):
    received, violations = probed.visit("http://localhost/a/x")
    assert (received.status, bytes(received.body), received.error) == (200, b"GET \xff", None)
    assert received.header("content-type") == "text/plain"
    assert received.seconds > 0
    assert violations == ()
    assert probed.ask("HEAD", "http://localhost/a/x").status == 200
    assert probed.blocker == ""


def test_what_an_application_raises_arrives_with_its_place(probed, tmp_path):
    received, _ = probed.visit("http://localhost/a/breaks")
    assert received.status is None
    assert str(received.error) == f"ValueError: broken ({tmp_path / 'live.py'}:13, in app)"


def test_what_breaks_the_protocol_arrives(probed):
    _, violations = probed.visit("http://localhost/a/wrong")
    assert violations == ("the status is of the type str, not an int",)


def test_a_lifespan_that_does_not_start_says_why(probed):
    assert probed.failure_at("http://localhost/dead").endswith("no database")
    assert probed.failure_at("http://localhost/a") == ""
    assert probed.visit("http://localhost/dead/")[0].status == 503


def test_once_the_process_has_ended_each_request_says_so(probed, tmp_path):
    os.kill(int((tmp_path / "live.py.pid").read_text()), signal.SIGKILL)
    for _ in range(2):
        received, violations = probed.visit("http://localhost/a/x")
        assert str(received.error) == 'the process of the group "blog" was ended by SIGKILL'
        assert violations == ()
    assert probed.failure_at("http://localhost/a") == ""
    assert probed.ask("GET", "http://localhost/a").error
    assert not probed.is_static_file("/a", "/a/static/x.js")


def test_the_group_knows_which_files_the_development_server_serves_beside_django(grouped, tmp_path):
    (tmp_path / "pages.py").write_text(DJANGO)
    with survey(grouped({"/pages": ("pages", "blog"), "/shop": ("shop", "blog")}), probe=True) as found:
        probed = found.processes["blog"]
        assert probed.is_static_file("/pages", "/pages/static/x.js")
        assert not probed.is_static_file("/pages", "/pages/x.js")
        assert not probed.is_static_file("/shop", "/shop/static/x.js")
