"""Server processes: started together on free ports, pinned to one core, waited for, and ended whatever happens."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

APPLICATIONS = Path(__file__).parent
_PATIENCE = 30.0  # seconds for a server to start, or to stop
_POLL = 0.05  # seconds between two looks
_FOREIGN = ("GUNICORN_", "MULTISERVE_", "WEB_CONCURRENCY", "PYTHON")

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
        mounts: What is in its multiserve.toml, if it needs one.
    """

    name: str
    command: tuple[str, ...]
    path: str
    mounts: Mapping[str, str] | None = None


class Running(NamedTuple):
    """A server that answers.

    Attributes:
        address: Host, port and path to ask for.
        session: The session of its processes.
    """

    address: str
    session: int


def gunicorn(name: str, application: str, *settings: str) -> Server:
    """Serve an application of hello.py with plain gunicorn, at the root."""
    command = ("gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "1", "--no-control-socket", *settings)
    return Server(name, (*command, "--pythonpath", str(APPLICATIONS), f"hello:{application}"), "/hello")


def multiserve(name: str, application: str, *others: str) -> Server:
    """Serve an application of hello.py at /app with multiserve, and the others beside it."""
    command = ("multiserve", "run", "--production", "--bind", "127.0.0.1:{port}", "--workers", "1")
    mounts = {"/app": application} | {f"/other/{number}": other for number, other in enumerate(others)}
    return Server(name, command, "/app/hello", mounts)


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
def serving(servers: Sequence[Server], folder: Path) -> Iterator[list[Running]]:
    """Run servers at the same time."""
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(_serve(each, folder / str(place))) for place, each in enumerate(servers)]
        for server, (process, address, log) in zip(servers, started, strict=True):
            _wait_for(server, process, address, log)
        yield [
            Running(address + server.path, process.pid)
            for server, (process, address, _) in zip(servers, started, strict=True)
        ]


def cpu_seconds(session: int) -> float:
    """Give the time that the processor has worked for a session; 0 where the system does not tell."""
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # a process that has just ended
            fields = status.read_text("latin-1").rpartition(")")[2].split()  # from the third on, see proc(5)
            if int(fields[3]) == session:
                ticks += int(fields[11]) + int(fields[12])  # in the programme, and in the system for it
    return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _serve(server: Server, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    folder.mkdir()
    if server.mounts is not None:
        lines = [f'"{prefix}" = "hello:{application}"' for prefix, application in server.mounts.items()]
        text = "\n".join([f"pythonpath = ['{APPLICATIONS}']", "[mounts]", *lines, ""])
        (folder / "multiserve.toml").write_text(text, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    arguments = [part.replace("127.0.0.1:{port}", address) for part in server.command]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        pin(0, process.pid)
        yield process, address, log
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        with contextlib.suppress(ProcessLookupError):  # the usual case: nothing is left of its session
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(server: Server, process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Wait until a server answers; tell what it said if it does not."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection(address, timeout=_PATIENCE)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", server.path)
            status = connection.getresponse().status
            if status == http.HTTPStatus.OK:
                return
            raise RuntimeError(f"{server.name} answers {status}:\n{log.read_text('utf-8', 'replace')}")
        time.sleep(_POLL)
    raise RuntimeError(f"{server.name} does not answer:\n{log.read_text('utf-8', 'replace')}")
