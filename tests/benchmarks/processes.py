"""Server processes: started on free ports, pinned to one core, waited for, measured, and ended whatever happens."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

APPLICATIONS = Path(__file__).parent
STATIC = f"[mounts]\n'/files' = {{ static = '{APPLICATIONS / 'files'}' }}\n[gunicorn]\nworkers = 1\n"
_HELLO = {"hello.py": (APPLICATIONS / "hello.py").read_text("utf-8")}
_PATIENCE = 60.0  # seconds for a server to start, or to change
_POLL = 0.01  # seconds between two looks
_SHOWN = 3000  # characters of what a server has said
_FOREIGN = ("GUNICORN_", "MULTISERVE_", "WEB_CONCURRENCY", "PYTHON", "FLASK_")

# What multiserve sets by itself: the same for the peer, where it is the dispatcher alone that is compared.
SAME_SETTINGS = ("--keep-alive", "5", "--http-parser", "python", "--forwarder-headers", "")
GTHREAD = ("--worker-class", "gthread", "--threads", "4")
ASGI = ("--worker-class", "asgi")


@dataclass(frozen=True)
class Server:
    """How to start a server.

    Attributes:
        name: What the table calls it.
        command: Its arguments behind `python -m`; `{port}` is filled in.
        path: The path that is asked for.
        files: What is in the folder in which it is started.
    """

    name: str
    command: tuple[str, ...]
    path: str
    files: Mapping[str, str] = field(default_factory=dict)


class Running(NamedTuple):
    """A server that has been started.

    Attributes:
        server: What it is.
        host: Its host and port.
        process: Its first process.
        folder: Where it was started.
    """

    server: Server
    host: str
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def address(self) -> str:
        """Host, port and path to ask for."""
        return self.host + self.server.path

    @property
    def session(self) -> int:
        """The session of its processes."""
        return self.process.pid


def gunicorn(name: str, application: str, *settings: str, path: str = "/hello") -> Server:
    """Serve an application of hello.py with plain gunicorn."""
    command = ("gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "1", "--no-control-socket", *settings)
    return Server(name, (*command, "--pythonpath", str(APPLICATIONS), f"hello:{application}"), path)


def uvicorn(name: str, application: str) -> Server:
    """Serve an application of hello.py with uvicorn alone."""
    command = ("uvicorn", "--port", "{port}", "--no-access-log", "--app-dir", str(APPLICATIONS), f"hello:{application}")
    return Server(name, command, "/hello")


def waitress(name: str, application: str) -> Server:
    """Serve an application of hello.py with waitress, which has 4 threads, too."""
    return Server(name, ("waitress", "--listen=127.0.0.1:{port}", f"hello:{application}"), "/hello", _HELLO)


def granian(name: str, application: str, interface: str) -> Server:
    """Serve an application of hello.py with granian."""
    threads = ("--blocking-threads", "4") if interface == "wsgi" else ()
    command = ("granian", "--interface", interface, "--port", "{port}", *threads, f"hello:{application}")
    return Server(name, command, "/hello", _HELLO)


def static_in_threads(name: str, path: str) -> Server:
    """Serve a static folder of multiserve in gunicorn's own threads."""
    command = ("gunicorn", "--bind", "127.0.0.1:{port}", "--no-control-socket", *GTHREAD, "multiserve.wsgi:application")
    return Server(name, command, path, {"multiserve.toml": STATIC})


def multiserve(name: str, application: str, *others: str, settings: str = "") -> Server:
    """Serve an application of hello.py at /app with multiserve, and the others beside it."""
    mounts = {"/app": application} | {f"/other/{number}": other for number, other in enumerate(others)}
    return multiserve_with(name, mounts, "/app/hello", settings=settings)


