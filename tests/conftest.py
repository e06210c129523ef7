"""What every test may use."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib.util
import logging
import os
import re
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from hypothesis import settings

# What the tests start would compile multiserve anew each time, which takes longer than most of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A property is right or wrong, however busy the machine is.
settings.register_profile("multiserve", deadline=None)
settings.load_profile("multiserve")

APPS = Path(__file__).parent / "apps"
ROOT = Path(__file__).parent.parent
# For a pytest that a test starts: these plugins take longer to import than all the rest.
WITHOUT_PLUGINS = "-p no:faker -p no:hypothesispytest"
SHOWN_FOLDER = "/home/you/shop"  # in place of the folder of the test
PROGRAMS = {"multiserve": ("-m", "multiserve"), "django-admin": ("-m", "django"), "python": ()}
# Where loading takes long: a line while it does, and the note that it did.
SLOW_MACHINE = re.compile(r"^loading .*\n|\nnote MS164 .*\n(?: {8}.*\n)+", re.MULTILINE)
STEP = re.compile(
    r"^(`(?:[\w./-]+[.]\w+|Dockerfile)`[^\n]*):\n\n```\w+\n(.*?)^```|^```console\n(.*?)^```", re.MULTILINE | re.DOTALL
)


@dataclasses.dataclass(frozen=True)
class Document:
    """A document whose files are written and whose commands are run, in their order.

    The content of a file follows a line that begins with its name. In a block of kind "console" the commands of
    multiserve print exactly what stands below them, those of Python have to succeed; others, such as pip, are not run.
    """

    text: str

    def steps(self, until: str = "") -> Iterator[tuple[str, str]]:
        """Give names and contents of files, and commands ("$ ...") and their outputs, to the end of a section."""
        end = re.search(rf"^## {re.escape(until)}\n.*?(?=^## |\Z)", self.text, re.MULTILINE | re.DOTALL)
        for names, content, session in STEP.findall(self.text[: end.end()] if until else self.text):
            for name in re.findall(r"`([\w./-]+[.]\w+|Dockerfile)`", names):
                yield name, content
            for command, output in re.findall(r"^[$] (.*)\n((?:(?![$]).*\n)*)", session, re.MULTILINE):
                yield f"$ {command}", output

    def prepare(self, folder: Path, until: str = "") -> None:
        """Write the files and run the commands, but for those of multiserve."""
        self.play(folder, until, PROGRAMS.keys() - {"multiserve"})

    def play(self, folder: Path, until: str = "", programs: Collection[str] = PROGRAMS.keys()) -> list[str]:
        """Write the files and run the commands, and return those of multiserve, whose output was compared."""
        self.skip_without_its_packages()
        compared = []
        for step, text in self.steps(until):
            if not step.startswith("$"):
                (folder / step).parent.mkdir(parents=True, exist_ok=True)
                (folder / step).write_text(text, "utf-8")
                continue
            variables, program, arguments = self._read(step)
            if program not in programs:
                continue
            done = self._run(program, arguments, folder, variables)
            if program == "multiserve":
                printed = SLOW_MACHINE.sub("", done.stderr + done.stdout)
                assert (step, printed.replace(str(folder), SHOWN_FOLDER)) == (step, text)
                compared.append(step)
            else:
                assert (step, done.returncode, done.stderr if done.returncode else "") == (step, 0, "")
        return compared

    def skip_without_its_packages(self) -> None:
        """Skip the test if something is not installed that the Python files of the document import."""
        for name, content in self.steps():
            for package in re.findall(r"^(?:from|import) (\w+)", content, re.MULTILINE) if name.endswith(".py") else ():
                own = any(step.partition("/")[0].removesuffix(".py") == package for step, _ in self.steps())
                if not own and f" startproject {package} " not in self.text and not importlib.util.find_spec(package):
                    pytest.skip(f"{package} is not installed")

    @staticmethod
    def _read(step: str) -> tuple[dict[str, str], str, list[str]]:
        """Split a command into the variables that are set for it, the program and its arguments."""
        words = shlex.split(step)[1:]
        variables = {}
        while "=" in words[0]:
            name, _, variables[name] = words.pop(0).partition("=")
        return variables, words[0], words[1:]

    @staticmethod
    def _run(program: str, arguments: list[str], folder: Path, variables: dict[str, str]) -> CompletedProcess[str]:
        command = [sys.executable, *PROGRAMS[program], *arguments]
        env = {**os.environ, "PYTEST_ADDOPTS": WITHOUT_PLUGINS, **variables}
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def read_document() -> Callable[[str], Document]:
    """Read a document of the repository, such as "docs/tutorial.md"."""
    return lambda name: Document((ROOT / name).read_text("utf-8"))


class ClockSelector(selectors.DefaultSelector):
    """Never waits for a time to pass: its own clock is put forward instead, once nothing else is left to do."""

    now = 1.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        found = super().select(0)
        if not found:
            self.now += timeout
        return found


@pytest.fixture
def run_by_own_clock() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine by a clock that stands still while anything is to be done, however slow the machine is.

    Nothing may happen in another thread, nor come from another process.
    """

    def make_loop() -> asyncio.AbstractEventLoop:
        selector = ClockSelector()
        loop = asyncio.SelectorEventLoop(selector)
        loop.time = lambda: selector.now  # type: ignore[method-assign]
        return loop

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            return runner.run(coroutine)

    return run


