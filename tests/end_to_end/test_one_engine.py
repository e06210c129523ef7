"""What applications and clients may count on, whichever of the two servers runs the engine."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sys
import time

import gunicorn
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

APPS = """\
import asyncio

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    if scope["type"] == "websocket":
        await websocket(scope, receive, send)
        return
    path = scope["path"].rpartition("/")[2]
    if path == "ticks":
        await ticks(receive, send)
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
    if path == "head":
        raise ValueError("no body")
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})
    await asyncio.sleep(0)
    raise ValueError("too late")

async def ticks(receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for number in range(6):
        leaving = asyncio.ensure_future(receive())  # as is_disconnected() does
        await asyncio.sleep(0.02)
        if not leaving.cancel():
            event = leaving.result()["type"]
            await send({"type": "http.response.body", "body": event.encode()})
            return
        await send({"type": "http.response.body", "body": b"tick %d\\n" % number, "more_body": True})
    await send({"type": "http.response.body"})

async def websocket(scope, receive, send):
    await receive()
    if scope["path"].endswith("/guarded"):
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"who are you?"})
        return
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass
"""
SITE = """\
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr((environ["wsgi.multiprocess"], "gunicorn.socket" in environ)).encode()]
"""
MOUNTS = '"/" = "site_app:app"\n"/live" = "apps:app"\n'


FILE = "[mounts]\n{mounts}[server]\n{server}\n[gunicorn]\n{gunicorn}\n"


@pytest.fixture
def site(write):
    """Write the applications and the file."""

    def site(mounts=MOUNTS, server="", gunicorn="workers = 1"):
        write("apps.py", APPS)
        write("site_app.py", SITE)
        return write("multiserve.toml", FILE.format(mounts=mounts, server=server, gunicorn=gunicorn))

    return site


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(way, marks=pytest.mark.xdist_group("one engine"), id=name)
        for name, way in {"production": "--production", "development": "--no-reload"}.items()
    ],
)
def server(request, start_for_module, tmp_path_factory):
    """Start a server that its tests only ask."""
    folder = tmp_path_factory.mktemp("engine")
    (folder / "apps.py").write_text(APPS, "utf-8")
    (folder / "site_app.py").write_text(SITE, "utf-8")
    gunicorn = 'workers = 1\naccesslog = "-"'
    file = FILE.format(mounts=MOUNTS, server="max_websockets = 2", gunicorn=gunicorn)
    (folder / "multiserve.toml").write_text(file, "utf-8")
    return start_for_module("run", "--port", "0", request.param, cwd=folder).ready()


def test_an_event_stream_goes_on_until_its_client_leaves(server):
    assert server.get("/live/ticks").text == "".join(f"tick {number}\n" for number in range(6))


def test_an_exception_is_logged_with_the_mount_wherever_the_response_is(server):
    assert server.get("/live/head").status == 500
    data = server.raw(b"GET /live/late HTTP/1.1\r\nHost: x\r\n\r\n")
    assert data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert data.endswith(b"\r\n\r\n12345")
    for path, error in (("head", "no body"), ("late", "too late")):
        server.until_logged(f"/live: Error handling request GET /live/{path}\n")
        server.until_logged(f"ValueError: {error}\n")


def test_a_websocket_is_denied_with_the_applications_own_status(server):
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://{server.address}/live/guarded", proxy=None):
        pass
    assert (refused.value.response.status_code, refused.value.response.body) == (401, b"who are you?")
    line = r'"GET /live/guarded HTTP/1.1" 401 |401 +\d+ ms  WEBSOCKET /live/guarded  '  # production, development
    server.until(lambda: re.search(line, server.log), "the line of the refusal")


def test_websockets_are_bounded_and_in_the_access_log(server):
    address = f"ws://{server.address}/live/ws"
    with connect(address, proxy=None), connect(address, proxy=None):
        with pytest.raises(InvalidStatus) as refused, connect(address, proxy=None):
            pass
        assert refused.value.response.status_code == 503
        assert server.get("/").status == 200
    line = r'"GET /live/ws HTTP/1.1" 101 .*"/live"\n|101 .*WEBSOCKET /live/ws  \(/live\)\n'  # production, development
    server.until(lambda: len(re.findall(line, server.log)) == 2, "two lines")
    with connect(address, proxy=None):
        pass


@pytest.mark.parametrize(("workers", "expected"), [(1, "False"), (2, "True")])
def test_wsgi_multiprocess_is_what_is_the_case(run, site, workers, expected):
    site(gunicorn=f"workers = {workers}")
    assert run("--production").ready().get("/").text == f"({expected}, False)"


newest = pytest.mark.skipif(gunicorn.version_info < (27,), reason="older releases of gunicorn do not have it")

CLASSES = [
    pytest.param("gthread", '"/" = "site_app:app"\n', "True)", id="gthread, with gunicorn.socket"),
    pytest.param("asgi", MOUNTS, "False)", id="asgi", marks=newest),
    pytest.param("uvicorn_worker.UvicornWorker", MOUNTS, "False)", id="uvicorn's"),
]


@pytest.mark.parametrize(("worker_class", "mounts", "end"), CLASSES)
def test_another_worker_class_serves_the_same_file(run, site, worker_class, mounts, end):
    site(mounts, gunicorn=f'workers = 1\nworker_class = "{worker_class}"')
    server = run("--production").ready()
    assert server.get("/").text.endswith(end)
    if mounts == MOUNTS:
        assert server.get("/live/ticks").text.startswith("tick 0\n")


def test_a_reload_that_brings_asgi_to_a_worker_for_wsgi_is_refused(run, site):
    path = site('"/" = "site_app:app"\n', gunicorn='workers = 1\nworker_class = "gthread"')
    server = run("--production").ready()
    site(gunicorn='workers = 1\nworker_class = "gthread"')
    server.signal("SIGHUP")
    server.until_logged(
        f"The workers stay as they were:\n{path}:\n"
        "gunicorn.worker_class: this worker cannot serve the ASGI applications among the mounts\n"
    )
    assert server.get("/").status == 200


REFUSED = [
    pytest.param('http_protocols = ["h2", "h1"]', "http_protocols", id="HTTP/2", marks=newest),
    pytest.param('proxy_protocol = "v2"', "proxy_protocol", id="PROXY protocol", marks=newest),
]


@pytest.mark.parametrize(("setting", "name"), REFUSED)
def test_a_setting_that_the_worker_does_not_have_is_refused_with_the_class_to_name(run, site, setting, name):
    path = site(gunicorn=setting)
    server = run("--production")
    assert server.wait() == 1
    assert server.log.endswith(
        f"Error: {path}:\ngunicorn.{name}: multiserve's own worker does not have this\n"
        '    Write worker_class = "asgi": a worker of gunicorn itself.\n'
    )


def test_workers_whose_master_is_killed_free_the_port(run, site):
    site(gunicorn="workers = 2\ngraceful_timeout = 60")
    server = run("--production").ready()
    host, _, port = server.address.partition(":")
    with server.connect() as stream:
        stream.sendall(b"GET /live/ticks HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stream.recv(100)
        os.kill(server.pid, signal.SIGKILL)
        begin = time.monotonic()
        server.until(lambda: not is_taken(host, int(port)), "a free port")
    assert time.monotonic() - begin < 30  # not as long as requests may take


def is_taken(host, port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return True
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_where_descriptors_are_few_newcomers_are_served_and_the_log_stays_short(start, site, tmp_path):
    site(gunicorn="workers = 1")
    command = ("bash", "-c", f'ulimit -n 170; exec "{sys.executable}" -m multiserve "$@"', "bash")
    server = start("run", "--production", "--port", "0", cwd=tmp_path, command=command).ready()
    assert server.log.count("The system allows 170 file descriptors, but 1000 connections and 1000 WebSockets") == 1
    with contextlib.ExitStack() as opened:
        for _ in range(150):
            opened.enter_context(server.connect())
        for _ in range(20):
            assert server.get("/").status == 200
    assert len(server.log) < 5000
