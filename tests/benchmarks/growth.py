"""Growth: start, memory and dispatch with more and more mounts, and more tenants than are kept."""

from __future__ import annotations

import gc
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from dispatch_alone import environ_of, nothing, overhead_of
from processes import Server, memory, multiserve_with, serving, starting, table_of, wait_for
from rounds import Contender, Effort, Row, Sample, at_most, compare

from multiserve import create_app
from multiserve._types import WSGIApplication

_SIZES = (10, 100, 1000)
_KEPT = 128
_TENANTS = 10_000


def run(effort: Effort) -> Iterator[Row]:
    """Measure all, and yield their rows."""
    fewest, *more = [_server(size) for size in _SIZES]
    for title, measure in ("ms to the first answer", _start), ("MB", _megabytes):
        if measure is _start or sys.platform == "linux":
            ours = [Contender(f"{title}, {each.name}", partial(measure, each)) for each in more]
            yield from compare(Contender(fewest.name, partial(measure, fewest)), ours, effort.starts)
    yield from _dispatch(effort)
    yield from _tenants(effort)


def _server(size: int) -> Server:
    return multiserve_with(f"{size} mounts", _mounts(size), "/app0/hello")


def _mounts(size: int) -> dict[str, str]:
    return {f"/app{number}": "bare_wsgi" for number in range(size)}


def _start(server: Server) -> Sample:
    began = time.perf_counter()
    with starting(server) as running:
        wait_for(running)
        return Sample((time.perf_counter() - began) * 1e3)


def _megabytes(server: Server) -> Sample:
    with serving([server]) as running:
        return Sample(memory(running[0].session))


def _dispatch(effort: Effort) -> Iterator[Row]:
    fewest, *more = [
        Contender(
            f"ns of dispatch, {size} mounts", overhead_of(_composed(_mounts(size)), f"/app{size // 2}/hello", effort)
        )
        for size in _SIZES
    ]
    yield from compare(fewest, more, effort.rounds, at_most(1.3), effort.slices)


def _tenants(effort: Effort) -> Iterator[Row]:
    """Ask for tenants in turn: each of them is made anew if there are more than are kept."""
    composed = _composed({"{tenant}.example.com": "make_tenant"})
    kept = Contender(f"{_KEPT} of them, all kept", partial(_ask_in_turn, composed, _KEPT, 10))
    ours = Contender(f"ns, {_TENANTS:,} tenants, {_KEPT} kept", partial(_ask_in_turn, composed, _TENANTS, 1))
    yield from compare(kept, [ours], effort.starts)
    few = Contender(f"{_TENANTS // 10:,} tenants", partial(_grown, _TENANTS // 10))
    ours = Contender(f"KB held after {_TENANTS:,} tenants", partial(_grown, _TENANTS))
    yield from compare(few, [ours], min(effort.starts, 3), at_most(1.3))


def _ask_in_turn(composed: WSGIApplication, tenants: int, times: int) -> Sample:
    began = time.process_time()
    for number in range(tenants * times):
        composed(environ_of("/hello", f"t{number % tenants}.example.com"), nothing)
    return Sample((time.process_time() - began) / tenants / times * 1e9)


def _grown(tenants: int) -> Sample:
    """Measure what a new composition holds after so many tenants, in kilobytes."""
    tracemalloc.start()
    try:
        composed = _composed({"{tenant}.example.com": "make_tenant"})
        _ask_in_turn(composed, tenants, 1)
        gc.collect()
        return Sample(tracemalloc.get_traced_memory()[0] / 1024)
    finally:
        tracemalloc.stop()


def _composed(mounts: dict[str, str]) -> WSGIApplication:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "multiserve.toml")
        file.write_text(table_of(mounts), "utf-8")
        composed: WSGIApplication = create_app(file)
        return composed
