"""Keeps a mount from patching the standard library for all others, as gevent and eventlet do.

Their functions replace threads, sockets and locks of the whole process. A worker whose threads and event loop were
started before would stop to serve every mount.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

# The modules that patch, and how the names of their functions that do begin.
_PATCHING = {"gevent.monkey": "patch_", "eventlet.patcher": "monkey_patch"}


class MonkeyPatchError(RuntimeError):
    """An application tries to patch the process that it shares with others."""


@contextlib.contextmanager
def refused_monkey_patches() -> Iterator[None]:
    """Raise `MonkeyPatchError` in an application that patches the process; a process that is patched stays as it is."""
    finder = _Finder()
    for name in _PATCHING:
        if name in sys.modules:
            _disarm(sys.modules[name])
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


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
        raise MonkeyPatchError(f'{what}: leave it out, or serve all of them with worker_class = "{library}"')

    return refuse


class _Finder(MetaPathFinder):
    """Lets the other finders find the modules that patch, and disarms them once they are loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that the other finders have, with a loader around theirs."""
        if fullname not in _PATCHING:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next((found for finder in others if (found := finder.find_spec(fullname, path, target))), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _DisarmingLoader(spec.loader)
        return spec


class _DisarmingLoader(Loader):
    """Loads a module as its own loader does, and disarms it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as its own loader does."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, and disarm it."""
        self._loader.exec_module(module)
        _disarm(module)