def multiserve_with(name: str, mounts: Mapping[str, str], path: str, *, settings: str = "") -> Server:
    """Serve applications of hello.py with multiserve, in production.

    Args:
        name: What the table calls it.
        mounts: The applications by their keys.
        path: The path that is asked for.
        settings: More of the file, such as `[gunicorn]`.
    """
    command = ("multiserve", "run", "--production", "--bind", "127.0.0.1:{port}")
    text = (table_of(mounts) if mounts else "") + (settings or "[gunicorn]\nworkers = 1\n")
    return Server(name, command, path, {"multiserve.toml": text})


def grouped(name: str, application: str) -> Server:
    """Serve an application of hello.py at /app in the process of a group, with multiserve."""
    group = f'[mounts."/app"]\napp = "hello:{application}"\ngroup = "apart"\n[groups.apart]\n'
    return multiserve_with(name, {"/": "echo"}, "/app/hello", settings=f"{group}[gunicorn]\nworkers = 1\n")


def table_of(mounts: Mapping[str, str]) -> str:
    """Write a file that mounts applications of hello.py."""
    lines = [f'"{key}" = "hello:{application}"' for key, application in mounts.items()]
    return "\n".join([f"pythonpath = ['{APPLICATIONS}']", "[mounts]", *lines, ""])


def pin(core: int, process: int = 0) -> None:
    """Keep a process, by default this one, on the given of the cores, where there are two and the system can."""
    if cores := available_cores():
        os.sched_setaffinity(process, {cores[core]})


def available_cores() -> list[int]:
    """Give the first and the last core that may be used; nothing where pinning makes no sense."""
    return _CORES


_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
_CORES = [_CORES[0], _CORES[-1]] if len(_CORES) > 1 else []


@contextlib.contextmanager
def serving(servers: Sequence[Server]) -> Iterator[list[Running]]:
    """Run servers at the same time, and wait until all of them answer."""
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(starting(each)) for each in servers]
        for each in started:
            wait_for(each)
        yield started


def cpu_seconds(session: int) -> float:
    """Give the time that the processor has worked for a session; 0 where the system does not tell."""
    ticks = sum(int(fields[11]) + int(fields[12]) for _, fields in _processes_of(session))  # its own, the system's
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(session: int) -> float:
    """Give the megabytes of a session: its proportional set size, in which what is shared counts once in all."""
    kilobytes = 0
    for process, _ in _processes_of(session):
        with contextlib.suppress(OSError):
            lines = (process / "smaps_rollup").read_text("ascii").splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


def _processes_of(session: int) -> Iterator[tuple[Path, list[str]]]:
    """Give each process of a session, with the fields of its `stat` from the third on, see proc(5).

    The processes of groups have sessions of their own, begun by a process of this one.
    """
    found: dict[int, tuple[Path, list[str]]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # a process that has just ended
            found[int(status.parent.name)] = status.parent, status.read_text("latin-1").rpartition(")")[2].split()
    ours = {pid for pid, (_, fields) in found.items() if int(fields[3]) == session}
    groups = {int(fields[3]) for _, fields in found.values() if int(fields[1]) in ours}
    yield from (each for each in found.values() if int(each[1][3]) in groups.union((session,)))


@contextlib.contextmanager
def starting(server: Server) -> Iterator[Running]:
    """Start a server in a folder of its own."""
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as listener:
        folder = Path(name)
        for file, text in server.files.items():
            (folder / file).write_text(text, "utf-8")
        port = str(listener.getsockname()[1])
        listener.close()
        environment = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *(part.replace("{port}", port) for part in server.command)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            pin(0, process.pid)
            yield Running(server, f"127.0.0.1:{port}", process, folder)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and its workers at once: to stop in good order takes time, and is not what is measured."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(running: Running, text: bytes = b"") -> None:
    """Wait until a server answers with a text; tell what it said if it does not."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and running.process.poll() is None:
        connection = http.client.HTTPConnection(running.host, timeout=_PATIENCE)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", running.server.path)
            answer = connection.getresponse()
            if answer.status == http.HTTPStatus.OK and text in answer.read():
                return
        time.sleep(_POLL)
    log = (running.folder / "log").read_text("utf-8", "replace")[-_SHOWN:]
    raise RuntimeError(f"{running.server.name} does not answer:\n{log}")
