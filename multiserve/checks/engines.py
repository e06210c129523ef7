"""Checks of what would break where an export runs the mounts: other machines, several copies, read-only files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from multiserve.checks.check import check
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.config.mounts import FileMount, FleetMount, ProxiedMount, StaticMount
from multiserve.findings import Finding
from multiserve.frameworks.worker_state import SHINY, STREAMLIT, kept_in_worker
from multiserve.hosts import is_loopback

_OF_IMAGES = ("kubernetes", "compose")


@check(
    "MS181",
    "warning",
    "a file or folder is outside of that of the configuration",
    consequence="An image with the folder of the configuration does not have it.",
    scope="origin",
)
def outside(subject: Subject) -> Iterator[Finding]:
    """A container has what its image has, which is usually the folder of the configuration and nothing around it.

    Static folders, files, fleets, `pythonpath`, and the `directory` of a group are looked at. Only check --for
    kubernetes and --for compose look for this.
    """
    if subject.config.engine not in _OF_IMAGES:
        return
    folder = subject.config.folder
    for key, named, member in _paths(subject):
        path = Path(os.path.normpath(named))
        if not path.is_relative_to(folder):
            message = f"{path} is outside of {folder}"
            cure = "Move it there, or put it into the image at the same place."
            yield outside.found(*([member] if member else []), message=message, cure=cure, key=key)


def _paths(subject: Subject) -> Iterator[tuple[str, Path, CheckedMount | None]]:
    """Yield what the file names: the key path of each, the path, and the mount that it belongs to."""
    config = subject.config
    for member in subject.members:
        mount = member.mount
        if isinstance(mount, StaticMount | FleetMount):
            yield mount.place, Path(mount.folder), member
        elif isinstance(mount, FileMount):
            yield mount.place, Path(mount.path), member
    yield from ((subject.pythonpath_key(path), path, None) for path in config.pythonpath)
    for group in config.groups.values():
        yield from ((f"{group.toml_key}.pythonpath", path, None) for path in group.pythonpath)
        if group.directory is not None:
            yield f"{group.toml_key}.directory", group.directory, None


@check(
    "MS182",
    "warning",
    "a proxied mount goes to this machine",
    consequence="Inside a container that is the container itself, where nothing answers.",
    scope="origin",
)
def loopback(subject: Subject) -> Iterator[Finding]:
    """In a container, 127.0.0.1 and localhost are the container, and a unix socket is a file of the container.

    Only check --for kubernetes and --for compose look for this.
    """
    for member in subject.members if subject.config.engine in _OF_IMAGES else ():
        mount = member.mount
        if isinstance(mount, ProxiedMount) and (mount.upstream.socket or is_loopback(mount.upstream.address)):
            message = f"it hands requests on to {mount.what}"
            cure = 'Name the host by which the other container is found, such as proxy = "http://name:5173".'
            yield loopback.found(member, message=message, cure=cure)


@check(
    "MS183",
    "warning",
    "an application writes a file beside its code",
    consequence="It cannot be written there, and another copy of the application has another one.",
    scope="origin",
)
def files_beside_code(subject: Subject) -> Iterator[Finding]:
    """A container has a read-only root, and what is written elsewhere is lost with it; each copy has files of its own.

    A service of systemd may write nowhere but where its file says. The databases of SQLite that the settings of Django
    and Flask name, and MEDIA_ROOT of Django, are looked at. Only check --for looks for this.
    """
    if not subject.config.engine:
        return
    folder, seen = subject.config.folder, set[object]()
    for member in subject.readable:
        if member.identity in seen or member.facts is None:
            continue
        seen.add(member.identity)
        for setting in member.facts.written_files:
            if not (folder / setting.value).is_relative_to(folder):
                continue  # on purpose, such as where a volume is
            message = f"{setting.name} is {subject.shorten(folder / setting.value)}"
            yield files_beside_code.found(member, message=message, cure=_other_place(subject.config.engine))


def _other_place(engine: str) -> str:
    if engine == "systemd":
        return "Put it below a folder that StateDirectory or ReadWritePaths of the service names."
    return "Take a database server or a storage service, or a volume that is mounted there, with one copy alone."


@check(
    "MS184",
    "warning",
    "clients need the same copy each time",
    consequence="Some of their requests fail, at random.",
)
def copies(subject: Subject) -> Iterator[Finding]:
    """Each of several pods has its own memory, and a request goes to whichever pod the Service picks.

    What is kept in a worker (MS172) is kept in a pod likewise. An application that keeps state in variables of its own
    cannot be seen: it needs one copy, too. Only check --for kubernetes looks for this, where units have two pods.
    """
    if subject.config.engine != "kubernetes":
        return
    seen: set[int] = set()
    for member in subject.members:
        kept = kept_in_worker(member.loaded.origin)
        if kept and id(member.loaded.origin) not in seen:
            seen.add(id(member.loaded.origin))
            yield copies.found(
                member,
                message=f"its {kept} are each in one of the pods",
                cure="Export with --replicas 1, or have the front send each client to the same pod.",
                severity="note" if kept in (SHINY, STREAMLIT) else "warning",
            )


@check(
    "MS185",
    "note",
    "variables come from a file beside the configuration",
    consequence="If it is not there where the mounts run, the variables are missing; if it is in an image, everybody "
    "who has the image has them.",
    scope="origin",
)
def env_files(subject: Subject) -> Iterator[Finding]:
    """A `.env` file is read wherever it lies beside the configuration, and usually holds secrets.

    Only check --for looks for this.
    """
    for path in subject.config.env_files if subject.config.engine else ():
        where = {"kubernetes": "a Secret", "compose": "the environment of the services"}
        cure = f"Leave it out, and set its variables by {where.get(subject.config.engine, 'EnvironmentFile')}."
        message = f"{subject.shorten(path)} sets variables"
        yield env_files.found(message=message, cure=cure, key=subject.key("env"))


CHECKS = (outside, loopback, files_beside_code, copies, env_files)
