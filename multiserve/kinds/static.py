"""Mounts of a static folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from multiserve.config.mounts import StaticMount
from multiserve.dispatch.answers import Answer, broken
from multiserve.errors import LoadError, Problem
from multiserve.kinds.own_answers import OwnAnswerKind
from multiserve.loading.mounts import Handlers, LoadedMount, MountLoader

if TYPE_CHECKING:
    from multiserve.mounts.static.folder import StaticFolder


class StaticKind(OwnAnswerKind[StaticMount]):
    """Opens the folder; where it is not there, that is an error of the mount until it is."""

    def load(self, mount: StaticMount, loader: MountLoader) -> LoadedMount:
        """Open the folder, and import the middleware; a folder that is missing may appear later."""
        loader.load_middleware(mount)
        try:
            return LoadedMount(mount=mount, handlers=self.handlers(mount))
        except LoadError as error:
            unavailable = broken(mount.name, error.problems if loader.development else ())
            return LoadedMount(mount=mount, handlers=_wait_for_folder(mount, unavailable), error=error)

    def handlers(self, mount: StaticMount) -> Handlers:
        """Return the folder over either interface."""
        folder = open_folder(mount)
        return Handlers(folder.wsgi, folder.asgi)


def open_folder(mount: StaticMount) -> StaticFolder:
    """Return what serves the folder of a static mount.

    Raises:
        LoadError: There is no such folder, or no such fallback in it.
    """
    # It takes long to import, and most compositions have no static folder.
    from multiserve.mounts.static.folder import StaticFolder

    for problem in _problems_of_folder(mount):
        raise LoadError(problem)
    return StaticFolder(
        mount.folder,
        index=mount.index,
        fallback=mount.fallback,
        max_age=mount.max_age,
        immutable=mount.immutable,
        dot_files=mount.dot_files,
    )


def _wait_for_folder(mount: StaticMount, unavailable: Answer) -> Handlers:
    """Return what answers in place of the folder until it is there."""
    from multiserve.mounts.static.late_folder import LateFolder

    def open_late() -> StaticFolder | None:
        try:
            return open_folder(mount)
        except LoadError:
            return None

    late = LateFolder(open_late, unavailable)
    return Handlers(late.wsgi, late.asgi)


def _problems_of_folder(mount: StaticMount) -> Iterable[Problem]:
    from multiserve.mounts.static.files import Folder

    hint = "Paths are relative to the folder of the configuration."
    if mount.what.startswith("~"):
        hint = "A ~ stands for itself: write the whole path."
    # Path.is_file and Path.is_dir raise where a name is too long.
    if os.path.isfile(mount.folder):  # noqa: PTH113
        yield Problem(key=mount.toml_key, message=f"{mount.folder} is a file", hint="Name the folder that it is in.")
    elif not os.path.isdir(mount.folder):  # noqa: PTH112
        yield Problem(key=mount.toml_key, message=f"there is no folder {mount.folder}", hint=hint)
    elif mount.fallback:
        found = Folder(mount.folder, dot_files=True).open(mount.fallback.split("/"))
        if found is not None:
            found.close()
        if found is None or found.file is None:
            message = f'there is no file "{mount.fallback}" in {mount.folder}'
            yield Problem(key=f"{mount.toml_key}.fallback", message=message, hint="It is a file of the static folder.")
