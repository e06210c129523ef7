"""Entries that mount one file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from multiserve.config.kinds.mount import Entry, Mount
from multiserve.config.tables import option


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMount(Mount):
    """One file at one URL.

    Attributes:
        path: The file, absolute.
    """

    kind = "file"
    given = "file"
    noun = "a file"
    example = '{ file = "name" }'
    help = "The file that answers at this URL alone, relative to the folder of the configuration."
    path: Path
    max_age: int | None = option(
        None,
        help="Seconds for which browsers may keep the file; by default they ask each time.",
        minimum=0,
        maximum=10**9,
    )

    @classmethod
    def read_entry(cls, entry: Entry) -> Self | None:
        """Read a file; None without a key or without a name."""
        text = entry.text()
        if text == "":
            entry.refuse("there is no name", 'Name a file, such as "site/robots.txt".')
        path = entry.folder / (text or "")
        if (file := entry.source.file) and os.path.realpath(path) == os.path.realpath(file):
            entry.refuse("this is the configuration, which everybody could read then", "Name another file.")
        mount = entry.read(cls, what=text, path=path)
        return mount if entry.key and text is not None else None
