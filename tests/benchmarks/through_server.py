"""A request through a server: multiserve against what a user would run instead."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from load import echoes_per_second, load_beside, requests_per_second, slowest_milliseconds
from processes import (
    ASGI,
    GTHREAD,
    SAME_SETTINGS,
    Running,
    Server,
    cpu_seconds,
    gunicorn,
    multiserve,
    multiserve_with,
    serving,
)
from rounds import Contender, Effort, Goal, Row, Sample, at_least, compare

_SECONDS = 1  # of each load: short ones in turn, so that all are measured under the same conditions
_MARGIN = 5  # seconds for which the load beside a measurement goes on at most


@dataclass(frozen=True)
class Match:
    """Servers that are up together, and loaded one at a time.

    Attributes:
        peer: What ours are compared with.
        ours: One or more.
        goal: What the ratio of the rates should be.
        rate: What measures an address for some seconds.
        beside: The path that is loaded at the same time; empty for none.
    """

    peer: Server
    ours: tuple[Server, ...]
    goal: Goal | None
    rate: Callable[[str, float], float] = requests_per_second
    beside: str = ""


_SLOW = {"/app": "bare_wsgi", "/slow": "slow_wsgi"}
_BOUND = "[mounts.'/slow']\napp = 'hello:slow_wsgi'\nmax_concurrency = 2\n[gunicorn]\nworkers = 1\n"
_MATCHES = (
    Match(
        gunicorn("gunicorn gthread, same settings", "bare_wsgi", *GTHREAD, *SAME_SETTINGS),
        (
            multiserve("bare WSGI, one of 3", "bare_wsgi", *(["bare_wsgi"] * 2)),
            multiserve("bare WSGI, one of 100", "bare_wsgi", *["bare_wsgi"] * 99),
        ),
        at_least(0.97),
    ),
    Match(
        gunicorn("gunicorn gthread, same settings", "make_flask()", *GTHREAD, *SAME_SETTINGS),
        (multiserve("Flask, one of 3", "make_flask()", *(["bare_wsgi"] * 2)),),
        at_least(0.97),
    ),
    Match(
        gunicorn("gunicorn asgi, same settings", "make_starlette()", *ASGI, *SAME_SETTINGS),
        (
            multiserve("Starlette, one of 3", "make_starlette()", *(["echo"] * 2)),
            multiserve("Starlette, one of 100", "make_starlette()", *["echo"] * 99),
        ),
        at_least(0.97),
    ),
    Match(
        gunicorn("gunicorn asgi", "echo", *ASGI, *SAME_SETTINGS),
        (multiserve("WebSocket echo, mixed set", "echo", "bare_wsgi"),),
        at_least(0.97),
        echoes_per_second,
    ),
    Match(
        gunicorn("gunicorn gthread", "bare_wsgi", *GTHREAD),
        (multiserve("bare WSGI, mixed set", "bare_wsgi", "make_starlette()"),),
        at_least(1.5),
    ),
    Match(
        gunicorn("gunicorn gthread", "make_flask()", *GTHREAD),
        (multiserve("Flask, mixed set", "make_flask()", "make_starlette()"),),
        at_least(1.0),
    ),
    Match(
        gunicorn("gthread, glued by hand", "glued()", *GTHREAD, path="/app/hello"),
        (
            multiserve_with("p99 beside a slow mount", _SLOW, "/app/hello"),
            multiserve_with("p99, max_concurrency = 2 on it", {"/app": "bare_wsgi"}, "/app/hello", settings=_BOUND),
            multiserve_with("p99, mixed set", {**_SLOW, "/socket": "echo"}, "/app/hello"),
        ),
        None,
        slowest_milliseconds,
        beside="/slow/hello",
    ),
)


def run(effort: Effort) -> Iterator[Row]:
    """Measure all, and yield their rows."""
    for match in _MATCHES:
        with serving((match.peer, *match.ours)) as running:
            peer, *ours = [Contender(each.server.name, partial(_measure, match, each)) for each in running]
            yield from compare(peer, ours, effort.loads, match.goal)


def _measure(match: Match, running: Running) -> Sample:
    beside = load_beside(running.host + match.beside, _SECONDS + _MARGIN) if match.beside else contextlib.nullcontext()
    before, began = cpu_seconds(running.session), time.perf_counter()
    with beside:
        value = match.rate(running.address, _SECONDS)
    busy = cpu_seconds(running.session) - before
    # A latency says nothing for a second of the processor.
    is_rate = match.rate is not slowest_milliseconds
    return Sample(value, value * (time.perf_counter() - began) / busy if busy and is_rate else 0.0)
