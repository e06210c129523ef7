"""What a running server says of its processes, its groups and its mounts, as text and as values for JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Literal, TypedDict

from multiserve.reports.text import table
from multiserve.shortening import first_line
from multiserve.styles import Paint, Role

_MEGABYTE = 1024**2
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


class ProcessJson(TypedDict):
    """A process."""

    pid: Annotated[int, "Its process id."]
    memory: Annotated[int, "Bytes of its resident set."]


class GroupJson(TypedDict):
    """A group."""

    name: Annotated[str, "Its name."]
    state: Annotated[Literal["up", "starting", "down"], "Whether it serves."]
    process: Annotated[ProcessJson | None, "The master of its workers; null while there is none."]
    since: Annotated[float | None, "When that was started, in seconds since 1970; null while there is none."]
    workers: Annotated[list[ProcessJson], "The processes that answer."]
    restarts: Annotated[int, "How often it has been started again without being asked for."]
    last_failure: Annotated[str, "Why a process ended last, or a reload was refused; empty if nothing of that was."]


class MountStatusJson(TypedDict):
    """A mount."""

    mount: Annotated[str, "The key, which names the mount everywhere."]
    target: Annotated[str, "What is mounted, as the file spells it."]
    group: Annotated[str, "Its group; empty for the process in front."]
    state: Annotated[Literal["ok", "failed", "maintenance"], "Whether it answers; the others are 503."]
    reason: Annotated[str, "Why it does not."]


class StatusJson(TypedDict):
    """A server."""

    process: Annotated[ProcessJson, "The master in front."]
    since: Annotated[float, "When it was started, in seconds since 1970."]
    workers: Annotated[list[ProcessJson], "Its workers."]
    groups: Annotated[list[GroupJson], "Its groups."]
    mounts: Annotated[list[MountStatusJson], "All mounts, in the order of the file."]


def text(status: StatusJson, paint: Paint) -> str:
    """Return a status as text."""
    return "\n".join(_lines(status, paint))


def _lines(status: StatusJson, paint: Paint) -> Iterator[str]:
    now = time.time()
    front: GroupJson = {
        "name": "front",
        "state": "up",
        "process": status["process"],
        "since": status["since"],
        "workers": status["workers"],
        "restarts": 0,
        "last_failure": "",
    }
    rows = [_row(each, now, paint) for each in (front, *status["groups"])]
    heading = ("PROCESS", "STATE", "PID", "SINCE", "WORKERS", "MEMORY")
    yield table([[paint(cell, "faint") for cell in heading], *rows], indent="")
    for group in status["groups"]:
        if group["restarts"]:
            yield f"{group['name']} has been started again {_times(group['restarts'])}."
        if group["last_failure"]:
            yield f"{group['name']} failed last: {first_line(group['last_failure'])}"
    yield ""
    yield table(
        [
            [
                each["mount"],
                each["target"],
                each["group"],
                paint(each["state"], _ROLES[each["state"]]),
                first_line(each["reason"]),
            ]
            for each in status["mounts"]
        ],
        indent="",
    )


_ROLES: dict[str, Role] = {
    "up": "good",
    "starting": "warning",
    "down": "bad",
    "ok": "good",
    "failed": "bad",
    "maintenance": "warning",
}


def _row(group: GroupJson, now: float, paint: Paint) -> list[str]:
    process, since = group["process"], group["since"]
    memory = sum(each["memory"] for each in ([process] if process else []) + group["workers"])
    return [
        group["name"],
        paint(group["state"], _ROLES[group["state"]]),
        str(process["pid"]) if process else "",
        _duration(now - since) if since is not None else "",
        str(len(group["workers"])),
        f"{memory / _MEGABYTE:.0f} MB" if memory else "",
    ]


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _duration(seconds: float) -> str:
    """Return a time in its largest unit."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
