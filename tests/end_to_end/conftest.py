"""Real processes: the command starts in a session of its own, on a free port, and everything in it is ended."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import io
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROCESSES = Path("/proc")
PATIENCE = 30.0  # seconds: for a machine that is busy with other things
MODULE = (sys.executable, "-m", "multiserve")
SCRIPT = (sys.executable, str(Path(sys.executable).with_name("multiserve")))
ORIGIN = re.compile(r"http://(127\.0\.0\.1:[1-9]\d*)/")
GENEROUS = 3.0  # seconds without any answer, on a machine that is busy with other things
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclasses.dataclass(frozen=True)
class Response:
    """What a server answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def urls(self) -> dict[str, tuple[str, str]]:
        """The rows of the table of URLs: name to path and absolute URL."""
        row = re.compile(r'<tr><td>([^<]+)<td><a href="([^"]*)">\2</a><td><code>([^<]*)</code>')
        return {name: (path, url) for name, path, url in row.findall(self.text)}

    def field(self, name: str) -> str:
        """The value of a hidden field of a form."""
        return re.search(rf'name="{name}" value="([^"]*)"', self.text)[1]


class _Bytes:
    """What http.client takes for a socket, over bytes that have come."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self.data)


@pytest.fixture(scope="session")
def read_response() -> Callable[..., Response]:
    """Read a response from bytes."""
    return _read_response


def _read_response(data: bytes, method: str = "GET") -> Response:
    """Read the one response that a server has sent."""
    answer = http.client.HTTPResponse(_Bytes(data), method=method)
    answer.begin()
    return Response(answer.status, answer.headers, answer.read())


class Browser:
    """An HTTP client with one cookie jar; it follows no redirects."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.jar: dict[str, tuple[str, str]] = {}

    def get(self, path: str, **headers: str) -> Response:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, **form: str) -> Response:
        return self.request("POST", path, urlencode(form).encode(), {**FORM, "Referer": f"http://{self.address}{path}"})

    def request(self, method: str, path: str, body=None, headers: Mapping[str, str] = {}) -> Response:
        cookies = "; ".join(f"{name}={value}" for name, (value, at) in self.jar.items() if path.startswith(at))
        headers = {"Connection": "close", **({"Cookie": cookies} if cookies else {}), **headers}
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers, encode_chunked="Transfer-Encoding" in headers)
            answer = connection.getresponse()
            response = Response(answer.status, answer.headers, answer.read())
        for line in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.jar[name] = (morsel.value, morsel["path"] or "/")
        return response


HEAD = re.compile(rb"HTTP/1\.1 (\d+)[^\r]*\r\n(.*?)\r\n\r\n", re.DOTALL)
LENGTH = re.compile(rb"^content-length: (\d+)", re.IGNORECASE | re.MULTILINE)


class Client:
    """One client; it repeats nothing that fails."""

    def __init__(self, address):
        host, _, port = address.partition(":")
        self.address = (host, int(port))
        self.connection = None
        self.is_new = False  # the last request was the first one of its connection

    def get(self, path):
        """Give status and body, each response with its length."""
        self.is_new = self.connection is None
        if self.connection is None:
            self.connection = socket.create_connection(self.address, timeout=20)
        try:
            self.connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
            data = b""
            while not (head := HEAD.match(data)):
                data += self._receive()
            length = int(LENGTH.search(head[2])[1])
            while len(data) < head.end() + length:
                data += self._receive()
        except BaseException:
            self.close()
            raise
        if b"connection: close" in head[2].lower():
            self.close()
        return int(head[1]), data[head.end() :].decode()

    def _receive(self):
        if data := self.connection.recv(65536):
            return data
        raise ConnectionError("the connection ended before the response did")

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Load:
    """Some clients at once.

    Attributes:
        answers: How often each body came with 200.
        failures: Everything else that came of a request.
        threads: The clients.
        silence: The longest time in seconds in which no request was answered.
    """

    def __init__(self, address, paths, clients=6):
        self.address = address
        self.paths = paths
        self.answers = Counter()
        self.failures = []
        self.silence = 0.0
        self._last = time.monotonic()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(clients)]

    @property
    def count(self):
        return sum(self.answers.values()) + len(self.failures)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, number):
        client = Client(self.address)
        with contextlib.closing(client):
            while not self._ending.is_set():
                number += 1
                path = self.paths[number % len(self.paths)]
                try:
                    answer = client.get(path)
                except OSError as error:
                    answer = (0, f"{'new connection: ' if client.is_new else ''}{error!r}")
                self._note(path, *answer)

    def _note(self, path, status, body):
        now = time.monotonic()
        with self._lock:
            if status == 200:
                self.answers[body] += 1
                self.silence = max(self.silence, now - self._last)
                self._last = now
            else:
                self.failures.append((path, status, body))


