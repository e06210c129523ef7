"""What of Python itself one application can change for all others in the process: settings, streams, hooks, patches."""

from __future__ import annotations

import decimal
import gc
import locale
import logging
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

# Modules whose functions and classes applications have been seen to replace.
_PATCHED = (
    "asyncio", "asyncio.base_events", "asyncio.events", "asyncio.runners", "builtins", "datetime", "email.utils",
    "http.client", "importlib", "json", "logging", "multiprocessing", "os", "os.path", "random", "select", "selectors",
    "shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib.parse",
    "urllib.request", "uuid", "zoneinfo",
)  # fmt: skip
_CLASSES = (
    ("http.client", "HTTPConnection"), ("http.client", "HTTPSConnection"), ("json", "JSONEncoder"),
    ("logging", "Logger"), ("socket", "socket"), ("ssl", "SSLContext"), ("subprocess", "Popen"),
    ("threading", "Thread"),
)  # fmt: skip
# They wrap functions to measure them, and hand every call on.
_MEASURING = frozenset(
    ("coverage", "ddtrace", "debugpy", "elasticapm", "logfire", "newrelic", "opentelemetry", "pydevd", "sentry_sdk",
     "wrapt")
)  # fmt: skip
_GENERAL = (Warning, DeprecationWarning, FutureWarning, PendingDeprecationWarning, RuntimeWarning, UserWarning)
_LIMITS = ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC")


class Change(NamedTuple):
    """A setting of the process that has another value than before.

    Attributes:
        name: Which setting, as in `READINGS`.
        before: The value before, as text.
        after: The value after.
    """

    name: str
    before: str
    after: str


class Patch(NamedTuple):
    """A function or a class of the standard library that another one has replaced.

    Attributes:
        name: Its whole name, such as `socket.getaddrinfo`.
        by: The module of what is there now; "" if it does not say.
        is_wrapper: Whether that says that it wraps the original, which it then may call.
    """

    name: str
    by: str
    is_wrapper: bool


class ProcessState(NamedTuple):
    """What one look at the process has found."""

    settings: Mapping[str, Any]
    members: Mapping[str, Mapping[str, Any]]


def take_down() -> ProcessState:
    """Look at the process; it takes about a quarter of a millisecond."""
    return ProcessState({name: read() for name, read in READINGS.items()}, dict(_members()))


def find_changes(before: ProcessState, after: ProcessState) -> tuple[Change, ...]:
    """Find the settings that have changed between two looks."""
    return tuple(
        Change(name, _text(before.settings[name]), _text(value))
        for name, value in after.settings.items()
        if not _equal(before.settings[name], value)
    )


def find_patches(before: ProcessState, after: ProcessState) -> tuple[Patch, ...]:
    """Find what has been replaced between two looks, without what libraries wrap to measure it."""
    found = []
    for owner, members in after.members.items():
        if before.members.get(owner) == members:  # one comparison of the whole, which is most often all there is to do
            continue
        for name, value in _replaced(owner, before.members.get(owner), members):
            by = _module_of(value)
            if by.partition(".")[0] not in _MEASURING:
                original = before.members.get(owner, {}).get(name)
                wrapped = getattr(value, "__wrapped__", None)
                found.append(Patch(f"{owner}.{name}", by, wrapped is not None and original in (None, wrapped)))
    return tuple(sorted(found))


def _replaced(owner: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return what a module or a class has now in place of something else, or what should not be in it at all."""
    if before is None:  # the module was imported in between
        found = [name for name, value in after.items() if callable(value) and _is_foreign(value)]
    else:
        found = [name for name, value in after.items() if before.get(name) is not value and callable(value)]
    is_module, is_builtins = owner in _PATCHED, owner == "builtins"
    for name in found:
        is_new = before is not None and name not in before
        is_private = name.startswith("_" if is_new else "__") or name == "_"
        is_internal = is_module and is_private and not (is_builtins and name == "_")  # gettext installs that one
        is_setting = f"{owner}.{name}" in READINGS  # such as threading.excepthook, which is made to be replaced
        if not is_internal and not is_setting and (is_builtins or not is_new):
            yield name, after[name]


def _members() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return copies of what modules and classes have; what is looked for in them is decided only where they differ."""
    for name in _PATCHED:
        if module := sys.modules.get(name):
            yield name, vars(module).copy()
    for name, owner in _CLASSES:
        found = getattr(sys.modules.get(name), owner, None)
        if isinstance(found, type):
            functions = {key: value for key, value in vars(found).items() if isinstance(value, types.FunctionType)}
            yield f"{name}.{owner}", functions


def _is_foreign(value: Any) -> bool:
    """Return whether a function or a class is none of the standard library."""
    top = _module_of(value).partition(".")[0]
    return isinstance(value, (types.FunctionType, type)) and bool(top) and top not in sys.stdlib_module_names


def _module_of(value: Any) -> str:
    module = getattr(value, "__module__", None) or getattr(type(value), "__module__", "")
    return module if isinstance(module, str) else ""


def _equal(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, (str, int, float, tuple)) and one == other)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, (str, int, float)) or value is None:
        return str(value)
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"


def _errors() -> tuple[str, ...]:
    """Return the warnings of any module that are exceptions."""
    return tuple(
        category.__name__
        for action, message, category, module, _ in warnings.filters
        if action == "error" and message is None and module is None and category in _GENERAL
    )


def _decimal(context: decimal.Context) -> tuple[str, ...]:
    traps = sorted(signal.__name__ for signal, is_on in context.traps.items() if is_on)
    return (f"{context.prec} digits", context.rounding, *traps)


def _locale() -> str:
    try:
        return locale.setlocale(locale.LC_ALL)
    except locale.Error:
        return ""


def _umask() -> str:
    """Return the mask of new files, where it can be read without being set (proc(5), status)."""
    try:
        lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return ""
    return next((line.split()[1] for line in lines if line.startswith("Umask:")), "")


def _limits() -> tuple[str, ...]:
    try:
        import resource
    except ImportError:  # not on Windows
        return ()
    return tuple(
        f"{name} {resource.getrlimit(getattr(resource, name))[0]}" for name in _LIMITS if hasattr(resource, name)
    )


def _loop_policy() -> Any:
    events = sys.modules.get("asyncio.events")
    policy = getattr(events, "_event_loop_policy", None)
    is_own = policy is None or type(policy).__module__.partition(".")[0] == "asyncio"
    return None if is_own else type(policy)


def _start_method() -> str:
    multiprocessing: Any = sys.modules.get("multiprocessing")
    return (multiprocessing.get_start_method(allow_none=True) or "") if multiprocessing else ""


READINGS: dict[str, Callable[[], Any]] = {
    "warnings": _errors,
    "logging.disable": lambda: logging.getLevelName(logging.root.manager.disable),
    "log records": logging.getLogRecordFactory,
    "decimal default": lambda: _decimal(decimal.DefaultContext),
    "decimal": lambda: _decimal(decimal.getcontext()),
    "locale": _locale,
    "umask": _umask,
    "limits": _limits,
    "recursion": sys.getrecursionlimit,
    "garbage": lambda: ("on" if gc.isenabled() else "off", *gc.get_threshold()),
    "stdin": lambda: sys.stdin,
    "stdout": lambda: sys.stdout,
    "stderr": lambda: sys.stderr,
    "sys.excepthook": lambda: sys.excepthook,
    "threading.excepthook": lambda: threading.excepthook,
    "sys.unraisablehook": lambda: sys.unraisablehook,
    "loop policy": _loop_policy,
    "switch interval": sys.getswitchinterval,
    "start method": _start_method,
}
