"""Compares multiserve with what a user would pick instead: `make bench`, or `python tests/benchmarks --help`."""

from __future__ import annotations

import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import click
import dispatch_alone
import growth
import looking
import memory_and_start
import tables
import through_server
from processes import available_cores, pin
from rounds import QUICK, THOROUGH, Effort, Row

from load import GENERATOR

_PACKAGES = (
    "gunicorn",
    "werkzeug",
    "flask",
    "starlette",
    "uvicorn",
    "uvloop",
    "waitress",
    "granian",
    "paste",
    "cheroot",
    "hypercorn",
    "click",
)
_SECTIONS: dict[str, tuple[str, Callable[[Effort], Iterator[Row]]]] = {
    "dispatch": ("Dispatch alone: nanoseconds over a direct call", dispatch_alone.run),
    "server": ("Through the server: requests per second, or milliseconds where it says p99", through_server.run),
    "memory": ("Memory in megabytes, and time in milliseconds", memory_and_start.run),
    "looking": ("The commands that look at a composition, in milliseconds", looking.run),
    "growth": ("Growth: the unit is in the name", growth.run),
}


@click.command()
@click.option("--quick", is_flag=True, help="Two minutes instead of a quarter of an hour: for a first look only.")
@click.option("--markdown", is_flag=True, help="Print what docs/performance.md shows, to be put in between its marks.")
@click.argument("sections", nargs=-1, type=click.Choice([*_SECTIONS]))
def main(*, quick: bool, markdown: bool, sections: tuple[str, ...]) -> None:
    """Measure SECTIONS, by default all, and print ratios: the median of those of the rounds, with their spread."""
    effort = QUICK if quick else THOROUGH
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # the servers are ended on the way out
    began = time.monotonic()
    style = tables.MARKDOWN if markdown else tables.TEXT
    click.echo(style.begin([*_machine(effort)]))
    pin(0)
    for name in sections or _SECTIONS:
        title, run = _SECTIONS[name]
        click.echo(style.head(title))
        for row in run(effort):
            click.echo(style.line(row))
    click.echo(style.end(f"Took {time.monotonic() - began:.0f} s; load average {_load()} at the end."))


def _machine(effort: Effort) -> Iterator[str]:
    processors = Path("/proc/cpuinfo")
    model = ""
    if processors.exists():
        lines = processors.read_text("utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    yield f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, {model or platform.machine()}."
    yield f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in _PACKAGES)}."
    where = "on the first core, load on the last" if available_cores() else "and load on the same cores"
    yield f"Servers {where}; load from {GENERATOR}, for WebSockets from our own client in Python."
    yield f"Rounds: {effort.rounds} here, {effort.loads} of a second for servers, {effort.starts} for starts."
    yield f"Load average {_load()} at the beginning: whatever else ran counts in the spread."


def _load() -> str:
    return " ".join(f"{each:.1f}" for each in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"


if __name__ == "__main__":
    main()
