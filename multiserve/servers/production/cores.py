"""How many cores the process may use: those of its affinity, or fewer where its cgroup has a quota."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

_OWN_GROUPS = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Return how many cores the process may use, at least 1; a part of one counts as one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *map(math.ceil, _quotas())]))


def _quotas() -> Iterator[float]:
    """Yield the quotas, in cores, of the cgroups of the process, each of which holds for those in it, too."""
    for hierarchy, path in _own_groups():
        folder = _GROUPS / hierarchy
        own = folder / path.lstrip("/")
        for group in (own, *own.parents):
            # A container sees its own group as the root, whatever path the system has for it.
            with contextlib.suppress(OSError, ValueError):
                quota, period = _read_v1(group) if hierarchy else _read_v2(group)
                if quota > 0 and period > 0:
                    yield quota / period
            if group == folder:
                break


def _own_groups() -> Iterator[tuple[str, str]]:
    """Yield the hierarchies that hold a quota, "" for cgroup v2, each with the path in it (cgroups(7))."""
    try:
        lines = _OWN_GROUPS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:  # another system
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield "", path
        elif "cpu" in controllers.split(","):
            yield "cpu", path


def _read_v2(group: Path) -> tuple[int, int]:
    quota, period = (group / "cpu.max").read_text("ascii").split()  # "max" is no number: no quota
    return int(quota), int(period)


def _read_v1(group: Path) -> tuple[int, int]:
    return int((group / "cpu.cfs_quota_us").read_text("ascii")), int((group / "cpu.cfs_period_us").read_text("ascii"))
