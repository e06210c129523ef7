"""What a running server says of itself; `multiserve.reports.status` has the type of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

from multiserve.config.mounts import GroupedMount, Mount
from multiserve.servers.production.groups.memory import resident
from multiserve.servers.production.groups.supervised import SupervisedGroup


def describe_group(group: SupervisedGroup, measure: Callable[[int], int] = resident) -> dict[str, Any]:
    """Return the status of a group; `measure` returns the memory of a process."""
    process = group.current
    state = "down" if group.failure else "up" if process and process.reported.is_ready else "starting"
    return {
        "name": group.group.name,
        "state": state,
        "process": _process(process.pid, measure) if process else None,
        "since": process.since if process else None,
        "workers": [_process(pid, measure) for pid in process.reported.workers] if process else [],
        "restarts": group.restarts,
        "last_failure": group.last_failure,
    }


def describe_mount(mount: Mount, broken: Mapping[str, str], maintained: Collection[str] = ()) -> dict[str, Any]:
    """Return the status of a mount.

    Args:
        mount: The mount.
        broken: Why mounts answer 503, by their names.
        maintained: The names of those that are in maintenance.
    """
    state = "maintenance" if mount.name in maintained else "failed" if mount.name in broken else "ok"
    inner = mount.mount if isinstance(mount, GroupedMount) else mount
    return {
        "mount": mount.name,
        "target": inner.what,
        "group": mount.group,
        "state": state,
        "reason": broken.get(mount.name, ""),
    }


def describe_server(arbiter: Any, measure: Callable[[int], int] = resident) -> dict[str, Any]:
    """Return the status of the server of a master in front; `measure` returns the memory of a process."""
    broken = {**arbiter.current.reasons, **arbiter.groups.broken}
    return {
        "process": _process(os.getpid(), measure),
        "since": arbiter.since,
        "workers": [_process(pid, measure) for pid in arbiter.current.members],
        "groups": [describe_group(group, measure) for group in arbiter.groups.running],
        "mounts": [describe_mount(mount, broken, arbiter.pages) for mount in arbiter.app.config.mounts],
    }


def _process(pid: int, measure: Callable[[int], int]) -> dict[str, Any]:
    return {"pid": pid, "memory": measure(pid)}
