"""`multiserve run` with ASGI applications: it reloads whatever is open, it debugs, and it ends quietly."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from html import unescape
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

MIXED = Path(__file__).parent / "mixed"
FAILING = """\
from flask import Flask

secret = 41
app = Flask(__name__)

@app.get("/fail")
def fail():
    answer = secret + 1
    raise ValueError(f"the answer is {answer}")
"""


@pytest.fixture
def site(write, hello, tmp_path):
    """Write the applications and the file."""
    shutil.copy(MIXED / "live.py", tmp_path)
    write("one.py", hello("one"))

    def site(mounts='"/" = "one"\n"/live" = "live"'):
        return write("multiserve.toml", f"[mounts]\n{mounts}\n")

    site()
    return site


def answers(server, path, text):
    server.until(lambda: server.get(path).text.startswith(text), f"{text} at {path}")


def websocket_of(server):
    return connect(f"ws://{server.address}/live/ws", proxy=None)


def _save(server, write, hello, text):
    begin = time.monotonic()
    write("one.py", hello(text))
    answers(server, "/", text)
    return time.monotonic() - begin


def test_a_save_restarts_it_at_once_whatever_is_open(run, site, write, hello):
    server = run().ready()
    took, alone = [], _save(server, write, hello, "alone")
    for text in ("first", "second", "third"):
        with server.connect() as stream, server.connect() as idle, websocket_of(server) as client:
            assert client.recv(20) == "accepted"
            stream.sendall(b"GET /live/endless HTTP/1.1\r\nHost: x\r\n\r\n")
            assert stream.recv(65536)
            idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(65536)
            took.append(_save(server, write, hello, text))
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(20)
            assert closed.value.rcvd.code == 1012
    assert min(took) < 2 * alone + 1, (took, alone)  # the machine may be busy
    said = re.findall(r"live: (up|down|disconnected with 1012|the stream ended)", server.log)
    assert said == ["up", "down", "up", *(["disconnected with 1012", "the stream ended", "down", "up"] * 3)]
    assert "Traceback" not in server.log


def test_requests_wait_for_the_restart_and_none_fails(run, site, write, hello):
    server = run().ready()
    statuses, done = [], threading.Event()

    def ask():
        while not done.is_set():
            statuses.append(server.get("/live/").status)

    clients = [threading.Thread(target=ask) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        for text in ("first", "second"):
            write("one.py", hello(text))
            answers(server, "/", text)
    finally:
        done.set()
        for client in clients:
            client.join(20)
    assert set(statuses) == {200}


def test_the_debugger_works_through_the_bridge(run, site, write):
    write("failing.py", FAILING)
    site('"/live" = "live"\n"/shop/flask" = "failing"')
    server = run("--no-reload", env={"WERKZEUG_DEBUG_PIN": "off"}).ready()
    page = server.get("/shop/flask/fail")
    assert page.status == 500
    assert "ValueError: the answer is 42" in page.text
    secret = re.search(r'SECRET = "(\w+)"', page.text)[1]
    frame = re.findall(r'id="frame-(\d+)"', page.text)[-1]
    query = f"__debugger__=yes&cmd=answer%2Bsecret&frm={frame}&s={secret}"
    console = server.get(f"/shop/flask/fail?{query}")
    assert (console.status, re.sub(r"<[^>]*>", "", unescape(console.text))) == (200, ">>> answer+secret\n83")
    assert server.get("/shop/flask/fail?__debugger__=yes&cmd=resource&f=style.css").status == 200
    assert server.get(f"/shop/flask/fail?{query}", Host="evil.test").status != 200
    assert server.get("/live/").status == 200


FAILING_ASGI = """\
from starlette.applications import Starlette
from starlette.routing import Route

secret = 41

async def fail(request):
    answer = 42
    await request.body()
    raise ValueError(f"the answer is {answer}")

