"""Where a configuration comes from, as one value: reading it again reads the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or the targets of a command line.

    Attributes:
        path: The file; for targets the folder in which the command was given.
        targets: The targets as they were typed, each with or without a key; empty for a file.
    """

    path: Path
    targets: tuple[str, ...] = ()

    @property
    def file(self) -> Path | None:
        """The file; None for targets."""
        return None if self.targets else self.path

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.path if self.targets else self.path.parent

    @property
    def heading(self) -> str:
        """What stands above the problems of a file; empty for targets, whose problems have the arguments as keys."""
        return "" if self.targets else str(self.path)

    def absolute(self) -> Source:
        """Return the same source, wherever the process goes."""
        return replace(self, path=self.path.absolute())

    def __str__(self) -> str:
        return "the command line" if self.targets else str(self.path)
