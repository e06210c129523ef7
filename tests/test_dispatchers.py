"""Loaded mounts become one dispatcher: lifespans, what is required, timeouts and threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config

pytestmark = pytest.mark.usefixtures("clean_process")

APP = """
def app(environ, start_response): ...
async def asgi(scope, receive, send): ...
def create_asgi():
    return lambda scope, receive, send: asgi(scope, receive, send)
"""
HOOKS = """
def start(): ...
"""


@pytest.fixture
def write(write_config: Callable[[str], Path]) -> Callable[[str], Path]:
    """Write a configuration beside a module of applications."""

    def write_both(text: str) -> Path:
        path = write_config(text)
        path.with_name("assembled.py").write_text(APP + HOOKS)
        return path

    return write_both


MIXED = """
[mounts]
"/" = "assembled:app"
"/live" = "assembled:asgi"
"""


TWICE = """
[mounts]
"/a" = "assembled:asgi"
"/b" = { app = "assembled:asgi", required = true }
"/c" = { app = "assembled:asgi", required = true }
"/d" = { app = "assembled:create_asgi()", interface = "asgi" }
"/e" = "assembled:create_asgi()"
"/f" = { app = "assembled:app", required = true }
"""


def test_an_application_has_one_lifespan_however_often_it_is_mounted(write: Callable[[str], Path]) -> None:
    lifespans = compose(load_config(write(TWICE))).application.lifespans
    assert [each.mounts for each in lifespans.lifespans] == [["/a", "/b", "/c"], ["/d"], ["/e"]]
    assert [each.name for each in lifespans.required] == ["/a, /b, /c"]


@pytest.mark.parametrize(("server", "required"), [("", []), ("[server]\nstrict = true", ["/live"])])
def test_strict_requires_every_lifespan(write: Callable[[str], Path], server: str, required: list[str]) -> None:
    text = MIXED + server
    lifespans = compose(load_config(write(text))).application.lifespans
    assert [each.name for each in lifespans.required] == required


def test_the_timeouts_and_threads_of_the_file_count(write: Callable[[str], Path]) -> None:
    text = MIXED.replace('"assembled:app"', '{ app = "assembled:app", threads = 7 }')
    server = "[server]\nstartup_timeout = 20\nshutdown_timeout = 3"
    application = compose(load_config(write(text + server))).application
    assert (application.startup_timeout, application.lifespans.shutdown_timeout) == (20, 3)
    assert application.router.find("/").mount.http.submit.__self__.size == 7


HOOKED = """
[mounts]
"/" = { app = "assembled:app", startup = "assembled:start" }
"/again" = { app = "assembled:app", startup = "assembled:start", required = true }
"""
AROUND = '[server]\nmiddleware = ["werkzeug.middleware.proxy_fix:ProxyFix"]\n'


@pytest.mark.parametrize("server", ["", AROUND], ids=["each mount", "middleware around all"])
def test_functions_that_run_at_the_start_are_lifespans_of_their_mounts(
    write: Callable[[str], Path], server: str
) -> None:
    lifespans = compose(load_config(write(HOOKED + server)), interface="asgi").application.lifespans
    assert [each.mounts for each in lifespans.lifespans] == [["/"], ["/again"]]
    assert [each.name for each in lifespans.required] == ["/again"]