def _processes() -> Iterator[tuple[int, int, str]]:
    """Give the id, the session and the state of each process."""
    if not PROCESSES.is_dir():  # not Linux
        table = subprocess.run(["ps", "-A", "-o", "pid=,sess=,stat="], capture_output=True, text=True, check=True)
        for pid, session, state in map(str.split, table.stdout.splitlines()):
            yield int(pid), int(session), state[0]
        return
    for folder in PROCESSES.glob("[0-9]*"):  # a quarter of the time that ps takes
        with contextlib.suppress(OSError):  # it has ended meanwhile
            state, _parent, _group, session, *_ = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            yield int(folder.name), int(session), state.decode()


class Running:
    """A command that runs in its own session, with all that it starts."""

    def __init__(self, command: tuple[str, ...], folder: Path, log: Path, env: Mapping[str, str]) -> None:
        self.log_path = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MULTISERVE_", "PORT"))}
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**inherited, "PYTHONUNBUFFERED": "1", **env},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self.address = ""

    @property
    def log(self) -> str:
        return self.log_path.read_text("utf-8", "replace")

    @property
    def origin(self) -> str:
        return f"http://{self.address}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def members(self) -> set[int]:
        """The processes of the session that still run."""
        return {pid for pid, session, state in _processes() if session == self.pid and state not in "ZX"}

    def until(self, condition: Callable[[], object], what: str) -> object:
        """Wait until something is so, and fail with the log if it never is."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if found := condition():
                    return found
            time.sleep(0.02)
        return pytest.fail(f"waited in vain: {what}; the log:\n{self.log[-5000:]}")

    def until_logged(self, text: str, times: int = 1) -> None:
        self.until(lambda: self.log.count(text) >= times, f'"{text}" in the log, {times} times')

    def ready(self) -> Running:
        """Wait for the announcement, and for the first answer."""

        def announced() -> str:
            found = ORIGIN.search(self.log)
            if not found and self.process.poll() is not None:
                pytest.fail(f"ended with exit code {self.process.returncode}; the log:\n{self.log[-5000:]}")
            return found[1] if found else ""

        self.address = self.until(announced, "the announcement")
        self.until(lambda: self.browser().get("/"), "an answer")
        return self

    def browser(self) -> Browser:
        return Browser(self.address)

    def get(self, path: str, **headers: str) -> Response:
        return self.browser().get(path, **headers)

    def connect(self) -> socket.socket:
        host, _, port = self.address.partition(":")
        return socket.create_connection((host, int(port)), timeout=PATIENCE)

    def client(self) -> Client:
        """Return a client that keeps its connection, and repeats nothing."""
        return Client(self.address)

    def load(self, paths: Sequence[str], clients: int = 6) -> Load:
        """Return some clients that ask for these paths in turn while the block of `with` runs."""
        return Load(self.address, paths, clients)

    def raw(self, request: bytes) -> bytes:
        """Send bytes, and give all that comes back until the server closes the connection."""
        with self.connect() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def ask(self, request: bytes) -> Response:
        """Send a request that closes the connection, and read the response."""
        return _read_response(self.raw(request), method=request.partition(b" ")[0].decode())

    def signal(self, name: str) -> None:
        self.process.send_signal(getattr(signal, name))

    def wait(self) -> int:
        """Wait for the end, and give the exit code."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return pytest.fail(f"does not end; the log:\n{self.log[-5000:]}")

    def end(self) -> None:
        """End every process of the session, whatever has happened."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(5)


@contextlib.contextmanager
def _starter(folder: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*arguments: str, cwd: Path, command=MODULE, env: Mapping[str, str] = {}) -> Running:
        log = folder / f"log-{len(started)}.txt"
        started.append(Running((*command, *arguments), cwd, log, env))
        return started[-1]

    try:
        yield start
    finally:
        for running in started:
            running.end()


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Start a command; it is ended after the test."""
    with _starter(tmp_path_factory.mktemp("logs")) as start:
        yield start


