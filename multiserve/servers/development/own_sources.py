"""What one process of several watches: the sources that it has loaded, so that a save restarts no other process."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from multiserve.config.model import Config
from multiserve.config.mounts import FleetMount
from multiserve.servers.development.watching import Watch, loaded_files, named_files

_HERE = f"{Path(__file__).parents[2]}{os.sep}"  # the folder of this package, which reads no file of an application


class OwnSources(Watch):
    """Notices the changes that concern this process.

    These are the changes of loaded modules, and of whatever the configuration names; new modules in loaded packages;
    and files that are named in a loaded source, such as `config.py` for `from_pyfile`. While a mount cannot be loaded,
    any source may be the one that mends it.
    """

    def __init__(self, config: Config, left_out: Collection[str] = ()) -> None:
        """Record the state of all files.

        Args:
            config: The configuration of this process.
            left_out: Files that the process in front watches for this one.
        """
        self._left_out = frozenset(left_out)
        self._own: set[str] = set()
        self._is_broken = False
        self._meanwhile: set[str] = set()  # what has changed while applications were being loaded
        super().__init__(config)

    def blame(self, error: BaseException) -> None:
        """Watch all sources from now on: a mount could not be loaded."""
        self._is_broken = True
        super().blame(error)

    def changes(self) -> list[str]:
        """Check every file once, and return those that have changed and concern this process."""
        known = set(self._stamps)
        self._own.update(loaded_files())
        changed = super().changes()
        if self._is_broken:  # what has changed before that was known may be the repair as well
            changed, self._meanwhile = [*{*changed, *self._meanwhile}], set()
        if self._is_broken or not changed:
            return changed
        named = {*named_files(self._config), *self._own}
        own = [name for name in changed if name in named or self._is_read(name, is_new=name not in known)]
        others = set(changed).difference(own)
        self._meanwhile = self._meanwhile | others if self.is_loading else set()
        self.accept(self._config, others)
        return own

    def _is_read(self, name: str, *, is_new: bool) -> bool:
        """Return whether this process reads a file, or would, though it is no module that is loaded."""
        folder, base = os.path.split(name)
        roots = [str(mount.folder) for mount in self._config.mounts if isinstance(mount, FleetMount)]
        roots += [str(self._config.folder / extra) for extra in self._config.development.extra_files]
        if any(name.startswith(root.rstrip(os.sep) + os.sep) for root in roots):
            return True
        if is_new and folder in _package_folders():
            return True
        words = re.escape(base)
        if is_new and folder in map(str, self._config.pythonpath):  # may be imported where there is one
            words += rf"|^\s*(?:from|import)\b.*\b{re.escape(base.removesuffix('.py'))}\b"
        pattern = re.compile(words.encode(), re.MULTILINE)
        return any(pattern.search(_read(source)) for source in self._own if not source.startswith(_HERE))

    def _without_excluded(self, names: Iterable[str]) -> Iterator[str]:
        return (name for name in super()._without_excluded(names) if name not in self._left_out)


def _package_folders() -> set[str]:
    """Return the folders of the packages that are loaded."""
    folders: set[str] = set()
    for module in list(sys.modules.values()):
        with contextlib.suppress(Exception):  # some modules are lazy objects that fail
            folders.update(map(str, getattr(module, "__path__", ())))
    return folders


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError:
        return b""
