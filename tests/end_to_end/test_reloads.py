"""Reloads, crashes and stops under load: what is served, what is refused, and that no request is lost."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

TAKEN = "The new workers have taken over."
REFUSED = "The workers stay as they were:\n"

WSGI = """
import os, pathlib, time

folder = pathlib.Path(__file__).parent

def application(environ, start_response):
    if environ["PATH_INFO"] == "/wait":
        (folder / "waiting").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
    body = b"@version@"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""

ASGI = """
import asyncio, pathlib

folder = pathlib.Path(__file__).parent

async def application(scope, receive, send):
    await {"lifespan": lifespan, "websocket": websocket, "http": http}[scope["type"]](scope, receive, send)

async def lifespan(scope, receive, send):
    await receive()
    if (folder / "fail").exists():
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})

async def websocket(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": "@version@"})

async def http(scope, receive, send):
    path = scope["path"]
    if path == "/wait":
        (folder / "waiting").touch()
        while not (folder / "go").exists():
            await asyncio.sleep(0.01)
    body = b"@version@"
    if path == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(0.02)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""

HOOKS = """
import os, pathlib

folder = pathlib.Path(__file__).parent

def joins(worker):
    if (folder / "none").exists():
        raise RuntimeError("no worker may join")
    if (folder / "one").exists():
        try:
            os.close(os.open(folder / "joined", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            raise RuntimeError("one worker has joined already")
"""

TOML = """\
[mounts]
"/" = "first"
"/second" = "second"
[gunicorn]
workers = 2
graceful_timeout = 3
post_worker_init = "hooks.joins"
pidfile = "pid"
"""


class Service:
    """A server in a folder, and what is done to it."""

    def __init__(self, folder, start, source, toml=TOML):
        self.folder = folder
        self.source = source
        self.version = 0
        self.ticks = itertools.count(1)
        self.write("multiserve.toml", toml)
        self.write("hooks.py", HOOKS)
        self.write_good()
        self.server = start("run", "--production", "--port", "0", cwd=folder).ready()
        self.mark = 0
        self.until("two workers", lambda: len(self.workers()) == 2)

    def write(self, name, text):
        """Write a file with a time that no file before it had: else Python takes what it has compiled."""
        path = self.folder / name
        path.write_text(text)
        os.utime(path, (path.stat().st_mtime + next(self.ticks),) * 2)

    def write_good(self):
        self.version += 1
        self.write("first.py", self.source.replace("@version@", f"first {self.version}"))
        self.write("second.py", WSGI.replace("@version@", f"second {self.version}"))

    def restore(self):
        """Undo every fault on disk."""
        self.write("multiserve.toml", TOML)
        for name in ("fail", "none", "one", "joined", "waiting", "go"):
            (self.folder / name).unlink(missing_ok=True)
        self.write("first.py", self.source.replace("@version@", f"first {self.version}"))
        self.write("second.py", WSGI.replace("@version@", f"second {self.version}"))

    def load(self):
        self.mark = len(self.server.log)
        return self.server.load(["/", "/second"])

    @property
    def log(self):
        """What has been logged since the load began."""
        return self.server.log[self.mark :]

    def until(self, what, condition):
        self.server.until(condition, what)

    def until_logged(self, text, times=1):
        self.until(f"{text!r} in the log", lambda: self.log.count(text) >= times)

    def hup(self, outcome, times=1):
        self.server.signal("SIGHUP")
        self.until_logged(outcome, times)

    def workers(self):
        return self.server.members() - {self.server.pid}

    def settle(self):
        self.until("two workers", lambda: len(self.workers()) == 2)


PATIENT = TOML.replace("graceful_timeout = 3", "graceful_timeout = 60")  # longer than a busy machine takes for reloads
SOURCES = {"threads": WSGI, "asgi": ASGI}


# The parameter is there for its mark: one process starts the server.
@pytest.fixture(scope="module", params=[pytest.param("both", marks=pytest.mark.xdist_group("reloads"))])
def service(start_for_module, tmp_path_factory):
    """Serve an ASGI application in the event loop, and a WSGI application in threads, by the same workers."""
    return Service(tmp_path_factory.mktemp("both"), start_for_module, ASGI)


def versions(load):
    return {int(body.split()[1]) for body in load.answers}


def until_served(service, load, more=300):
    """Wait for so many more answers."""
    enough = load.count + more
    service.until(f"{more} answers", lambda: load.count >= enough)


def break_with(name, text):
    return lambda service: service.write(name, text)


def touch(name):
    return lambda service: (service.folder / name).touch()


FAULTS = [
    pytest.param(break_with("multiserve.toml", "[mounts\n"), "multiserve.toml:1:8: not TOML", id="TOML syntax"),
    pytest.param(
        break_with("multiserve.toml", TOML + "worker = 2\n"),
        "gunicorn.worker: gunicorn has no such setting",
        id="setting",
    ),
    pytest.param(break_with("second.py", "import nope\n"), "No module named 'nope'", id="ImportError"),
    pytest.param(break_with("second.py", "def (:\n"), "SyntaxError", id="SyntaxError"),
    pytest.param(break_with("second.py", "raise SystemExit(0)\n"), "SystemExit", id="SystemExit"),
    pytest.param(break_with("first.py", "import os\nos._exit(7)\n"), "ended before it could serve", id="os._exit"),
    pytest.param(break_with("first.py", "import os\nos._exit(0)\n"), "ended before it could serve", id="os._exit(0)"),
    pytest.param(touch("none"), "ended before it could serve", id="a worker raises"),
    pytest.param(touch("one"), "ended before it could serve", id="one of the workers raises"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_what_is_wrong_is_refused_and_nobody_notices(service, figures, fault, reason):
    before = service.workers()
    with service.load() as load:
        until_served(service, load, 100)
        service.write_good()
        fault(service)
        service.hup(REFUSED)
        until_served(service, load)
    figures(load)
    assert reason in service.log.partition(REFUSED)[2]
    assert versions(load) == {service.version - 1}
    service.settle()
    assert service.workers() == before
    service.version -= 1
    service.restore()


LATE = """
from multiserve.dispatch import lifespan as patience

patience._ACKNOWLEDGE = 0.1
at_once = lifespan

async def lifespan(scope, receive, send):
    event = await receive()
    await asyncio.sleep(1.0)

    async def receive_again():
        return event

    await at_once(scope, receive_again, send)
"""


@pytest.mark.parametrize("addition", ["", LATE], ids=["at once", "late"])
def test_a_lifespan_that_worked_and_fails_now_is_refused(service, figures, addition):
    (service.folder / "fail").touch()
    service.write("first.py", service.source.replace("@version@", f"first {service.version + 1}") + addition)
    with service.load() as load:
        service.hup(REFUSED + "/: no database")
        until_served(service, load)
    figures(load)
    service.restore()


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice in a row"])
def test_good_code_takes_over_and_nobody_notices(service, figures, times):
    before = service.workers()
    with service.load() as load:
        until_served(service, load, 100)
        service.write_good()
        for _ in range(times):
            service.server.signal("SIGHUP")
            service.until_logged("Handling signal: hup", _ + 1)
        service.until_logged(TAKEN, times)
        until_served(service, load)
    figures(load)
    assert versions(load) == {service.version - 1, service.version}
    service.settle()
    assert not service.workers() & before


def test_another_kind_of_application_takes_over_and_comes_back(service, figures):
    with service.load() as load:
        for source in (WSGI, ASGI):
            until_served(service, load, 100)
            service.version += 1
            service.write("first.py", source.replace("@version@", f"first {service.version}"))
            service.hup(TAKEN, 1 + (source is ASGI))
        until_served(service, load)
    figures(load)
    service.write_good()
    service.hup(TAKEN, 3)
    service.settle()


@pytest.mark.parametrize("source", [pytest.param(source, id=name) for name, source in SOURCES.items()])
def test_a_long_request_ends_where_it_began_while_the_master_goes_on(start, tmp_path, source, figures):
    service = Service(tmp_path, start, source, PATIENT)
    with ThreadPoolExecutor(1) as elsewhere, service.load() as load:
        with contextlib.closing(service.server.client()) as client:
            waiting = elsewhere.submit(client.get, "/wait")
            service.until("the long request", (service.folder / "waiting").exists)
            service.write_good()
            service.hup(TAKEN)
            service.hup(TAKEN, 2)  # signals do not wait for the old worker
            assert not waiting.done()
            (service.folder / "go").touch()
            assert waiting.result(20) == (200, f"first {service.version - 1}")
        until_served(service, load, 100)
    figures(load)
    service.settle()


def test_a_websocket_is_told_and_an_event_stream_goes_on_while_the_master_goes_on(service, figures):
    address = service.server.address
    with (
        connect(f"ws://{address}/", proxy=None) as websocket,
        service.server.connect() as stream,
        service.load() as load,
    ):
        websocket.send("which?")
        assert websocket.recv(20) == f"first {service.version}"
        stream.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stream.recv(100)
        service.hup(TAKEN)
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(20)
        assert closed.value.rcvd.code == 1012
        service.hup(TAKEN, 2)
        assert stream.recv(100)  # it has seconds to end
        for name in ("SIGTTIN", "SIGTTOU", "SIGUSR1"):
            service.server.signal(name)
        service.until_logged("Handling signal: usr1")
        service.until("the end of the stream", lambda: not stream.recv(65536))
        until_served(service, load, 100)
    figures(load)
    service.settle()


def test_a_killed_worker_is_replaced_and_loses_no_more_than_it_was_answering(service, figures):
    (victim, *_) = before = service.workers()
    with service.load() as load:
        until_served(service, load, 100)
        os.kill(victim, signal.SIGKILL)
        service.until("another worker", lambda: len(service.workers() - before) == 1)
        until_served(service, load)
        service.hup(TAKEN)  # new workers take over once the other one is ready: the next test may kill one of them
    figures(load, failures=len(load.threads))
    service.settle()


def test_a_worker_killed_while_the_code_is_broken_is_replaced_once_it_is_repaired(service, figures):
    (victim, *_) = before = service.workers()
    with service.load() as load:
        until_served(service, load, 100)
        service.write("second.py", "import nope\n")
        os.kill(victim, signal.SIGKILL)
        service.until_logged(
            'could not serve what the others do. Another one starts in 1 s.\nmounts."/second": importing'
        )
        until_served(service, load, 100)
        service.restore()
        service.until("another worker", lambda: len(service.workers() - before) == 1 and len(service.workers()) == 2)
        until_served(service, load, 100)
    figures(load, failures=len(load.threads))
    assert versions(load) == {service.version}


def test_max_requests_replaces_no_worker_while_the_code_is_broken(service, figures):
    with service.load() as load:
        service.write("multiserve.toml", TOML + "max_requests = 200\n")
        service.hup(TAKEN)
        before = {int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", service.log)}
        service.write("second.py", "import nope\n")
        service.until_logged("has served its max_requests and is being replaced")
        service.until_logged("could not serve what the others do")
        until_served(service, load)
        assert before <= service.workers()
        service.restore()
        service.until("the end of a worn worker", lambda: before - service.workers())
        service.hup(TAKEN, 2)
    figures(load)
    assert versions(load) == {service.version}
    service.settle()


def test_sigusr2_starts_a_second_master_that_takes_over(service, figures):
    pid_file = service.folder / "pid"
    with service.load() as load:
        service.write_good()
        service.server.signal("SIGUSR2")
        service.until("a second pid file", (service.folder / "pid.2").exists)
        second = int((service.folder / "pid.2").read_text())
        service.until("the new code", lambda: service.server.get("/").text == f"first {service.version}")
        service.server.signal("SIGTERM")
        assert service.server.wait() == 0
        service.until("the promotion", lambda: pid_file.read_text() == f"{second}\n")
        until_served(service, load)
    figures(load)
    assert versions(load) == {service.version - 1, service.version}
    os.kill(second, signal.SIGTERM)
    service.until("the end of all processes", lambda: not service.server.members())


@pytest.mark.parametrize("kind", SOURCES)
def test_sigterm_loses_nothing_but_connections_that_come_too_late(start, tmp_path, figures, kind):
    service = Service(tmp_path, start, SOURCES[kind])
    with service.load() as load:
        until_served(service, load)
        service.server.signal("SIGTERM")
        assert service.server.wait() == 0
    assert all(body.startswith("new connection: ") for _, _, body in load.failures)
    load.failures = [failure for failure in load.failures if "ConnectionRefusedError" not in failure[2]]
    figures(load, failures=len(load.threads))  # each client's first connection after its last answer
    assert service.server.members() == set()


def test_sigterm_ends_it_at_once_even_while_new_workers_load(start, tmp_path, figures):
    service = Service(tmp_path, start, WSGI, PATIENT)
    service.write("first.py", "import time\ntime.sleep(60)\n")
    with ThreadPoolExecutor(1) as elsewhere, contextlib.closing(service.server.client()) as client:
        waiting = elsewhere.submit(client.get, "/wait")
        service.until("the long request", (service.folder / "waiting").exists)
        service.hup("Booting worker", 4)
        began = time.monotonic()
        service.server.signal("SIGTERM")
        service.until_logged("Handling signal: term")
        (service.folder / "go").touch()
        assert waiting.result(20) == (200, "first 1")
    assert service.server.wait() == 0
    assert time.monotonic() - began < 20, service.log  # neither the time to load, nor graceful_timeout
    assert service.server.members() == set()
