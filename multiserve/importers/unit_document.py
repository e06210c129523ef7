"""A document of NGINX Unit while it is read: what is in it, where, and the draft that it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multiserve.drafts import Draft
from multiserve.importers import json_lines


@dataclass(slots=True)
class UnitDocument:
    """One document.

    Attributes:
        draft: What is read goes into it.
        document: The whole file.
        lines: The line of each value.
        folder: The folder of the file.
        used: The applications that are mounted.
        open: The routes that are being read, one inside the other.
    """

    draft: Draft
    document: dict[str, Any]
    lines: dict[json_lines.Path, int]
    folder: Path
    used: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)

    @property
    def applications(self) -> dict[str, dict[str, Any]]:
        """The applications, without what is none."""
        found = self.document.get("applications")
        return {name: each for name, each in found.items() if isinstance(each, dict)} if isinstance(found, dict) else {}

    def line(self, place: json_lines.Path) -> int:
        """Return the line of a value; 0 if it is not in the file."""
        return self.lines.get(place, 0)
