"""The pid file of a running server, and a record beside it: who wrote it, and the outcome of the last reload."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from multiserve.config.model import Config
from multiserve.errors import ConfigError, Problem, ServeError
from multiserve.servers.production import control

_LONGEST = 330.0  # seconds; the server refuses new workers that are not ready before
_TICK = 0.05  # seconds
_PROCESSES = Path("/proc")  # as Linux has it
_AGE = 19  # the place of a process's start in its status, after its name: the 22nd field of proc(5)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a server has recorded.

    Attributes:
        count: How many reloads have ended.
        refusal: What to tell of the last one if it was refused; empty if it was not.
        broken: The keys of the mounts that answer 503 since.
        pid: The process.
        started: When it started, as the system counts; empty where that is not known.
        control: The path of the socket over which it can be asked; empty for none.
    """

    count: int
    refusal: str
    broken: tuple[str, ...]
    pid: int
    started: str
    control: str = ""


def named_in(config: Config) -> Path:
    """Return the path that the configuration names.

    Raises:
        ConfigError: It names none.
    """
    name = config.gunicorn.get("pidfile")
    if not isinstance(name, str):
        raise ConfigError(
            Problem(
                key="gunicorn.pidfile",
                message="not set, so nothing tells which process to signal",
                hint='Write pidfile = "multiserve.pid" under [gunicorn] and restart the server, or say --pid FILE.',
            ),
            source=config.source.heading,
        )
    return config.folder / name


def reload(name: str | os.PathLike[str]) -> str:
    """Send SIGHUP to the server of a pid file, wait for the outcome, and return it as one line.

    Raises:
        ServeError: There is no such server, it may not be signalled, or it has refused.
    """
    path = Path(name)
    pid = _read_pid(path)
    before = _read_outcome(path)
    _signal(pid, 0, path)
    _check_process(pid, before, path)
    _signal(pid, signal.SIGHUP, path)
    if before is None:
        return f"SIGHUP is sent to process {pid}; its log tells what becomes of it."
    deadline = time.monotonic() + _LONGEST
    while time.monotonic() < deadline:
        now = _read_outcome(path)
        if now is not None and now.count != before.count:
            return _tell(pid, now)
        _signal(pid, 0, path)
        time.sleep(_TICK)
    raise ServeError(f"process {pid} has not said after {_LONGEST:.0f} seconds what became of the reload: see its log")


def ask(name: str | os.PathLike[str], *question: str) -> Any:
    """Ask the server of a pid file, and return its answer.

    Args:
        name: The pid file.
        question: A word and its arguments (`multiserve.servers.production.control`).

    Raises:
        ServeError: There is no such server, it cannot be asked, or it refuses.
    """
    path = Path(name)
    pid = _read_pid(path)
    outcome = _read_outcome(path)
    _signal(pid, 0, path)
    _check_process(pid, outcome, path)
    if outcome is None or not outcome.control:
        raise ServeError(f"process {pid} cannot be asked: it is no multiserve, or an older one")
    return control.ask(Path(outcome.control), pid, *question)


def _tell(pid: int, outcome: _Outcome) -> str:
    if outcome.refusal:
        raise ServeError(outcome.refusal)
    if outcome.broken:
        return f"Process {pid} has reloaded; it answers 503 for {', '.join(outcome.broken)}: see its log."
    return f"Process {pid} has reloaded."


def remove_stale(path: Path) -> None:
    """Remove the pid file of a server that has ended, and whose number another process has now.

    gunicorn takes any process with that number for the server, and does not start: in a container the numbers are low,
    and come again.
    """
    try:
        _check_process(_read_pid(path), _read_outcome(path), path)
    except _OtherProcessError:
        with contextlib.suppress(OSError):  # gunicorn refuses the file then
            path.unlink()
        forget(path)
    except ServeError:  # there is none, or none that can be read
        return


class _OtherProcessError(ServeError):
    """Another process has the number of the server."""


def _check_process(pid: int, outcome: _Outcome | None, path: Path) -> None:
    """Raise `_OtherProcessError` if another process has the id of a server that has ended: SIGHUP would end it."""
    if outcome is None:
        command = _command(pid)
        is_other = bool(command) and b"multiserve" not in command and b"gunicorn" not in command
    else:
        known = {outcome.started, _start(pid)} - {""}  # where the start is not known, the number has to do
        is_other = outcome.pid != pid or len(known) > 1
    if is_other:
        hint = f"The server has ended; {path} is what it left, and another process has its number now."
        raise _OtherProcessError(Problem(message=f"process {pid} is not the server that wrote {path}", hint=hint))


def _command(pid: int) -> bytes:
    """Return the command line of a process, or the title that gunicorn sets; empty if unknown."""
    try:
        return (_PROCESSES / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


def _start(pid: int) -> str:
    """Return when a process started; empty if unknown."""
    try:
        status = (_PROCESSES / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    return status.rpartition(")")[2].split()[_AGE]  # the name, in parentheses, may hold anything


def _read_pid(path: Path) -> int:
    try:
        pid = int(path.read_text("ascii"))
    except FileNotFoundError:
        hint = "Is the server running? It writes the file when it starts with this pidfile setting."
        raise ServeError(Problem(message=f"there is no pid file {path}", hint=hint)) from None
    except (OSError, ValueError) as error:
        raise ServeError(f"the pid file {path} cannot be read: {error}") from None
    if pid <= 0:  # os.kill would signal whole groups
        raise ServeError(f"the pid file {path} cannot be read: {pid} is no process")
    return pid


def _signal(pid: int, number: int, path: Path) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, OverflowError):
        hint = f"The server has ended; {path} is what it left."
        raise ServeError(Problem(message=f"there is no process {pid}", hint=hint)) from None
    except PermissionError:
        hint = "Run the command as the user who started the server, or as root."
        raise ServeError(Problem(message=f"process {pid} may not be signalled", hint=hint)) from None


def _outcome(path: Path) -> Path:
    return path.with_name(f"{path.name}.reload")


def _read_outcome(path: Path) -> _Outcome | None:
    try:
        return _Outcome(**json.loads(_outcome(path).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def record(path: Path, count: int, refusal: str, broken: Sequence[str] = (), control: str = "") -> None:
    """Write the id of this server and the outcome of a reload; only its own user may read it.

    Args:
        path: The pid file.
        count: How many reloads have ended.
        refusal: What to tell of the last one if it was refused; empty if it was not.
        broken: The keys of the mounts that answer 503 since.
        control: The path of the socket over which this server can be asked; empty for none.
    """
    outcome = _Outcome(count, refusal, tuple(broken), os.getpid(), _start(os.getpid()), control)
    with contextlib.suppress(OSError):  # the log has said it
        descriptor, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(outcome), file)
            Path(scratch).replace(_outcome(path))
        except OSError:
            Path(scratch).unlink()
            raise


def forget(path: Path) -> None:
    """Remove what was written beside a pid file."""
    with contextlib.suppress(OSError):
        _outcome(path).unlink()
