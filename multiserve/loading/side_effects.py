"""What loading a mount does to the process that all mounts share: taken down before and after, and compared."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
_SIGNALS = signal.valid_signals()


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffects:
    """What has changed while one mount was loaded.

    Attributes:
        seconds: How long it took.
        memory: Bytes of memory that the process has more; 0 where the system does not tell.
        threads: The names of threads that were started and still run.
        folder: The working directory, if it has been changed; else empty.
        signals: The names of signals whose handlers were replaced.
        root_logger: Whether the handlers or the level of the root logger have changed.
        disabled_loggers: Loggers that existed before and are disabled now.
        time_zone: The time zone of the process, if it has been changed; else empty.
        socket_timeout: The default timeout of new sockets, if it has been changed, in seconds; else None.
    """

    seconds: float = 0.0
    memory: int = 0
    threads: tuple[str, ...] = ()
    folder: str = ""
    signals: tuple[str, ...] = ()
    root_logger: bool = False
    disabled_loggers: tuple[str, ...] = ()
    time_zone: str = ""
    socket_timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What of a process one application can change for all others."""

    seconds: float
    memory: int
    threads: frozenset[threading.Thread]
    folder: str
    handlers: dict[int, Any]
    root_logger: tuple[Any, ...]
    disabled: frozenset[str]
    known: frozenset[str]
    time_zone: tuple[tuple[str, str], int, int]
    socket_timeout: float | None


class Recorder:
    """Takes down the side effects of whatever runs while it `watches`."""

    def __init__(self) -> None:
        """Nothing is taken down yet."""
        self.effects: dict[Any, SideEffects] = {}

    @contextlib.contextmanager
    def watch(self, name: Any) -> Iterator[None]:
        """Take down under a name what happens inside, and add it to what is there."""
        before = _take_down()
        try:
            yield
        finally:
            new = _compare(before, _take_down())
            self.effects[name] = _add(self.effects[name], new) if name in self.effects else new


def _take_down() -> _State:
    loggers = {name: each for name, each in logging.root.manager.loggerDict.items() if isinstance(each, logging.Logger)}
    return _State(
        seconds=time.perf_counter(),
        memory=_memory(),
        threads=frozenset(threading.enumerate()),
        folder=_folder(),
        handlers={number: signal.getsignal(number) for number in _SIGNALS},
        root_logger=(logging.root.level, *logging.root.handlers),
        disabled=frozenset(name for name, each in loggers.items() if each.disabled),
        known=frozenset(loggers),
        time_zone=(time.tzname, time.timezone, time.altzone),
        socket_timeout=socket.getdefaulttimeout(),
    )


def _compare(before: _State, after: _State) -> SideEffects:
    changed = [number for number, handler in after.handlers.items() if before.handlers.get(number) != handler]
    return SideEffects(
        seconds=after.seconds - before.seconds,
        memory=max(after.memory - before.memory, 0),
        threads=tuple(sorted(each.name for each in after.threads - before.threads if each.is_alive())),
        folder=after.folder if after.folder != before.folder else "",
        signals=tuple(sorted(signal.Signals(number).name for number in changed)),
        root_logger=after.root_logger != before.root_logger,
        disabled_loggers=tuple(sorted((after.disabled - before.disabled) & before.known)),
        time_zone=_zone(after) if after.time_zone != before.time_zone else "",
        socket_timeout=after.socket_timeout if after.socket_timeout != before.socket_timeout else None,
    )


def _add(first: SideEffects, then: SideEffects) -> SideEffects:
    """Join what has changed at two times, between which others may have changed something."""
    return SideEffects(
        seconds=first.seconds + then.seconds,
        memory=first.memory + then.memory,
        threads=tuple(sorted((*first.threads, *then.threads))),
        folder=then.folder or first.folder,
        signals=tuple(sorted({*first.signals, *then.signals})),
        root_logger=first.root_logger or then.root_logger,
        disabled_loggers=tuple(sorted({*first.disabled_loggers, *then.disabled_loggers})),
        time_zone=then.time_zone or first.time_zone,
        socket_timeout=first.socket_timeout if then.socket_timeout is None else then.socket_timeout,
    )


def _zone(state: _State) -> str:
    """Name a time zone as the variable TZ would, which is how it has been changed most likely."""
    return os.environ.get("TZ") or "/".join(dict.fromkeys(state.time_zone[0]))


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it has been removed
        return ""


def _memory() -> int:
    """Return the bytes of the process that are in memory (proc(5), statm)."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0
