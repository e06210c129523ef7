"""`multiserve run --production` with ASGI applications: how it stops, reloads, and what may not take it down."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

MIXED = Path(__file__).parent / "mixed"
MOUNTS = '"/" = "one"\n"/live" = "live"'

AT_ONCE = 20  # seconds on a busy machine, where graceful_timeout would be 30


@pytest.fixture
def produce(run):
    return lambda *arguments, **options: run("--production", *arguments, **options)


@pytest.fixture
def site(write, hello, tmp_path):
    """Write the applications, and a file with the given settings, mounts and options of the server."""
    shutil.copy(MIXED / "live.py", tmp_path)
    write("one.py", hello("one"))
    write("broken.py", "1 / 0\n")

    def site(settings="", mounts=MOUNTS, server=""):
        workers = "" if "workers" in settings else "workers = 1\n"
        return write("multiserve.toml", f"[mounts]\n{mounts}\n[server]\n{server}\n[gunicorn]\n{workers}{settings}\n")

    site()
    return site


def answers(server, path, text):
    server.until(lambda: server.get(path).text.startswith(text), f"{text} at {path}")


def send(server, request):
    connection = server.connect()
    connection.sendall(request)
    return connection


def head(path, *headers):
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: x", *headers, "", "")).encode()


def stop(server, name="SIGTERM"):
    """Stop a server, and give the seconds that it took."""
    begin = time.monotonic()
    server.signal(name)
    assert server.wait() == 0
    seconds = time.monotonic() - begin
    assert server.members() == set()
    assert "Traceback" not in server.log
    return seconds


@pytest.fixture
def websocket():
    """Open a WebSocket; it is closed after the test."""
    with contextlib.ExitStack() as opened:

        def websocket(server, path="/live/ws"):
            client = opened.enter_context(connect(f"ws://{server.address}{path}", proxy=None))
            assert client.recv(20) == "accepted"
            return client

        yield websocket


def closing_code(websocket):
    try:
        while True:
            websocket.recv(20)
    except ConnectionClosed as closed:
        return closed.rcvd.code


def test_sigterm_closes_a_websocket_and_both_ends_are_told(produce, site, websocket):
    server = produce().ready()
    client = websocket(server)
    assert stop(server) < AT_ONCE
    assert closing_code(client) == 1012
    assert server.log.index("live: disconnected with 1012") < server.log.index("live: down")


def test_sigterm_ends_an_application_that_only_sends(produce, site, websocket):
    server = produce().ready()
    client = websocket(server, "/live/sends")
    assert stop(server) < AT_ONCE
    assert closing_code(client) == 1012
    assert server.log.index("live: sends no more") < server.log.index("live: down")


OPEN = [
    pytest.param(head("/live/"), b"'up'", id="kept alive"),
    pytest.param(head("/"), b"one /", id="kept alive, WSGI"),
    pytest.param(b"", b"", id="nothing sent"),
    pytest.param(b"GET / HT", b"", id="half a head sent"),
]


@pytest.mark.parametrize(("request_", "answer"), OPEN)
def test_sigterm_waits_for_no_connection_that_does_nothing(produce, site, request_, answer):
    site("keepalive = 60")
    server = produce().ready()
    with send(server, request_) as connection:
        if answer:
            assert answer in connection.recv(65536)
        assert stop(server) < AT_ONCE
    assert "live: down" in server.log


@pytest.mark.parametrize("path", ["/live/wait", "/live/background"])
def test_sigterm_lets_a_request_end_and_what_runs_after_its_response(produce, site, tmp_path, path):
    server = produce().ready()
    with send(server, head(path)) as connection:
        server.until_logged("live: waiting" if path == "/live/wait" else "live: in the background")
        server.signal("SIGTERM")
        server.until_logged("Handling signal: term")
        time.sleep(1.2)  # longer than connections without a request are kept
        (tmp_path / "go").touch()
        assert server.wait() == 0
        assert b"'up'" in connection.recv(65536)
    if path == "/live/background":
        assert server.log.index("live: the background ended") < server.log.index("live: down")


BUSY = [
    pytest.param(head("/live/endless"), "live: the stream ended", id="an endless response"),
    pytest.param(head("/live/read", "Content-Length: 9") + b"half", "live: down", id="half a body sent"),
    pytest.param(head("/live/background"), "live: down", id="a task that does not end"),
]


@pytest.mark.parametrize(("request_", "logged"), BUSY)
def test_sigterm_drops_what_does_not_end_and_still_runs_the_shut_down(produce, site, request_, logged):
    site("graceful_timeout = 3")
    server = produce().ready()
    with send(server, request_) as connection:
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            connection.recv(100)
        assert stop(server) > 1  # what does not end has its time
    assert logged in server.log
    assert "live: down" in server.log
    assert "was sent SIGKILL" not in server.log


@pytest.mark.parametrize("name", ["SIGINT", "SIGQUIT"])
def test_a_quick_stop_drops_everything_and_still_runs_the_shut_down(produce, site, websocket, name):
    server = produce().ready()
    websocket(server)
    with send(server, head("/live/endless")) as stream, send(server, head("/live/wait")):
        assert stream.recv(100)
        server.until_logged("live: waiting")
        assert stop(server, name) < AT_ONCE
    assert "live: down" in server.log


def test_sigterm_waits_for_no_start_up(produce, site, tmp_path):
    (tmp_path / "slow").touch()
    server = produce().ready()
    assert stop(server) < AT_ONCE


def test_sighup_takes_new_code_and_closes_websockets(produce, site, write, hello, websocket):
    server = produce().ready()
    client = websocket(server)
    write("one.py", hello("edited"))
    server.signal("SIGHUP")
    assert closing_code(client) == 1012
    answers(server, "/", "edited")
    server.until_logged("live: down")
    websocket(server)


def test_sighup_with_nothing_better_keeps_serving(produce, site, websocket):
    server = produce().ready()
    client = websocket(server)
    site(mounts='"/" = "broken"')
    server.signal("SIGHUP")
    server.until_logged("The workers stay as they were:\n")
    client.send("still here")
    assert client.recv(20) == "still here"


def test_sighup_takes_asgi_where_all_was_wsgi_and_back(produce, site, websocket):
    site(mounts='"/" = "one"')
    server = produce().ready()
    site()
    server.signal("SIGHUP")
    answers(server, "/live/", "('up'")
    assert websocket(server).ping().wait(20)
    site(mounts='"/" = "one"')
    server.signal("SIGHUP")
    answers(server, "/live/", "one /live/")
    assert server.get("/").status == 200


def test_max_requests_replaces_workers_without_a_flood(produce, site):
    site("workers = 2\nmax_requests = 100\nkeepalive = 60")
    server = produce().ready()
    with ThreadPoolExecutor(8) as clients:
        statuses = list(clients.map(lambda _: server.get("/live/").status, range(1000)))
    assert statuses == [200] * 1000
    server.until_logged("has served its max_requests and is being replaced", 2)
    assert server.log.count("max_requests") <= 10
    server.until_logged("Worker exiting", 2)
    assert "Traceback" not in server.log


def test_a_start_up_that_fails_breaks_its_mount_alone(produce, site, tmp_path):
    (tmp_path / "fail").touch()
    server = produce().ready()
    response = server.get("/live/x")
    assert (response.status, response.text) == (
        503,
        "Service Unavailable: the application at /live could not be started.\n",
    )
    answers(server, "/", "one")
    assert "[ERROR] /live: the start-up failed: no database" in server.log


REQUIRED = [
    pytest.param('"/" = "one"\n"/live" = { app = "live", required = true }', (), id="required"),
    pytest.param(MOUNTS, ("--strict",), id="strict"),
]


@pytest.mark.parametrize(("mounts", "arguments"), REQUIRED)
@pytest.mark.parametrize("settings", ["workers = 1", "workers = 3", 'worker_class = "uvicorn_worker.UvicornWorker"'])
def test_a_required_start_up_that_fails_stops_the_server(produce, site, tmp_path, mounts, arguments, settings):
    (tmp_path / "fail").touch()
    site(settings, mounts)
    server = produce(*arguments)
    assert server.wait() == 3
    assert "/live: no database" in server.log
    assert "Traceback" not in server.log
    assert server.members() == set()


@pytest.mark.parametrize("mounts", [MOUNTS, REQUIRED[0].values[0]], ids=["not required", "required"])
def test_a_worker_whose_start_up_fails_takes_no_place_beside_one_that_works(produce, site, tmp_path, mounts):
    site("workers = 2", mounts)
    server = produce().ready()
    server.signal("SIGHUP")
    server.until_logged("The new workers have taken over.")  # and so the master knows what they serve
    server.until(lambda: len(server.members()) == 3, "the end of the old workers")
    (tmp_path / "fail").touch()
    killed, survivor = server.members() - {server.pid}
    os.kill(killed, signal.SIGKILL)
    server.until_logged("could not serve what the others do. Another one starts in 1 s.\n/live: no database")
    assert {server.get("/live/").status for _ in range(20)} == {200}
    os.kill(survivor, signal.SIGKILL)
    answers(server, "/live/", "Service Unavailable: the application at /live could not be started.\n")
    answers(server, "/", "one")


@pytest.mark.parametrize("mounts", [MOUNTS, REQUIRED[0].values[0]], ids=["not required", "required"])
def test_sighup_with_a_start_up_that_worked_and_fails_now_is_refused(produce, site, tmp_path, mounts):
    site("workers = 1", mounts)
    server = produce().ready()
    server.until_logged("live: up")
    (tmp_path / "fail").touch()
    server.signal("SIGHUP")
    server.until_logged("The workers stay as they were:\n/live: no database")
    answers(server, "/live/", "('up'")
    assert "live: down" not in server.log


def test_on_a_unix_socket_the_host_header_stands_in_for_the_server(produce, site, tmp_path, write):
    write("echo.py", ECHO_SERVER)
    site("workers = 1", f'{MOUNTS}\n"/echo" = "echo"')
    server = produce("--bind", "unix:here.sock", port=False)
    server.until_logged("Listening at: unix:")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "here.sock"))
        client.sendall(b"GET /echo HTTP/1.1\r\nHost: example.com:81\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.endswith(b"example.com 81")


ECHO_SERVER = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "14")])
    return [f"{environ['SERVER_NAME']} {environ['SERVER_PORT']}".encode()]
"""


