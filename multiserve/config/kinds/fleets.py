"""Entries that mount each application of a folder, and a page that lists them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from multiserve.config.kinds.applications import AppMount
from multiserve.config.kinds.mount import Entry, Mount
from multiserve.config.targets import TargetProblem, parse_target
from multiserve.keys import KeyProblem, MountKey, parse_key


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberMount(AppMount):
    """An application of a fleet, which has its options from there, and no entry of its own."""

    is_member = True

    @property
    def place(self) -> str:
        """Its key and its file: what is wrong with it is not mended at the entry of the fleet."""
        return f"{self.name} ({self.target.file})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetMount(Mount):
    """A folder of applications: each is a mount of its own below the key, and the key itself lists them.

    Attributes:
        folder: The folder, absolute.
        members: The mounts of the applications.
        left_out: What has an application that cannot be mounted here: its name, and why not.
    """

    kind = "fleet"
    given = "fleet"
    noun = "a fleet"
    loads_code = True
    example = '{ fleet = "folder" }'
    help = (
        "A folder of applications, each mounted below this key by the name of its file or package; the key itself "
        "answers with a list of them."
    )
    folder: Path
    members: tuple[MemberMount, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read_entry(cls, entry: Entry) -> Self | None:
        """Read a folder and what is in it; None without a key or without the name of a folder."""
        text = entry.text()
        folder = entry.folder / (text or "")
        is_inside = Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(entry.folder))
        if not is_inside:
            entry.refuse("this folder is outside that of the configuration", "Put the configuration above it.")
        base = entry.read(cls, what=text, folder=folder)
        if entry.key is None or text is None:
            return None
        if not is_inside or not os.path.isdir(folder):  # noqa: PTH112 (Path.is_dir raises where a name is too long)
            return base  # loading it says so
        found = list(_read_members(base, entry))
        return replace(
            base,
            members=tuple(each for each in found if isinstance(each, MemberMount)),
            left_out=tuple(each for each in found if not isinstance(each, MemberMount)),
        )


_SHARED = (
    "middleware",
    "required",
    "slash",
    "group",
    "ignore",
)  # options of the fleet that each of its mounts has as well


def _read_members(fleet: FleetMount, entry: Entry) -> Iterator[MemberMount | tuple[str, str]]:
    from multiserve.discovery.fleets import find_members  # it reads Python files, which no other mount needs

    above = Path(os.path.relpath(os.path.realpath(fleet.folder), os.path.realpath(entry.folder))).as_posix()
    for member in find_members(fleet.folder):
        if not member.target:
            yield member.name, member.reason
            continue
        text = member.target if above == "." else f"{above}/{member.target}"
        try:
            key, target = _key_below(fleet.key, member.name), parse_target(text)
        except (KeyProblem, TargetProblem) as error:
            yield member.name, f"{error}. {error.hint}"
            continue
        if key.placeholders or "*" in member.name:
            yield member.name, "In a key, such a name would stand for many: rename the file."
            continue
        shared = {name: getattr(fleet, name) for name in _SHARED}
        yield MemberMount(key=key, toml_key=fleet.toml_key, what=text, target=target, **shared)


def _key_below(key: MountKey, name: str) -> MountKey:
    return parse_key(f"{key.authority}{key.prefix}/{name}")
