"""A request through a server: multiserve against what a user would run instead."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from load import echoes_per_second, requests_per_second
from processes import ASGI, GTHREAD, SAME_SETTINGS, Running, Server, cpu_seconds, gunicorn, multiserve, serving
from rounds import Contender, Effort, Sample, compare

_WARM_UP = 1  # seconds


@dataclass(frozen=True)
class Row:
    """Servers that are up together, and loaded one at a time.

    Attributes:
        peer: What ours are compared with.
        ours: One or more.
        wanted: The goal, as a ratio of rates.
        rate: What measures an address for some seconds.
    """

    peer: Server
    ours: tuple[Server, ...]
    wanted: str
    rate: Callable[[str, float], float] = requests_per_second


ROWS = {
    "bare": Row(
        gunicorn("gunicorn gthread", "bare_wsgi", *GTHREAD),
        (multiserve("bare WSGI, mixed set", "bare_wsgi", "make_starlette()"),),
        ">= 1.50",
    ),
    "flask": Row(
        gunicorn("gunicorn gthread", "make_flask()", *GTHREAD),
        (multiserve("Flask, mixed set", "make_flask()", "make_starlette()"),),
        ">= 1.00",
    ),
    "starlette": Row(
        gunicorn("gunicorn asgi", "make_starlette()", *ASGI, *SAME_SETTINGS),
        (multiserve("Starlette, mixed set", "make_starlette()", "bare_wsgi"),),
        ">= 0.97",
    ),
    "websocket": Row(
        gunicorn("gunicorn asgi", "echo", *ASGI, *SAME_SETTINGS),
        (multiserve("WebSocket echo, mixed set", "echo", "bare_wsgi"),),
        ">= 0.97",
        echoes_per_second,
    ),
    "wsgi": Row(
        gunicorn("gunicorn gthread, same settings", "bare_wsgi", *GTHREAD, *SAME_SETTINGS),
        (
            multiserve("bare WSGI, one of 3", "bare_wsgi", *(["bare_wsgi"] * 2)),
            multiserve("bare WSGI, one of 100", "bare_wsgi", *["bare_wsgi"] * 99),
        ),
        ">= 0.97",
    ),
}


def run(name: str, effort: Effort) -> Iterator[str]:
    """Measure a row, and yield its lines of the table."""
    row = ROWS[name]
    servers = (row.peer, *row.ours)
    with tempfile.TemporaryDirectory() as folder, serving(servers, Path(folder)) as running:
        for each in running:
            row.rate(each.address, _WARM_UP)
        peer, *ours = [
            Contender(server.name, partial(_measure, row.rate, each, effort.seconds))
            for server, each in zip(servers, running, strict=True)
        ]
        yield from compare(peer, ours, effort.rounds, row.wanted)


def _measure(rate: Callable[[str, float], float], server: Running, seconds: float) -> Sample:
    before, began = cpu_seconds(server.session), time.perf_counter()
    value = rate(server.address, seconds)
    busy = cpu_seconds(server.session) - before
    return Sample(value, value * (time.perf_counter() - began) / busy if busy else 0.0)