def test_no_mount_waits_for_the_start_up_of_another(produce, site, tmp_path):
    (tmp_path / "slow").touch()
    server = produce().ready()
    answers(server, "/", "one")
    with ThreadPoolExecutor(1) as clients:
        slow = clients.submit(server.get, "/live/")
        answers(server, "/", "one")
        assert not slow.done()
        (tmp_path / "go").touch()
        assert slow.result(20).text.startswith("('up'")


def test_requests_wait_no_longer_than_startup_timeout(produce, site, tmp_path):
    (tmp_path / "slow").touch()
    site(server="startup_timeout = 1")
    response = produce().ready().get("/live/")
    assert response.status == 503
    assert response.headers["Retry-After"] == "10"
    assert response.text == "Service Unavailable: the application at /live is still starting.\n"


@pytest.mark.parametrize(
    ("setting", "module"),
    [
        pytest.param("", "uvloop", id="uvloop is installed"),
        pytest.param('asgi_loop = "asyncio"', "asyncio.unix_events", id="asyncio is asked for"),
    ],
)
def test_the_event_loop_and_the_switch_interval(produce, site, setting, module):
    site(setting)
    assert produce().ready().get("/live/").text == f"('up', {module!r}, 0.001)"


def test_the_access_log_names_the_mount(produce, site):
    site('accesslog = "-"')
    server = produce().ready()
    for path in ("/one", "/live/two"):
        assert server.get(path).status == 200
    for path, mount in (("/one", "/"), ("/live/two", "/live")):
        line = re.compile(rf'"GET {path} HTTP/1.1" 200 \d+ "-" "-" "{mount}"$', re.MULTILINE)
        server.until(lambda line=line: line.search(server.log), f"a line for {path}")


