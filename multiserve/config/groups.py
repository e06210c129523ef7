"""`[groups]`: mounts in processes of their own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from multiserve.config.environment import read_env, read_pythonpath
from multiserve.config.kinds.mount import Mount
from multiserve.config.tables import Table, did_you_mean, option

NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"
_SIZE = r"([0-9]{1,13})([KkMmGg]?)[Bb]?"
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_LEAST_MEMORY = 16 * 1024**2  # an interpreter with nothing in it takes about that

# What a group has from its parent, and what its own options are for.
_OWN_WAYS = {
    **dict.fromkeys(("bind", "backlog"), "The group listens on a socket that multiserve makes."),
    **dict.fromkeys(("certfile", "keyfile", "ca_certs"), "Write it under [gunicorn]: clients speak to that process."),
    **dict.fromkeys(("daemon", "pidfile"), "Write it under [gunicorn]: the group runs and ends with that process."),
    **dict.fromkeys(("accesslog",), "Write it under [gunicorn]: that process logs the requests of all mounts."),
    **dict.fromkeys(("chdir",), "Write directory in the table of the group."),
    **dict.fromkeys(("user", "group"), "Write user in the table of the group."),
    **dict.fromkeys(("workers",), "Write workers in the table of the group."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`[groups.NAME]`: the process of some mounts.

    Attributes:
        name: Its name.
        toml_key: The key path of its table.
    """

    name: str
    toml_key: str
    python: Path | None = option(
        None,
        help="A virtual environment, or an interpreter: any CPython. By default the one that runs multiserve.",
    )
    pythonpath: tuple[Path, ...] = option(
        (), help="Folders to search for modules first, before those of the whole configuration."
    )
    directory: Path | None = option(None, help="The working directory.")
    env: Mapping[str, str] = field(
        default_factory=dict,
        metadata={"help": "Environment variables; they count before those of the whole configuration."},
    )
    workers: int = option(1, help="With --production: worker processes.", minimum=1, maximum=1000)
    max_memory: int = option(
        0,
        help='With --production: memory, such as "512M", above which a worker is replaced; 0 is no bound.',
        minimum=0,
        text=f"^{_SIZE}$",
    )
    max_open_files: int = option(
        0,
        help="Files and connections that each process may have open; 0 is what multiserve may have.",
        minimum=0,
        maximum=10_000_000,
    )
    user: str = option("", help="With --production: the user to run as, where multiserve is started as root.")
    gunicorn: Mapping[str, Any] = field(
        default_factory=dict,
        metadata={"help": "With --production: settings of gunicorn for this group, before those of [gunicorn]."},
    )

    def mounts_of(self, mounts: Iterable[Mount]) -> tuple[Mount, ...]:
        """Return the mounts that belong to it."""
        return tuple(mount for mount in mounts if mount.group == self.name)


def read_groups(table: Table, mounts: Sequence[Mount], folder: Path) -> Mapping[str, Group]:
    """Read `[groups]`, and check that each of them has mounts, and each mount its group.

    Args:
        table: The table that holds everything.
        mounts: The mounts.
        folder: The folder that relative paths start from.
    """
    groups = table.table("groups")
    used = {mount.group for mount in mounts if mount.group}
    read: dict[str, Group] = {}
    names: dict[str, str] = {}
    for name in groups:
        if not re.fullmatch(NAME, name):
            groups.refuse(name, "this is no name for a group", "Use letters, digits, - and _, at most 40 of them.")
            continue
        if (earlier := names.setdefault(name.lower(), name)) != name:
            groups.refuse(name, f"another spelling of {groups.path(earlier)}", "Keep one of the two.")
            continue
        if name not in used:
            hint = f'Write group = "{name}" on each of its mounts, such as {{ app = "module:app", group = "{name}" }}.'
            groups.refuse(name, "no mount is in this group", hint)
        read[name] = _read_group(groups.table(name), name, folder)
    _refuse_unknown(table, groups, mounts)
    return MappingProxyType(read)


def _refuse_unknown(table: Table, groups: Table, mounts: Sequence[Mount]) -> None:
    for mount in mounts:
        if mount.group and mount.group not in groups.values and not mount.is_member:
            entry = Table({}, mount.toml_key, table.problems)
            near = did_you_mean(mount.group, groups) if groups.values else ""
            hint = near or f"Write the table [{groups.path(mount.group)}]; it may be empty."
            entry.refuse("group", f'there is no group "{mount.group}"', hint)


def _read_group(table: Table, name: str, folder: Path) -> Group:
    gunicorn = table.table("gunicorn")
    for setting, hint in _OWN_WAYS.items():
        if setting in gunicorn:
            gunicorn.refuse(setting, "this is no setting of a group", hint)
    return table.read(
        Group,
        name=name,
        toml_key=table.key,
        python=_read_path(table, "python", folder),
        pythonpath=tuple(read_pythonpath(table, folder)),
        directory=_read_directory(table, folder),
        env=read_env(table.table("env")),
        max_memory=_read_size(table, "max_memory"),
        gunicorn=MappingProxyType(dict(gunicorn.values)),
    )


def _read_path(table: Table, name: str, folder: Path) -> Path | None:
    text = table.text(name)
    return None if text is None else folder / text


def _read_directory(table: Table, folder: Path) -> Path | None:
    path = _read_path(table, "directory", folder)
    if path is not None and not os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises where a name is too long)
        table.refuse("directory", f"no such folder: {path}", "Paths are relative to the folder of this file.")
    return path


def _read_size(table: Table, name: str) -> int:
    """Read a number of bytes, with a unit or without; 0 if it is missing or wrong."""
    value = table.values.get(name)
    if value is None:
        return 0
    found = re.fullmatch(_SIZE, str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    size = int(found[1]) * _UNITS[found[2].upper()] if found else 0
    if not found:
        table.refuse(name, f"{value!r} is not an amount of memory", 'Write it as "512M" or "2G".')
    elif 0 < size < _LEAST_MEMORY:
        table.refuse(name, f"{value!r} is less than a process takes", 'Write it as "512M" or "2G".')
    return size
