"""What a server has counted, for Prometheus: `/metrics`. Names are those of OpenTelemetry where it has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate
from typing import Any

from multiserve.dispatch.counting.counts import (
    ACTIVE,
    BUCKETS,
    METHODS,
    OPEN,
    OPENED,
    UNMATCHED,
    durations,
    responses,
)
from multiserve.servers.management.exchange import Request, Response
from multiserve.servers.management.exposition import CONTENT_TYPE, Family, expose
from multiserve.servers.management.state import State
from multiserve.servers.management.totals import Totals

_BOUNDS = [*map(repr, BUCKETS), "+Inf"]


def metrics(state: State, totals: Totals, measure: Callable[[int], int], _: Request) -> Response:
    """Return all metrics.

    Args:
        state: The state of the server.
        totals: What its workers have counted.
        measure: Return the bytes of memory that a process has in use.
    """
    names = [mount["mount"] for mount in state.status.get("mounts", ())]
    sums = totals.read()
    rows = {name or "unmatched": sums[name] for name in [*names, UNMATCHED] if name in sums}  # no key is that word
    families = [*_traffic(rows), *_parts(state), _memory(state, measure)]
    return Response(body=expose(families), content_type=CONTENT_TYPE)


def _traffic(rows: Mapping[str, Sequence[int]]) -> Iterator[Family]:
    """Yield what the requests to each mount have come to."""
    duration = Family(
        "http_server_request_duration_seconds", "histogram", "Seconds from a request to the end of its response."
    )
    answers = Family("http_server_responses_total", "counter", "Responses by the class of their status.")
    active = Family("http_server_active_requests", "gauge", "Requests that are being answered.")
    opened = Family("multiserve_websockets_opened_total", "counter", "WebSockets that were opened.")
    still = Family("multiserve_websockets_open", "gauge", "WebSockets that are open.")
    for name, row in rows.items():
        for method in METHODS:
            buckets, seconds = durations(row, method)
            if not any(buckets):
                continue
            labels = {"http_route": name, "http_request_method": method}
            counts = list(accumulate(buckets))
            for bound, count in zip(_BOUNDS, counts, strict=True):
                duration.add(count, "_bucket", **labels, le=bound)
            duration.add(seconds, "_sum", **labels)
            duration.add(counts[-1], "_count", **labels)
        for kind, count in responses(row).items():
            if count or kind != "none":
                answers.add(count, http_route=name, http_response_status_class=kind)
        active.add(row[ACTIVE], http_route=name)
        opened.add(row[OPENED], http_route=name)
        still.add(row[OPEN], http_route=name)
    yield from (duration, answers, active, opened, still)


def _parts(state: State) -> Iterator[Family]:
    """Yield what is known of mounts, workers, groups and reloads."""
    mounts = Family("multiserve_mount_up", "gauge", "Whether a mount is served: 0 where it answers 503.")
    for mount in state.status.get("mounts", ()):
        mounts.add(int(mount["state"] == "ok"), http_route=mount["mount"])
    groups = Family("multiserve_group_up", "gauge", "Whether the process of a group serves.")
    restarts = Family("multiserve_group_restarts_total", "counter", "How often the process of a group was restarted.")
    for group in state.status.get("groups", ()):
        groups.add(int(group["state"] == "up"), group=group["name"])
        restarts.add(group["restarts"], group=group["name"])
    workers = Family("multiserve_workers", "gauge", "Worker processes, without those of groups.")
    workers.add(len(state.status.get("workers", ())))
    started = Family("multiserve_workers_started_total", "counter", "Worker processes that were started.")
    started.add(state.started)
    reloads = Family("multiserve_reloads_total", "counter", "Reloads by their outcome.")
    for outcome, count in state.reloads.items():
        reloads.add(count, outcome=outcome)
    info = Family("multiserve_build_info", "gauge", "The version of multiserve.")
    info.add(1, version=_version())
    yield from (mounts, groups, restarts, workers, started, reloads, info)


@cache
def _version() -> str:
    try:
        return version("multiserve")
    except PackageNotFoundError:  # the code was copied, not installed
        return "unknown"


def _memory(state: State, measure: Callable[[int], int]) -> Family:
    """Return the memory of the master, and of all workers and groups together."""
    family = Family("multiserve_memory_bytes", "gauge", "Resident memory of the processes of a kind together.")
    status: Mapping[str, Any] = state.status
    if not status:
        return family
    family.add(measure(status["process"]["pid"]), process="master", group="")
    family.add(sum(measure(worker["pid"]) for worker in status["workers"]), process="workers", group="")
    for group in status["groups"]:
        pids = [each["pid"] for each in (group["process"], *group["workers"]) if each]
        family.add(sum(map(measure, pids)), process="group", group=group["name"])
    return family