app = Starlette(routes=[Route("/fail", fail, methods=["GET", "POST"])])
"""


def test_the_debugger_shows_an_exception_of_an_asgi_application_and_evaluates_in_its_frame(run, write):
    write("failing.py", FAILING_ASGI)
    write("multiserve.toml", '[mounts]\n"/api" = "failing"\n')
    server = run(env={"WERKZEUG_DEBUG_PIN": "off"}).ready()
    assert server.browser().request("POST", "/api/fail", b"body").status == 500
    page = server.get("/api/fail")
    assert page.status == 500
    assert "ValueError: the answer is 42" in page.text
    assert "asgi_debugger.py" not in page.text
    secret = re.search(r'SECRET = "(\w+)"', page.text)[1]
    frame = re.findall(r'id="frame-(\d+)"', page.text)[-1]
    query = f"__debugger__=yes&cmd=answer%2Bsecret&frm={frame}&s={secret}"
    console = server.get(f"/api/fail?{query}")
    assert (console.status, re.sub(r"<[^>]*>", "", unescape(console.text))) == (200, ">>> answer+secret\n83")
    assert server.get("/api/fail?__debugger__=yes&cmd=resource&f=style.css").status == 200
    assert server.get(f"/api/fail?{query}", Host="evil.test").status != 200
    server.get("/last")
    server.until_logged("GET /last")
    assert "__debugger__" not in server.log
    server.until_logged("The application at /api failed:\n", times=2)
    server.until_logged("\nValueError: the answer is 42\n", times=2)


def test_without_the_debugger_an_exception_of_an_asgi_application_is_a_plain_error(run, write):
    write("failing.py", FAILING_ASGI)
    write("multiserve.toml", '[mounts]\n"/api" = "failing"\n')
    server = run("--no-reload", "--no-debugger").ready()
    response = server.get("/api/fail?__debugger__=yes&cmd=resource&f=style.css")
    assert (response.status, response.text) == (500, "Internal Server Error")
    server.until_logged("/api: Error handling request GET /api/fail")


def test_a_start_up_that_fails_is_shown_and_comes_back(run, site, write, tmp_path):
    (tmp_path / "fail").touch()
    site('"/" = "one"\n"/live" = { app = "live", required = true }')
    server = run().ready()
    answers(server, "/live/", "Service Unavailable: the application at /live could not be started.\n\nno database\n")
    answers(server, "/", "one")
    assert "/live: the start-up failed: no database" in server.log
    assert re.search(r"^  /live  live +FAILED$", server.log, re.MULTILINE)
    (tmp_path / "fail").unlink()
    write("one.py", (tmp_path / "one.py").read_text())
    answers(server, "/live/", "('up'")


def test_a_required_start_up_that_fails_ends_a_server_that_does_not_reload(run, site, tmp_path):
    (tmp_path / "fail").touch()
    server = run("--no-reload", "--strict")
    assert server.wait() == 3
    assert server.log.endswith("Error: /live: no database\n")


@pytest.mark.parametrize("arguments", [(), ("--no-reload",)], ids=["reload", "no reload"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "Ctrl-C"])
def test_it_ends_quietly_and_the_applications_shut_down(run, site, name, arguments):
    server = run(*arguments).ready()
    with websocket_of(server) as client, server.connect() as stream:
        assert client.recv(20) == "accepted"
        stream.sendall(b"GET /live/endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stream.recv(65536)
        begin = time.monotonic()
        if name == "Ctrl-C":  # the terminal tells all processes
            os.killpg(server.pid, 2)
        else:
            server.signal(name)
        assert server.wait() == 0
        assert time.monotonic() - begin < 10
    server.until(lambda: not server.members(), "the end of all processes")
    assert "live: disconnected with 1012" in server.log
    assert server.log.count("live: down") == 1
    assert "Traceback" not in server.log
    assert "Aborted" not in server.log


def test_an_application_that_hangs_holds_up_no_restart(run, site, write):
    write(
        "stuck.py",
        "import time\nasync def app(scope, receive, send):\n    if scope['type'] == 'http':\n        time.sleep(60)\n",
    )
    site('"/" = "one"\n"/live" = "live"\n"/stuck" = "stuck"')
    server = run().ready()
    with server.connect() as connection:
        connection.sendall(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
        begin = time.monotonic()
        site()
        server.until_logged("Detected change in")
        answers(server, "/stuck", "one /stuck")
        assert time.monotonic() - begin < 10
