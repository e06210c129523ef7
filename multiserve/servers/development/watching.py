"""Which files a development server watches, and which of them has changed."""

from __future__ import annotations

import contextlib
import fnmatch
import glob
import importlib.util
import os
import sys
import sysconfig
import time
from collections.abc import Iterable, Iterator
from traceback import walk_tb

from multiserve.config.env_files import USUAL_NAME
from multiserve.config.model import Config
from multiserve.config.mounts import AppMount, FleetMount
from multiserve.config.targets import Target
from multiserve.servers.stamps import Stamp, stamp_of
from multiserve.tracebacks import causes

_FOREIGN = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})  # folders without our sources
_ENVIRONMENT = frozenset({"pyvenv.cfg", "conda-meta"})  # what makes a folder a virtual environment
_STANDARD = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Watch:
    """Compares files with their state at the last check.

    It watches the configuration, `extra_files`, the Python files in the folders of the mounts, loaded modules from
    elsewhere that are not installed packages, and the files in the tracebacks of failures.

    Attributes:
        is_loading: Whether applications are being loaded, so that it is not known yet which of them fail.
    """

    def __init__(self, config: Config) -> None:
        """Record the state of all files."""
        self.is_loading = False
        self._config = config
        self._roots = list(dict.fromkeys(source_roots(config)))
        self._began = time.time_ns()
        self._stamps: dict[str, Stamp] = {}
        self._observed: dict[str, Stamp] = {}
        self._missing: set[str] = set()
        self._blamed: set[str] = set()
        self._stamps = {name: stamp_of(name) for name in (*self._found(), *self._loaded())}

    def blame(self, error: BaseException) -> None:
        """Watch the files of a traceback, too: a module that failed to load is not in sys.modules."""
        self._blamed |= blamed_files(error)

    def look(self) -> str:
        """Check every file once, and return one that has changed; empty if none has."""
        return next(iter(self.changes()), "")

    def changes(self) -> list[str]:
        """Check every file once, and return those that have changed."""
        found = set(self._found())
        names = {*self._stamps, *found, *self._loaded()}
        return [name for name in names if self._has_changed(name, is_found=name in found)]

    def accept(self, config: Config, changed: Iterable[str]) -> None:
        """Go on from here with another configuration, in which the changes of some files are settled.

        Args:
            config: The configuration; the folders to look into are the same.
            changed: The files.
        """
        self._config = config
        for name in changed:
            self._missing.discard(name)
            self._stamps[name] = self._observed.get(name)  # as it was then: it may have changed again
        for name in self._without_excluded(named_files(config)):
            self._stamps.setdefault(name, stamp_of(name))

    def _has_changed(self, name: str, *, is_found: bool) -> bool:
        stamp = self._observed[name] = stamp_of(name)
        if name not in self._stamps:
            self._stamps[name] = stamp
            # What appears in a folder is new; a module that is imported late is not, unless it was edited meanwhile.
            return is_found or (stamp is not None and self._began < stamp[0] <= time.time_ns())
        if stamp is None and self._stamps[name] is not None:  # gone for good, or an editor is about to write it anew
            was_missing = name in self._missing
            self._missing.add(name)
            return was_missing
        self._missing.discard(name)
        return stamp != self._stamps[name]

    def _found(self) -> Iterator[str]:
        names = [*named_files(self._config)]
        for root in self._roots:
            names += python_files(root)
        return self._without_excluded(names)

    def _loaded(self) -> Iterator[str]:
        return self._without_excluded([*loaded_files(), *self._blamed])

    def _without_excluded(self, names: Iterable[str]) -> Iterator[str]:
        patterns = self._config.development.exclude_patterns
        return (name for name in names if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns))


def source_roots(config: Config) -> Iterator[str]:
    """Yield the folders to search: those of `pythonpath`, and the packages of mounts that are elsewhere."""
    own = [str(folder) for folder in config.pythonpath]
    yield from own
    yield from (str(mount.folder) for mount in config.mounts if isinstance(mount, FleetMount))
    yield from (path for path in _extra_files(config) if os.path.isdir(path))  # noqa: PTH112 (a pattern's match)
    for name in {target.module.partition(".")[0] for target in _targets(config)}:
        with contextlib.suppress(ImportError, ValueError, AttributeError):  # no such module, or one without a spec
            spec = importlib.util.find_spec(name)
            for folder in (spec and spec.submodule_search_locations) or ():
                if not is_installed(folder) and not folder.startswith(tuple(root + os.sep for root in own)):
                    yield folder


def named_files(config: Config) -> Iterator[str]:
    """Yield files that are watched even before they exist: the configuration, extra files, the modules of targets."""
    if config.path:
        yield str(config.path)
    yield from map(str, config.env_files or [config.folder / USUAL_NAME])
    yield from _extra_files(config)
    for target in _targets(config):
        if target.file:
            yield str(config.folder / target.file)
            continue
        for folder in config.pythonpath:
            path = str(folder.joinpath(*target.module.split(".")))
            yield f"{path}.py"
            yield os.path.join(path, "__init__.py")  # noqa: PTH118 (the others are texts, too)


def _extra_files(config: Config) -> Iterator[str]:
    for pattern in config.development.extra_files:
        path = str(config.folder / pattern)
        yield from glob.glob(path, recursive=True) or [path]  # noqa: PTH207 (a pattern may be absolute)


def _targets(config: Config) -> Iterator[Target]:
    yield from config.middleware
    for mount in config.mounts:
        yield from mount.middleware
        if isinstance(mount, AppMount):
            yield mount.target


def python_files(root: str) -> Iterator[str]:
    """Yield the Python files below a folder, without those of virtual environments and installed packages.

    Folders are not searched if neither they nor their parents have any; modules loaded from there are watched anyway.
    """
    has_python = {os.path.dirname(root): True}  # noqa: PTH120 (os.walk gives texts)
    for folder, below, files in os.walk(root):
        names = [name for name in files if name.endswith(".py") and not name.startswith((".", "#"))]
        has_python[folder] = bool(names)
        is_foreign = folder != root and not _ENVIRONMENT.isdisjoint((*files, *below))
        if is_foreign or not (names or has_python[os.path.dirname(folder)]):  # noqa: PTH120
            below.clear()
            continue
        below[:] = [name for name in below if name not in _FOREIGN and not name.startswith(".")]
        yield from (f"{folder}{os.sep}{name}" for name in names)


def loaded_files() -> Iterator[str]:
    """Yield the files of the loaded modules, without those of Python and of installed packages."""
    for module in list(sys.modules.values()):  # as it is now: applications may load more meanwhile
        name = getattr(module, "__file__", None)
        if isinstance(name, str) and not is_installed(name):
            yield name


def is_installed(name: str) -> bool:
    """Return whether a file or folder belongs to Python itself or to an installed package."""
    return name.startswith(_STANDARD) or any(part in name for part in _INSTALLED)


def blamed_files(error: BaseException) -> set[str]:
    """Return the files in the tracebacks of an error and its causes, and those with a syntax error."""
    names: set[str] = set()
    for each in causes(error):
        names |= {frame.f_code.co_filename for frame, _ in walk_tb(each.__traceback__)}
        if isinstance(each, SyntaxError) and isinstance(each.filename, str):
            names.add(each.filename)
    return {name for name in names if os.path.isabs(name)}  # noqa: PTH117 (not such as <string>)
