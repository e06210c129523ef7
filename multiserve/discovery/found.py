"""What the readers find: things that can be mounted, and remarks about those that cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """Something that can be mounted.

    Attributes:
        kind: What it is, such as Flask, or static files.
        options: What the mount has: `app` or `static`, and further options.
        where: The file and the line, or the folder, relative to the folder that was looked at.
        names: What its prefix can be called, the best one first.
        pythonpath: The folder that its imports need, relative; empty for the folder itself.
        env: The environment variables that it needs.
        comment: What is said about it in the file.
        key: Where it has to be mounted, if it knows that itself; empty if not.
        is_certain: Whether it certainly is to be mounted.
        is_whole: Whether it can only be mounted at the root.
        file: The Python file that it is in, relative; empty if it is in none.
    """

    kind: str
    options: Mapping[str, Any]
    where: str
    names: tuple[str, ...] = ()
    pythonpath: str = ""
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    comment: str = ""
    key: str = ""
    is_certain: bool = True
    is_whole: bool = False
    file: str = ""

    @property
    def what(self) -> str:
        """The target or the folder."""
        return str(self.options.get("app") or self.options.get("static"))


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that is not mounted.

    Attributes:
        what: What it is, and where, as text.
        reason: Why it is not mounted, or what to do.
        file: The Python file that it is in, relative; empty if it is in none.
    """

    what: str
    reason: str
    file: str = ""
