"""What the process in front knows of those of the groups: each leaves a file beside its socket when it is ready."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from multiserve.composition import Composition
from multiserve.config.model import Config
from multiserve.config.mounts import GroupedMount, Mount
from multiserve.mounts.grouped.proxy import DOWN

_READY = ".ready"  # the end of the name of the file
_TICK = 0.02  # seconds
_PATIENCE = 10.0  # seconds: a group that never gets ready must not hide where the others are


def note_start(socket: str) -> None:
    """Note that the process of a group is starting."""
    with contextlib.suppress(OSError):
        Path(f"{socket}{_READY}").unlink()


def note_ready(socket: str, broken: Mapping[str, str]) -> None:
    """Note that it is ready.

    Args:
        socket: The path of its socket.
        broken: Why each mount that it cannot serve answers 503.
    """
    path = Path(f"{socket}{_READY}")
    scratch = path.with_suffix(".new")
    with contextlib.suppress(OSError):  # the parent has removed the folder
        scratch.write_text(json.dumps(dict(broken)), "utf-8")
        scratch.replace(path)


class States:
    """The states of the groups of a configuration."""

    def __init__(self, config: Config) -> None:
        """Look at the groups of the process in front."""
        self._mounts = tuple(mount for mount in config.mounts if isinstance(mount, GroupedMount))
        self._sockets = {mount.name: mount.socket for mount in self._mounts}
        self._seen = self._stamps()

    def add_to(self, composition: Composition) -> Composition:
        """Return a composition that knows which mounts of groups cannot be served."""
        if not self._mounts:
            return composition
        own = composition.failure_of_start
        return replace(composition, failure_of_start=lambda name: self._failure_of(name) or own(name))

    def _failure_of(self, name: str) -> str:
        """Return why the mount of a name cannot be served; empty if it can, or may yet."""
        socket = self._sockets.get(name)
        if socket is None:
            return ""
        with contextlib.suppress(OSError):
            return Path(f"{socket}{DOWN}").read_text("utf-8")
        with contextlib.suppress(OSError, ValueError):
            broken: dict[str, str] = json.loads(Path(f"{socket}{_READY}").read_text("utf-8"))
            return broken.get(name, "")
        return ""

    def wait(self, progress: Callable[[Mount], AbstractContextManager[object]]) -> None:
        """Wait until it is known which mounts can be served, but not for long.

        Args:
            progress: Show that a mount is being loaded.
        """
        deadline = time.monotonic() + _PATIENCE
        for mount in self._mounts:
            files = [Path(f"{mount.socket}{end}") for end in (_READY, DOWN)]
            with progress(mount):
                while not any(file.exists() for file in files) and time.monotonic() < deadline:
                    time.sleep(_TICK)

    def have_restarted(self) -> bool:
        """Return whether the process of a group has become ready since the last look, and not for the first time."""
        before, self._seen = self._seen, {**self._seen, **self._stamps()}
        return any(before.get(socket, stamp) != stamp for socket, stamp in self._seen.items())

    def _stamps(self) -> dict[str, int]:
        stamps = {}
        for socket in set(self._sockets.values()):
            with contextlib.suppress(OSError):
                stamps[socket] = Path(f"{socket}{_READY}").stat().st_mtime_ns
        return stamps
