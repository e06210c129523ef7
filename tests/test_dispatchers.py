"""Loaded mounts become one dispatcher: lifespans, what is required, timeouts and threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config, select
from multiserve.dispatchers import put_in_maintenance
from multiserve.probing.exchange import build_scope
from multiserve.testing.calls import RunningASGI, call_wsgi
from multiserve.testing.client import Client

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


SPLIT = """
[mounts]
"/" = "split:app"
"/live" = "split:app"
"/live/old" = "split:app"
"/asgi" = { app = "split:make()", interface = "asgi" }
"/u/{user}" = "split:make()"
"api.example.com" = "split:app"
"""
APPS = """
def app(environ, start_response):
    start_response("200 OK", [])
    return []
def make():
    async def asgi(scope, receive, send): ...
    return asgi
"""
ELSEWHERE = [
    pytest.param("http://x/", 200, id="here"),
    pytest.param("http://x/liver", 200, id="a longer name"),
    pytest.param("http://x/live", 421, id="a mount of another process"),
    pytest.param("http://x/live/old/1", 200, id="a mount below it"),
    pytest.param("http://x/u/ann/1", 421, id="a tenant"),
    pytest.param("http://api.example.com/", 421, id="a host"),
    pytest.param("http://api.example.com/live", 421, id="no path of another host"),
]
HERE = ["/", "/live/old"]


@pytest.mark.parametrize("here", [HERE, [*HERE, "/asgi"]], ids=["wsgi", "asgi"])
@pytest.mark.parametrize(("url", "status"), ELSEWHERE)
def test_what_another_process_serves_is_answered_by_no_mount_here(
    write_config: Callable[[str], Path], here: list[str], url: str, status: int
) -> None:
    path = write_config(SPLIT)
    path.with_name("split.py").write_text(APPS)
    with Client(select(load_config(path), here)) as client:
        response = client.get(url)
    assert response.status == status
    if status == 421:
        assert response.text.startswith("Misdirected Request: ")


def test_development_says_which_mount_is_left_out(write: Callable[[str], Path]) -> None:
    composition = compose(select(load_config(write(MIXED)), ["/"]), development=True)
    response = call_wsgi(composition.application, build_scope("GET", "http://x/live/1", "*/*"), b"")
    assert response.status == 404
    assert (
        response.text
        == """\
Not Found: --only leaves out the mount /live.

Asked for: http://x/live/1

The mounts are:
    /      assembled:app   ok
    /live  assembled:asgi  left out
"""
    )


AROUND = """
[server]
middleware = ["split:around"]
"""


@pytest.mark.parametrize(("path", "status"), [("/live", 421), ("/live/old", 404), ("/", 404)])
def test_a_websocket_of_another_process_is_misdirected_behind_middleware_as_well(
    write_config: Callable[[str], Path], path: str, status: int
) -> None:
    file = write_config(SPLIT + AROUND)
    file.with_name("split.py").write_text(f"{APPS}def around(app): return app\n")
    composition = compose(select(load_config(file), HERE), interface="asgi")
    scope = {**build_scope("GET", f"http://x{path}", ""), "type": "websocket"}
    scope["extensions"] = {"websocket.http.response": {}}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(composition.application(scope, receive, send))
    assert sent[0]["status"] == status


MAINTAINED = """
[mounts]
"/" = "assembled:answer"
"/shop" = "assembled:answer"
"/u/{user}" = "assembled:make"
"/files" = { static = "files" }
"""
ANSWER = """
def answer(environ, start_response):
    start_response("200 OK", [])
    return [environ["multiserve.mount"].encode()]
def make(user):
    return answer
def around(application):
    return application
async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi"})
"""
COMPOSED = [
    pytest.param("", None, id="WSGI"),
    pytest.param("", "asgi", id="a bridge for each"),
    pytest.param('[server]\nmiddleware = ["assembled:around"]', "asgi", id="a bridge for all"),
    pytest.param('"/live" = { app = "assembled:asgi", interface = "asgi" }', None, id="ASGI"),
]


@pytest.mark.parametrize(("more", "interface"), COMPOSED)
def test_mounts_in_maintenance_answer_503_and_all_others_as_before(
    write_config: Callable[[str], Path], more: str, interface: Any
) -> None:
    path = write_config(MAINTAINED + more)
    path.with_name("assembled.py").write_text(ANSWER)
    path.with_name("files").mkdir()
    (path.with_name("files") / "a").touch()
    composition = compose(load_config(path), interface=interface)
    running = RunningASGI(composition.application) if composition.interface == "asgi" else None

    def ask(path: str, accept: str = "*/*") -> tuple[int, str]:
        scope = build_scope("GET", f"http://localhost{path}", accept)
        answer = running.call(scope, b"") if running else call_wsgi(composition.application, scope, b"")
        return answer.status, answer.text

    def statuses() -> list[int]:
        return [ask(path)[0] for path in ("/", "/shop/x", "/u/ann", "/files/a")]

    try:
        assert statuses() == [200, 200, 200, 200]
        put_in_maintenance(composition.application, {"/shop": "", "/u/{user}": "<p>Soon", "/files": "", "/no": ""})
        assert statuses() == [200, 503, 503, 503]
        assert ask("/shop") == (503, "Service Unavailable: /shop is in maintenance.\n")
        assert ask("/u/ann", "text/html") == (503, "<p>Soon")
        put_in_maintenance(composition.application, {"/": ""})
        assert statuses() == [503, 200, 200, 200]
    finally:
        if running:
            running.stop()
