"""Keeps a mount from patching the standard library for all others, as gevent and eventlet do.

Their functions replace threads, sockets and locks of the whole process. A worker whose threads and event loop were
started before would stop to serve every mount.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NoReturn

from multiserve.loading.import_hooks import at_import

# The modules that patch, and how the names of their functions that do begin.
_PATCHING = {"gevent.monkey": "patch_", "eventlet.patcher": "monkey_patch"}


class MonkeyPatchError(RuntimeError):
    """An application tries to patch the process that it shares with others."""


@contextlib.contextmanager
def refused_monkey_patches() -> Iterator[None]:
    """Raise `MonkeyPatchError` in an application that patches the process; a process that is patched stays as it is."""
    with at_import(_PATCHING, _disarm):
        yield


def _disarm(module: ModuleType) -> None:
    if is_patched():
        return
    library = module.__name__.partition(".")[0]
    for name in [name for name in vars(module) if name.startswith(_PATCHING[module.__name__])]:
        setattr(module, name, _refuse_for(f"{library} patches the threads and sockets of all mounts", library))


def is_patched() -> bool:
    """Return whether gevent or eventlet has patched this process, as gunicorn's workers of these names do."""
    gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    return bool((gevent and gevent.is_module_patched("socket")) or (eventlet and eventlet.is_monkey_patched("socket")))


def _refuse_for(what: str, library: str) -> Any:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        worker = f'worker_class = "{library}"'
        raise MonkeyPatchError(
            f"{what}: leave it out, serve all of them with {worker}, or this one in a process of its own, "
            f'with group = "NAME" on the mount and {worker} under [groups.NAME.gunicorn]'
        )

    return refuse
