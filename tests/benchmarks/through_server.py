"""A request through a server: multiserve against what a user would run instead."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from processes import (
    ASGI,
    GTHREAD,
    SAME_SETTINGS,
    STATIC,
    Running,
    Server,
    cpu_seconds,
    granian,
    grouped,
    gunicorn,
    multiserve,
    multiserve_with,
    serving,
    static_in_threads,
    uvicorn,
    waitress,
)
from rounds import Contender, Effort, Goal, Row, Sample, at_least, measure_in_turn, row

from load import (
    downloads_per_second,
    echoes_per_second,
    load_beside,
    requests_per_second,
    slowest_milliseconds,
    uploads_per_second,
)

_SECONDS = 1  # of each load: short ones in turn, so that all are measured under the same conditions
_MARGIN = 5  # seconds for which the load beside a measurement goes on at most


@dataclass(frozen=True)
class Match:
    """Servers that are up together, and loaded one at a time.

    Attributes:
        ours: One or more.
        peers: What each of ours is compared with, and what the ratio of the rates should be.
        rate: What measures an address for some seconds.
        beside: The path that is loaded at the same time; empty for none.
    """

    ours: tuple[Server, ...]
    peers: tuple[tuple[Server, Goal | None], ...]
    rate: Callable[[str, float], float] = requests_per_second
    beside: str = ""


_SLOW = {"/app": "bare_wsgi", "/slow": "slow_wsgi"}
_BOUND = "[mounts.'/slow']\napp = 'hello:slow_wsgi'\nmax_concurrency = 2\n[gunicorn]\nworkers = 1\n"
_ONE = {"/": "echo", "/app": "echo"}
_ALONE = "[gunicorn]\nworkers = 1\n"
_IDS = f"[server]\nrequest_id = true\n{_ALONE}"
_METRICS = f"[server]\nmanage = 'unix:manage.sock'\n{_ALONE}"
_LOGGED = f"{_ALONE}accesslog = 'access.log'\n"
_LOGGED_AS_JSON = f"[server]\nlog = 'json'\n{_LOGGED}"
_MATCHES = (
    Match(
        (
            multiserve("bare WSGI, one of 3", "bare_wsgi", *(["bare_wsgi"] * 2)),
            multiserve("bare WSGI, one of 100", "bare_wsgi", *["bare_wsgi"] * 99),
        ),
        (
            (gunicorn("gunicorn gthread", "bare_wsgi", *GTHREAD), at_least(2.0)),
            (waitress("waitress", "bare_wsgi"), None),
            (granian("granian", "bare_wsgi", "wsgi"), None),
        ),
    ),
    Match(
        (multiserve("Flask, one of 3", "make_flask()", *(["bare_wsgi"] * 2)),),
        (
            (gunicorn("gunicorn gthread", "make_flask()", *GTHREAD), at_least(1.7)),
            (waitress("waitress", "flask_app"), None),
            (granian("granian", "flask_app", "wsgi"), None),
        ),
    ),
    Match(
        (
            multiserve("Starlette, one of 3", "make_starlette()", *(["echo"] * 2)),
            multiserve("Starlette, one of 100", "make_starlette()", *["echo"] * 99),
        ),
        (
            (uvicorn("uvicorn", "starlette_app"), at_least(0.88)),
            (gunicorn("gunicorn asgi", "make_starlette()", *ASGI, *SAME_SETTINGS), None),
            (granian("granian", "starlette_app", "asgi"), None),
        ),
    ),
    Match(
        (multiserve("WebSocket echo", "echo", "bare_wsgi"),),
        ((uvicorn("uvicorn", "echo"), at_least(0.95)),),
        echoes_per_second,
    ),
    Match(
        (multiserve_with("static file of 1 KB", {}, "/files/small", settings=STATIC),),
        ((static_in_threads("the same in gunicorn's threads", "/files/small"), at_least(2.0)),),
    ),
    Match(
        (multiserve("10 MB down, WSGI", "big_wsgi", "echo"),),
        ((gunicorn("gunicorn gthread", "big_wsgi", *GTHREAD), at_least(0.9)),),
        downloads_per_second,
    ),
    Match(
        (multiserve("10 MB up, WSGI", "sink_wsgi", "echo"),),
        ((gunicorn("gunicorn gthread", "sink_wsgi", *GTHREAD), at_least(0.9)),),
        uploads_per_second,
    ),
    Match(
        (
            multiserve_with("p99 beside a slow mount", _SLOW, "/app/hello"),
            multiserve_with("p99, max_concurrency = 2 on it", {"/app": "bare_wsgi"}, "/app/hello", settings=_BOUND),
        ),
        ((gunicorn("gthread, glued by hand", "glued()", *GTHREAD, path="/app/hello"), None),),
        slowest_milliseconds,
        beside="/slow/hello",
    ),
    *(
        Match(
            (grouped(f"{name}, in a group", application),), ((multiserve("in the process", application, "echo"), None),)
        )
        for name, application in (("bare ASGI", "echo"), ("Flask", "make_flask()"))
    ),
    Match(
        (grouped("p99, Flask in a group", "make_flask()"),),
        ((multiserve("in the process", "make_flask()", "echo"), None),),
        slowest_milliseconds,
    ),
    Match(
        (
            multiserve_with("with request ids", _ONE, "/app/hello", settings=_IDS),
            multiserve_with("with metrics", _ONE, "/app/hello", settings=_METRICS),
            multiserve_with("with an access log", _ONE, "/app/hello", settings=_LOGGED),
            multiserve_with("with one of JSON, and ids", _ONE, "/app/hello", settings=_LOGGED_AS_JSON),
        ),
        ((multiserve_with("without any", _ONE, "/app/hello"), None),),
    ),
)


def run(effort: Effort) -> Iterator[Row]:
    """Measure all, and yield their rows."""
    for match in _MATCHES:
        servers = (*match.ours, *(peer for peer, _ in match.peers))
        with serving(servers) as running:
            contenders = [Contender(each.server.name, partial(_measure, match, each)) for each in running]
            samples = measure_in_turn(contenders, effort.loads)
            measured = list(zip(contenders, samples, strict=True))
            ours, peers = measured[: len(match.ours)], measured[len(match.ours) :]
            for (peer, theirs), (_, goal) in zip(peers, match.peers, strict=True):
                yield from (row(each, values, peer, theirs, goal) for each, values in ours)


def _measure(match: Match, running: Running) -> Sample:
    beside = load_beside(running.host + match.beside, _SECONDS + _MARGIN) if match.beside else contextlib.nullcontext()
    before, began = cpu_seconds(running.session), time.perf_counter()
    with beside:
        value = match.rate(running.address, _SECONDS)
    busy = cpu_seconds(running.session) - before
    # A latency says nothing for a second of the processor.
    is_rate = match.rate is not slowest_milliseconds
    return Sample(value, value * (time.perf_counter() - began) / busy if busy and is_rate else 0.0)
