"""What the page shows, as values for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from multiserve.servers.page.samples import INTERVAL, Sample, Samples, together
from multiserve.shortening import first_line


class TracebackJson(TypedDict):
    """An exception that was logged."""

    time: float
    pid: int
    mount: str
    group: str
    message: str
    text: str


class TrafficJson(TypedDict):
    """What a mount has answered in the last minutes; times are in seconds, and bounds of buckets.

    `median` and `p99` are null without a request, and above the last bound -1.
    """

    requests: int
    errors: int
    median: float | None
    p99: float | None
    requests_each: list[int]
    errors_each: list[int]
    median_each: list[float | None]
    p99_each: list[float | None]


class MountJson(TypedDict):
    """A mount, as `multiserve status` has it, with its URL (empty if there is none) and its traffic."""

    mount: str
    target: str
    group: str
    state: str
    reason: str
    url: str
    traffic: TrafficJson | None


class OverviewJson(TypedDict):
    """All of it. What only the owner may read is empty for anybody else."""

    state: str
    since: float | None
    workers: int
    interval: float
    mounts: list[MountJson]
    groups: list[dict[str, Any]]
    last_reload: dict[str, Any] | None
    is_owner: bool
    message: str
    tracebacks: list[TracebackJson]
    findings: dict[str, Any] | None


def describe_mount(mount: Mapping[str, Any], url: str, samples: Samples | None, *, is_owner: bool) -> MountJson:
    """Return a mount.

    Args:
        mount: What `multiserve status` says of it.
        url: Its URL; empty if it has none that can be followed.
        samples: What has been counted; None where nothing is.
        is_owner: Whether more than the first line of a reason may be shown.
    """
    reason = str(mount["reason"]).strip()
    return {
        "mount": mount["mount"],
        "target": mount["target"],
        "group": mount["group"],
        "state": mount["state"],
        "reason": reason if is_owner else first_line(reason),
        "url": url,
        "traffic": None if samples is None else describe_traffic(samples.of(mount["mount"])),
    }


def describe_traffic(samples: Sequence[Sample]) -> TrafficJson:
    """Return what a mount has answered."""
    total = together(samples)
    return {
        "requests": total.requests,
        "errors": total.errors,
        "median": _seconds(total, 0.5),
        "p99": _seconds(total, 0.99),
        "requests_each": [each.requests for each in samples],
        "errors_each": [each.errors for each in samples],
        "median_each": [_seconds(each, 0.5) for each in samples],
        "p99_each": [_seconds(each, 0.99) for each in samples],
    }


def overview(
    status: Mapping[str, Any], mounts: list[MountJson], state: str, *, message: str = "", is_owner: bool = False
) -> OverviewJson:
    """Return what is known without tracebacks and findings.

    Args:
        status: What `multiserve status` says.
        mounts: Its mounts.
        state: What the server does: starting, serving, stopping.
        message: What became of the last action.
        is_owner: Whether the reader may see everything.
    """
    groups = [dict(group) for group in status.get("groups", ())]
    for group in groups:
        if not is_owner:
            group["last_failure"] = ""
    return {
        "state": state,
        "since": status.get("since"),
        "workers": len(status.get("workers", ())),
        "interval": INTERVAL,
        "mounts": mounts,
        "groups": groups,
        "last_reload": None,
        "is_owner": is_owner,
        "message": message,
        "tracebacks": [],
        "findings": None,
    }


def _seconds(sample: Sample, part: float) -> float | None:
    """Return a quantile; JSON has no infinity."""
    found = sample.quantile(part)
    return -1 if found == math.inf else found