@pytest.fixture(scope="module")
def start_for_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Start a command; it is ended after the last test of the module."""
    with _starter(tmp_path_factory.mktemp("logs")) as start:
        yield start


@pytest.fixture
def run(start: Callable[..., Running], tmp_path: Path) -> Callable[..., Running]:
    """Start `multiserve run` on a free port, over the multiserve.toml in the folder of the test."""

    def run(*arguments: str, port: bool = True, **options: object) -> Running:
        given = {"cwd": tmp_path, **options}
        return start("run", *(("--port", "0") if port else ()), *arguments, **given)

    return run


_FLAGS = (
    "--headless",
    "--no-sandbox",  # works as root and in containers; every page is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)


@pytest.fixture(scope="session")
def chromium() -> tuple[str, ...]:
    """Return the command of headless Chromium, or skip the test where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no chromium on PATH")
    return (found, *_FLAGS)


@pytest.fixture
def evaluate(chromium, tmp_path):
    """Open a page, and return what evaluates an expression in it."""
    from websockets.sync.client import connect

    processes, connections = [], []

    def open_page(url):
        command = [*chromium, f"--user-data-dir={tmp_path / 'profile'}", url]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        line = next(line for line in process.stderr if "DevTools listening on" in line)
        pages = f"http://{re.search('ws://([^/]+)/', line)[1]}/json"
        end = time.monotonic() + PATIENCE
        found = []
        while not found and time.monotonic() < end:
            with urllib.request.urlopen(pages) as answer:
                found = [each for each in json.load(answer) if each["type"] == "page" and each["url"] == url]
        manager = connect(found[0]["webSocketDebuggerUrl"], proxy=None)
        connection = manager.__enter__()
        connections.append(manager)
        numbers = itertools.count(1)

        def run(expression):
            number = next(numbers)
            params = {"expression": expression, "returnByValue": True}
            connection.send(json.dumps({"id": number, "method": "Runtime.evaluate", "params": params}))
            while True:
                message = json.loads(connection.recv(timeout=PATIENCE))
                if message.get("id") == number:
                    return message.get("result", {}).get("result", {}).get("value")

        return run

    yield open_page
    for manager in connections:
        manager.__exit__(None, None, None)
    for process in processes:
        process.terminate()
        process.wait()
        process.stderr.close()


@pytest.fixture(scope="session")
def console_script() -> tuple[str, ...]:
    return SCRIPT


@pytest.fixture(scope="session")
def copy_example(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, dict[str, str]]]:
    """Copy an example, without what it wrote before, and give the environment that keeps its data in the copy."""

    def copy(name: str) -> tuple[Path, dict[str, str]]:
        folder = tmp_path_factory.mktemp(name) / name
        shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("var", "__pycache__", ".venv"))
        data = folder / "data"
        data.mkdir()
        return folder, {
            "EXAMPLE_DATABASE": str(data / "django.sqlite3"),
            "SHOP_DATABASE": str(data / "shop.sqlite3"),
            "SHOP_LOGS": str(data / "logs"),
        }

    return copy


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file into the folder of the test, with a time of change that no file before it had."""
    ticks = iter(range(1, 1000))

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        now = time.time() + next(ticks)
        os.utime(path, (now, now))
        return path

    return write


HELLO = """\
import os

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    where = environ["SCRIPT_NAME"] + environ["PATH_INFO"]
    return [f"@name@ {where} by {os.getpid()}".encode()]
"""


@pytest.fixture
def hello() -> Callable[[str], str]:
    """Give the source of an application that answers its name, the path and the process."""
    return lambda name: HELLO.replace("@name@", name)


@pytest.fixture
def figures(request, record_property, capsys):
    """Tell what a load has counted, and hold it against the bounds."""

    def figures(load, failures=0):
        line = f"{load.count} requests, {len(load.failures)} failed, longest silence {load.silence:.3f} s"
        record_property("figures", line)
        with capsys.disabled():
            if request.config.get_verbosity() > 0:
                print(f"\n{request.node.name}: {line}")  # noqa: T201
        assert len(load.failures) <= failures, load.failures[:5]
        assert load.silence < GENEROUS

    return figures
