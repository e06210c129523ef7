"""Calls a function with a module as soon as it is imported, by a finder around those that Python has."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_Act = Callable[[ModuleType], None]


@contextlib.contextmanager
def at_import(names: Collection[str], act: _Act) -> Iterator[None]:
    """Call `act` with each of these modules: at once if it is imported already, else when it has been loaded."""
    finder = _Finder(names, act)
    for name in names:
        if (module := sys.modules.get(name)) is not None:
            act(module)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    """Lets the other finders find the modules, and puts a loader around theirs."""

    def __init__(self, names: Collection[str], act: _Act) -> None:
        self._names = names
        self._act = act

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that the finders behind this one have, with a loader around theirs."""
        if fullname not in self._names:
            return None
        finders = list(sys.meta_path)
        if self not in finders:  # it was taken away while another thread was on its way here
            return None
        behind = (getattr(each, "find_spec", None) for each in finders[finders.index(self) + 1 :])
        spec = next((found for find in behind if find and (found := find(fullname, path, target))), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._act)
        return spec


class _Loader(Loader):
    """Loads a module as its own loader does, and then acts."""

    def __init__(self, loader: Any, act: _Act) -> None:
        self._loader = loader
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as its own loader does."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, and act; a later `importlib.reload` is none of our business."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._act(module)
