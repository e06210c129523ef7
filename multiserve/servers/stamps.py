"""By what a change of a file is noticed: its time and its size."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, int] | None  # time of the last change in ns, and size; None for what is not there


def stamp_of(name: str) -> Stamp:
    """Return the stamp of a file or a folder."""
    try:
        found = os.stat(name)  # noqa: PTH116 (a tenth of the time, for each file at each look)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size


def stamps_of(names: Iterable[str]) -> dict[str, Stamp]:
    """Return the stamps of some files."""
    return {name: stamp_of(name) for name in names}
