"""Units: which mounts are one deployment of their own, and what starts it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from multiserve.config.groups import Group
from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.errors import Problem
from multiserve.export.lookup import Lookup
from multiserve.keys import MountKey

MAIN = "main"
"""The unit of the mounts without a group, where there are groups."""

REST = "rest"
"""The unit of what has no application to fall back to, where there are no groups."""

FRONT = "front"
"""The name that no unit has: it is that of the proxy in front of them."""

_LONGEST = 40  # characters of a name: those that make longer ones of it may have 63 (RFC 1123)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Some mounts that run as one deployment.

    Attributes:
        name: A DNS label, by which no other unit goes.
        mounts: Its mounts, in the order of the file.
        group: The group that it is; None for the mounts without a group, or where the file has no groups.
        has_environment: Whether the group has an interpreter below the folder of the file.
    """

    name: str
    mounts: tuple[Mount, ...]
    group: Group | None = None
    has_environment: bool = False

    @property
    def arguments(self) -> tuple[str, ...]:
        """What `multiserve run --production` is told, so that one process with one interpreter serves this part."""
        if self.group is not None:
            return ("--only-group", self.group.name)
        return self._keys

    @property
    def arguments_on_host(self) -> tuple[str, ...]:
        """The same for a machine where the group may have an interpreter of its own, which multiserve then starts."""
        return self._keys if self.group is None or self.group.python else self.arguments

    @property
    def arguments_in_image(self) -> tuple[str, ...]:
        """The same for an image with the folder of the file, and so with an interpreter that is below it."""
        return self._keys if self.has_environment else self.arguments

    @property
    def _keys(self) -> tuple[str, ...]:
        return tuple(each for mount in self.mounts if not mount.is_member for each in ("--only", mount.name))


def find_units(config: Config) -> tuple[Unit, ...]:
    """Return the units of a configuration, in the order of the file.

    With groups, each of them is one, and the mounts without a group are one. Without, each application is one. What
    has no application of its own, and tenants, stay with the mount that would answer in their place.
    """
    if config.groups:
        return _units_of_groups(config)
    owners = _find_owners(config)
    keys = {mount.name: mount.key for mount in config.mounts}
    names = _unique_names({owner: _name_of(keys[owner]) if owner else REST for owner in _ordered(owners)})
    return tuple(
        Unit(name=name, mounts=tuple(each for each in config.mounts if owners[each.name] == owner))
        for owner, name in names.items()
    )


def _units_of_groups(config: Config) -> tuple[Unit, ...]:
    order = _ordered({mount.name: mount.group for mount in config.mounts})
    names = _unique_names({group: _label(group) if group else MAIN for group in order})
    return tuple(
        Unit(
            name=name,
            mounts=tuple(each for each in config.mounts if each.group == group),
            group=config.groups[group] if group else None,
            has_environment=bool(group) and _is_below(config.groups[group].python, config.folder),
        )
        for group, name in names.items()
    )


def _is_below(python: Path | None, folder: Path) -> bool:
    return python is not None and python.is_relative_to(folder)


def _ordered(owners: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(owners.values()))


def _find_owners(config: Config) -> dict[str, str]:
    """Return, for the name of each mount, the name of the mount whose unit it is in; empty for the rest."""
    same: dict[str, str] = {}  # by target: an application that is mounted twice is one
    owners: dict[str, str] = {}
    for mount in config.mounts:
        if mount.loads_code and not mount.has_placeholders and not mount.is_member:
            owners[mount.name] = same.setdefault(f"{mount.kind} {mount.what}", mount.name)
    fleets = {mount.toml_key: owners[mount.name] for mount in config.mounts if mount.name in owners}
    owners |= {mount.name: fleets[mount.toml_key] for mount in config.mounts if mount.is_member}
    lookup = Lookup(config.mounts)
    return {mount.name: owners.get(mount.name) or _find_owner(mount, lookup, owners) for mount in config.mounts}


def _find_owner(mount: Mount, lookup: Lookup, owners: Mapping[str, str]) -> str:
    """Return the owner of the next best mount that has one; else that of the root, or none."""
    names = [each.name for each in lookup.rank(mount.key)]
    behind = [*names[names.index(mount.name) + 1 :], str(MountKey())]
    return next((owners[name] for name in behind if name in owners), "")


def find_misled_tenants(config: Config, units: Sequence[Unit]) -> tuple[Problem, ...]:
    """Return a problem for each mount with placeholders, some of whose refused names another unit would answer.

    The front cannot know which names a factory refuses. It sends all of them to one unit, which answers 421 for what
    is elsewhere.
    """
    unit_of = {mount.name: unit.name for unit in units for mount in unit.mounts}
    found: dict[str, list[str]] = {}  # by the key path of the mount
    for _, ranked in Lookup(config.mounts).everything():
        for mount, behind in pairwise(ranked):
            if not mount.has_placeholders:
                break
            if unit_of[mount.name] != unit_of[behind.name]:
                others = found.setdefault(mount.place, [])
                others += [] if behind.name in others else [behind.name]
                break
    return tuple(
        Problem(
            key=place,
            message=f"a name that it refuses gets 421 where {' or '.join(others)} would answer, in another unit",
            hint="If that matters, put them into one group.",
        )
        for place, others in found.items()
    )


def find_default(units: Sequence[Unit]) -> str:
    """Return the name of the unit for what no mount answers, of which any would say 404: that of the root, if any."""
    root = str(MountKey())
    return next((unit.name for unit in units if any(mount.name == root for mount in unit.mounts)), units[0].name)


def _unique_names(wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the names, of which those that are taken have a number behind them."""
    taken = {FRONT}
    names: dict[str, str] = {}
    for key, name in wanted.items():
        numbered = (f"{name}-{number}" for number in range(2, len(wanted) + 3))
        names[key] = name if name not in taken else next(each for each in numbered if each not in taken)
        taken.add(names[key])
    return names


def _name_of(key: MountKey) -> str:
    return _label(f"{key.authority}{key.prefix}") if key.host or key.prefix else "root"


def _label(text: str) -> str:
    """Return a text as a DNS label."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    label = re.sub("[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].strip("-")
    return label if re.match("[a-z]", label) else f"m-{label}".strip("-")
