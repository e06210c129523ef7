"""What loading a mount does to the process that all mounts share: taken down before and after, and compared."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from multiserve.loading.process_state import Change, Patch, ProcessState, find_changes, find_patches, take_down

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
_SIGNALS = signal.valid_signals()
_PATIENCE = 0.2  # seconds for threads that are about to end
_TOOLBARS = ("debug_toolbar", "flask_debugtoolbar", "pyramid_debugtoolbar")  # their handlers only collect records


class Variable(NamedTuple):
    """An environment variable that has changed; None is the value of one that is not set."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffects:
    """What has changed while one mount was loaded.

    Attributes:
        seconds: How long it took.
        memory: Bytes of memory that the process has more; 0 where the system does not tell.
        threads: The names of threads that were started and still run, with their functions.
        folder: The working directory, if it has been changed; else empty.
        signals: The names of signals whose handlers were replaced.
        root_logger: Whether the handlers or the level of the root logger have changed.
        disabled_loggers: Loggers that existed before and are disabled now.
        time_zone: The time zone of the process, if it has been changed; else empty.
        socket_timeout: The default timeout of new sockets, if it has been changed, in seconds; else None.
        changes: Other settings of the process that have changed.
        patches: What has been replaced in the standard library.
        variables: The environment variables that have changed.
        search_path: The entries of `sys.path` that were added.
        modules: The names of the modules that were imported.
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
    changes: tuple[Change, ...] = ()
    patches: tuple[Patch, ...] = ()
    variables: tuple[Variable, ...] = ()
    search_path: tuple[str, ...] = ()
    modules: frozenset[str] = frozenset()


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
    process: ProcessState
    environment: dict[str, str]
    search_path: tuple[str, ...]
    modules: frozenset[str]


class Recorder:
    """Takes down the side effects of whatever runs while it `watches`."""

    def __init__(self) -> None:
        """Nothing is taken down yet."""
        self.effects: dict[Any, SideEffects] = {}
        self._threads: dict[Any, list[threading.Thread]] = {}

    @contextlib.contextmanager
    def watch(self, name: Any) -> Iterator[None]:
        """Take down under a name what happens inside, and add it to what is there."""
        before = _take_down()
        try:
            yield
        finally:
            after = _take_down()
            new = _compare(before, after)
            self.effects[name] = _add(self.effects[name], new) if name in self.effects else new
            self._threads.setdefault(name, []).extend(after.threads - before.threads)

    def forget_ended_threads(self) -> None:
        """Leave out the threads that have done their work by now."""
        end = time.monotonic() + _PATIENCE
        for name, started in self._threads.items():
            for thread in started:
                thread.join(max(0.0, end - time.monotonic()))
            running = tuple(sorted(_thread_name(each) for each in started if each.is_alive()))
            self.effects[name] = replace(self.effects[name], threads=running)


def _take_down() -> _State:
    loggers = {name: each for name, each in logging.root.manager.loggerDict.items() if isinstance(each, logging.Logger)}
    return _State(
        seconds=time.perf_counter(),
        memory=_memory(),
        threads=frozenset(threading.enumerate()),
        folder=_folder(),
        handlers={number: signal.getsignal(number) for number in _SIGNALS},
        root_logger=(logging.root.level, *filter(_writes, logging.root.handlers)),
        disabled=frozenset(name for name, each in loggers.items() if each.disabled),
        known=frozenset(loggers),
        time_zone=(time.tzname, time.timezone, time.altzone),
        socket_timeout=socket.getdefaulttimeout(),
        process=take_down(),
        environment=dict(os.environ),
        search_path=tuple(sys.path),
        modules=frozenset(sys.modules),
    )


def _writes(handler: logging.Handler) -> bool:
    return type(handler).__module__.partition(".")[0] not in _TOOLBARS


def _thread_name(thread: threading.Thread) -> str:
    """Return the name of a thread with its function or class, which Python's own names have only for some."""
    if not thread.name.startswith("Thread-") or thread.name.endswith(")"):
        return thread.name
    target: Any = getattr(thread, "_target", None)
    target = getattr(target, "func", target)  # of a partial
    what = type(thread) if target is None else target if hasattr(target, "__qualname__") else type(target)
    return thread.name if what is threading.Thread else f"{thread.name} ({what.__qualname__})"


def _compare(before: _State, after: _State) -> SideEffects:
    changed = [number for number, handler in after.handlers.items() if before.handlers.get(number) != handler]
    return SideEffects(
        seconds=after.seconds - before.seconds,
        memory=max(after.memory - before.memory, 0),
        threads=tuple(sorted(_thread_name(each) for each in after.threads - before.threads if each.is_alive())),
        folder=after.folder if after.folder != before.folder else "",
        signals=tuple(sorted(signal.Signals(number).name for number in changed)),
        root_logger=after.root_logger != before.root_logger,
        disabled_loggers=tuple(sorted((after.disabled - before.disabled) & before.known)),
        time_zone=_zone(after) if after.time_zone != before.time_zone else "",
        socket_timeout=after.socket_timeout if after.socket_timeout != before.socket_timeout else None,
        changes=find_changes(before.process, after.process),
        patches=find_patches(before.process, after.process),
        variables=_changed_variables(before.environment, after.environment),
        search_path=tuple(each for each in after.search_path if each not in before.search_path),
        modules=after.modules - before.modules,
    )


def _changed_variables(before: dict[str, str], after: dict[str, str]) -> tuple[Variable, ...]:
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return tuple(Variable(name, before.get(name), after.get(name)) for name in names)


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
        changes=(*first.changes, *then.changes),
        patches=(*first.patches, *then.patches),
        variables=(*first.variables, *then.variables),
        search_path=(*first.search_path, *then.search_path),
        modules=first.modules | then.modules,
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
