"""What the processes of a server hold: memory, file descriptors, threads, and children that nobody has waited for."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Figures(NamedTuple):
    """The figures of one process."""

    kilobytes: int
    descriptors: int
    threads: int

    def __str__(self) -> str:
        return f"{self.kilobytes / 1024:.1f} MB, {self.descriptors} file descriptors, {self.threads} threads"


def figures(process: int) -> Figures:
    """Measure one process."""
    folder = Path(f"/proc/{process}")
    resident = int((folder / "statm").read_text().split()[1])
    return Figures(resident * _PAGE // 1024, *(len(list((folder / each).iterdir())) for each in ("fd", "task")))


def children(process: int) -> dict[int, str]:
    """Give the children of a process, and the state of each."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # a process that has just ended
            fields = status.read_text("latin-1").rpartition(")")[2].split()  # from the third on, see proc(5)
            if int(fields[1]) == process:
                found[int(status.parent.name)] = fields[0]
    return found
