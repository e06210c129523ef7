"""Mounts that list the applications of a folder, which are mounts of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import quote

from multiserve.config.kinds.fleets import FleetMount
from multiserve.dispatch import pages
from multiserve.dispatch.answers import Answer, not_found
from multiserve.errors import LoadError, Problem
from multiserve.kinds.own_answers import OwnAnswerKind
from multiserve.loading.mounts import Handlers, LoadedMount, MountLoader
from multiserve.mounts.fleets import FleetIndex

_BROKEN = "It could not be loaded"
_NOT_STARTED = "It could not be started"


class FleetKind(OwnAnswerKind[FleetMount]):
    """Lists what is in the folder; there is nothing to load besides the mounts of the applications."""

    def load(self, mount: FleetMount, loader: MountLoader) -> LoadedMount:
        """Make the list over either interface; what it says is found out when it is asked for.

        Raises:
            LoadError: There is no such folder.
        """
        if not os.path.isdir(mount.folder):  # noqa: PTH112 (Path.is_dir raises where a name is too long)
            hint = "Paths are relative to the folder of the configuration."
            raise LoadError(Problem(key=mount.toml_key, message=f"there is no folder {mount.folder}", hint=hint))
        loader.load_middleware(mount)
        return LoadedMount(mount=mount, handlers=self.list_of(mount, loader))

    @staticmethod
    def list_of(mount: FleetMount, loader: MountLoader) -> Handlers:
        """Return what answers with the list, without middleware."""
        index = FleetIndex(lambda: _describe(_now(mount, loader), loader), not_found())
        return Handlers(index.wsgi, index.asgi)


def _now(fleet: FleetMount, loader: MountLoader) -> FleetMount:
    """Return the mount with the applications that it has now."""
    found = (mount for mount in loader.config.mounts if mount.name == fleet.name)
    return next((mount for mount in found if isinstance(mount, FleetMount)), fleet)


def _describe(fleet: FleetMount, loader: MountLoader) -> Answer:
    """Return the list as it is now."""
    title = f"Applications in {fleet.what}"
    rows = list(_rows(fleet, loader))
    left_out = [(name, "", reason) for name, reason in fleet.left_out] if loader.development else []
    lines = [title, "", *map(_line, rows or [("There is none yet.", "", "")])]
    parts = [pages.entries(rows) if rows else pages.paragraph("There is none yet.")]
    if left_out:
        lines += ["", "Not mounted:", *map(_line, left_out)]
        parts += [pages.paragraph("Not mounted:"), pages.entries(left_out)]
    return Answer("200 OK", "\n".join([*lines, ""]), ("Cache-Control", "no-cache"), page=pages.page(title, *parts))


def _line(row: tuple[str, str, str]) -> str:
    name, _, note = row
    return "\n".join([f"    {name}", *(f"        {line}" for line in note.splitlines())])


def _rows(fleet: FleetMount, loader: MountLoader) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each application, its URL relative to the list, and what is wrong with it."""
    served = {mount.name for mount in loader.config.mounts}
    for member in fleet.members:
        name = member.key.prefix.rpartition("/")[2]
        what, reasons = _why_missing(member.name, loader)
        if not what:
            yield name, f"./{quote(name)}/" if member.name in served else "", ""
        elif not loader.development:
            yield name, "", f"{what}."
        else:
            yield name, f"./{quote(name)}/", "\n".join([f"{what}:", *reasons])


def _why_missing(name: str, loader: MountLoader) -> tuple[str, list[str]]:
    """Return what has gone wrong with a mount, and the reasons; nothing if it is served."""
    if error := loader.failures.get(name):
        return _BROKEN, [text for each in error.problems for text in (each.message, each.hint) if text]
    if failure := loader.failure_of_start(name):
        return _NOT_STARTED, failure.splitlines()[-1:]  # before it there may be a traceback
    return "", []