class RawServer:
    """A server of raw bytes behind a proxied mount, which records the requests that it gets.

    Attributes:
        heads: The heads of all requests, as they came, without the empty line.
        bodies: Their bodies, as they came.
        port: Where it listens.
    """

    def __init__(
        self, answer: Callable[[socket.socket, bytes, bytes], bytes | None], path: str = "", port: int = 0
    ) -> None:
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.answer = answer
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            self.listener.listen()
        else:
            self.listener = socket.create_server(("127.0.0.1", port))
        self.port = 0 if path else self.listener.getsockname()[1]
        self.connections: list[socket.socket] = []
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        data: bytes | None = b""
        with connection, contextlib.suppress(OSError):
            while data is not None:
                while b"\r\n\r\n" not in data:
                    if not (part := connection.recv(65536)):
                        return
                    data += part
                head, _, data = data.partition(b"\r\n\r\n")
                self.heads.append(head)
                data = self.answer(connection, head, data)

    def read_body(self, connection: socket.socket, head: bytes, data: bytes) -> tuple[bytes, bytes]:
        """Read the body of a request as it comes, and return it and what comes behind it."""
        length = re.search(rb"(?im)^content-length: (\d+)\r?$", head)
        end = int(length[1]) if length else 0
        if re.search(rb"(?im)^transfer-encoding: chunked\r?$", head):
            while not data.endswith(b"0\r\n\r\n"):
                data += connection.recv(65536)
            end = len(data)
        while len(data) < end:
            data += connection.recv(65536)
        self.bodies.append(data[:end])
        return data[:end], data[end:]

    def close(self) -> None:
        """End it, and the connections to it."""
        for each in (self.listener, *self.connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self.thread.join(30)


def always(response: bytes) -> Callable[[RawServer], Callable[..., bytes | None]]:
    """Return what answers every request with the same bytes, once its body has been read."""

    def made(server: RawServer) -> Callable[..., bytes | None]:
        def answer(connection: socket.socket, head: bytes, data: bytes) -> bytes | None:
            _, rest = server.read_body(connection, head, data)
            connection.sendall(response)
            return rest

        return answer

    return made


@pytest.fixture(scope="module")
def serve_raw() -> Iterator[Callable[..., RawServer]]:
    """Start servers of raw bytes; each answers with the bytes, or by the function, that is given."""
    servers: list[RawServer] = []

    def serve(answer: bytes | Callable[..., bytes | None], path: str = "", port: int = 0) -> RawServer:
        server = RawServer(lambda *_: None, path, port)
        server.answer = always(answer)(server) if isinstance(answer, bytes) else answer
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def environment_of_pytest() -> dict[str, str]:
    """Give the environment for a pytest that a test starts."""
    return {**os.environ, "PYTEST_ADDOPTS": WITHOUT_PLUGINS}


@pytest.fixture(scope="session")
def _django_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", str(folder)], check=True)
    return folder


@pytest.fixture
def start_project(_django_project: Path, tmp_path: Path) -> Callable[[], None]:
    """Put what `django-admin startproject shop` writes into the folder of the test."""
    return lambda: shutil.copytree(_django_project, tmp_path, dirs_exist_ok=True)


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[[str], Path]:
    """Write a multiserve.toml into the test's own folder."""

    def write(text: str) -> Path:
        path = tmp_path / "multiserve.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def clean_process() -> Iterator[None]:
    """Take back what loading applications does to the process: modules, search path and environment."""
    path, modules, environ = list(sys.path), set(sys.modules), dict(os.environ)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]
    os.environ.clear()
    os.environ.update(environ)


@pytest.fixture
def kept_process(clean_process: None) -> Iterator[None]:
    """Take back what else loading can change: the folder, the time zone, loggers, signals, the timeout of sockets."""
    folder, timeout, zone = Path.cwd(), socket.getdefaulttimeout(), os.environ.get("TZ")
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    root, others = logging.root, logging.root.manager.loggerDict
    level, of_root = root.level, list(root.handlers)
    disabled = {name: each.disabled for name, each in others.items() if isinstance(each, logging.Logger)}
    yield
    os.chdir(folder)
    socket.setdefaulttimeout(timeout)
    for number, handler in handlers.items():
        if signal.getsignal(number) != handler:
            signal.signal(number, handler)
    root.setLevel(level)
    root.handlers[:] = of_root
    for name, was in disabled.items():
        logging.getLogger(name).disabled = was
    os.environ.pop("TZ", None)
    os.environ.update({"TZ": zone} if zone is not None else {})
    if hasattr(time, "tzset"):
        time.tzset()


@pytest.fixture(autouse=True)
def _no_multiserve_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MULTISERVE_", "PORT", "WEB_CONCURRENCY"))]:
        monkeypatch.delenv(name)
