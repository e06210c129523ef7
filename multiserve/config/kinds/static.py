"""Entries that mount a folder of files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from multiserve.config.kinds.mount import Entry, Mount
from multiserve.config.tables import option


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticMount(Mount):
    """A folder of files.

    Attributes:
        folder: The folder, absolute.
    """

    kind = "static"
    given = "static"
    noun = "a static folder"
    example = '{ static = "folder" }'
    help = "The folder of files, relative to the folder of the configuration."
    folder: Path
    index: str = option("index.html", help="The file that answers for a folder.")
    fallback: str = option("", help="The file that answers navigations to what is not there, for single-page apps.")
    max_age: int | None = option(
        None,
        help="Seconds for which browsers may keep a file; by default they ask each time.",
        minimum=0,
        maximum=10**9,
    )
    immutable: tuple[str, ...] = option((), help="Files that never change, such as those with a hash in their names.")
    dot_files: bool = option(default=False, help="Serve files whose names begin with a dot, too.")

    @classmethod
    def read_entry(cls, entry: Entry) -> Self | None:
        """Read a static folder; None without a key or without the name of a folder."""
        text = entry.text()
        place = entry.folder / (text or "")
        if text is not None and (not text or entry.folder.resolve().is_relative_to(place.resolve())):
            hint = 'Name a folder of files alone, such as "static".'
            held = "configuration" if entry.source.file else "applications"
            entry.refuse(f"this folder holds the {held}, which everybody could read then", hint)
        mount = entry.read(cls, what=text, folder=place)
        return mount if entry.key and text is not None else None