def test_a_worker_class_for_wsgi_alone_is_refused(produce, site):
    path = site('worker_class = "gthread"')
    server = produce()
    assert server.wait() == 1
    assert server.log == (
        f"Error: {path}:\n"
        "gunicorn.worker_class: this worker cannot serve the ASGI applications among the mounts\n"
        "    Leave worker_class out, or name one for ASGI, such as uvicorn_worker.UvicornWorker.\n"
    )


def test_preloaded_applications_have_a_lifespan_in_each_worker(produce, site):
    site("preload_app = true\nworkers = 2")
    server = produce().ready()
    answers(server, "/live/", "('up'")
    server.until_logged("live: up", 2)
    assert stop(server) < AT_ONCE
    assert server.log.count("live: down") == 2


def test_a_unix_socket_is_served(produce, site, tmp_path):
    server = produce("--bind", "unix:run.sock", port=False)

    def ask():
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(tmp_path / "run.sock"))
            connection.sendall(head("/live/", "Connection: close") if ask.live else head("/x", "Connection: close"))
            return b"".join(iter(lambda: connection.recv(65536), b""))

    ask.live = True
    assert b"('up'" in server.until(ask, "an answer")
    ask.live = False
    assert b"one /x" in ask()
    server.signal("SIGTERM")
    assert server.wait() == 0


def test_a_master_that_is_gone_ends_the_worker(produce, site):
    server = produce().ready()
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait(20)
    server.until(lambda: not server.members(), "the end of the worker")
    assert "live: down" in server.log
    assert server.log.count("The master has gone.") == 1
