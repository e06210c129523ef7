"""The lines of the file at which findings are shown."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from multiserve.config.model import Config
from multiserve.config.mounts import MemberMount


class Place(NamedTuple):
    """A line of a file; the path is empty where there is no file."""

    path: str
    line: int


class FileLines:
    """The configuration as it stands in its file."""

    def __init__(self, path: str, others: Mapping[str, str] = MappingProxyType({})) -> None:
        """Find the lines of all keys; a file that cannot be read has none.

        Args:
            path: The file.
            others: Other files that are meant by a key.
        """
        self.path = path
        self._others = others
        self._lines: list[tuple[list[str], int]] = []
        text = ""
        with contextlib.suppress(OSError, ValueError):
            text = Path(path).read_text("utf-8-sig") if path else ""
        table: list[str] = []
        for number, line in enumerate(text.splitlines(), 1):
            if match := _HEADER.match(line):
                table = _parts(match[1])
                self._lines.append((table, number))
            elif match := _KEY.match(line):
                self._lines.append(([*table, *_parts(match[1])], number))

    def place_of(self, key: str) -> Place:
        """Return the line of a key, or else of the innermost table or value around it; at last it is the first line."""
        if key in self._others:
            return Place(self._others[key], 1)
        if place := place_named_by(key):
            return place
        parts = _parts(key)
        around = [(len(found), -number) for found, number in self._lines if parts[: len(found)] == found]
        return Place(self.path, -max(around, default=(0, -1))[1])


def lines_of(config: Config) -> FileLines:
    """Return the lines of a configuration, with the files of the members of its fleets."""
    members = [mount for mount in config.mounts if isinstance(mount, MemberMount)]
    others = {each.place: str(config.folder / each.target.file) for each in members}
    return FileLines(config.source.heading, others)


def place_named_by(key: str) -> Place | None:
    """Return the place that a key names itself, as the key of a file that is no TOML does."""
    match = _PLACE.fullmatch(key)
    return Place(match[1], int(match[2])) if match else None


_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_PLACE = re.compile(r"(.+\.toml):(\d+)(?::\d+)?")


def _parts(key: str) -> list[str]:
    """Split a key path at its dots, but not at those in quotes."""
    return [part.strip("\"'") for part in re.findall(_PART, key)]
