"""Compares multiserve with what a user would pick instead: `make bench`, or `python tests/benchmarks --help`."""

from __future__ import annotations

import platform
import signal
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import dispatch_alone
import through_server
from load import GENERATOR
from processes import available_cores, pin
from rounds import HEADER, QUICK, THOROUGH

_PACKAGES = ("gunicorn", "werkzeug", "flask", "starlette", "uvloop")
_DISPATCH = "dispatch"


@click.command()
@click.option("--quick", is_flag=True, help="Half a minute instead of four: for a first look only.")
@click.argument("rows", nargs=-1, type=click.Choice([*through_server.ROWS, _DISPATCH]))
def main(*, quick: bool, rows: tuple[str, ...]) -> None:
    """Measure ROWS, by default all, and print ratios: the median of those of the rounds, with their spread."""
    effort = QUICK if quick else THOROUGH
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # the servers are ended on the way out
    began = time.monotonic()
    for line in _machine():
        click.echo(line)
    click.echo(f"{effort.rounds} rounds, {effort.seconds} s for each server.")
    pin(0)
    for title, names in (("requests per second", tuple(through_server.ROWS)), ("nanoseconds", (_DISPATCH,))):
        if chosen := [name for name in names if not rows or name in rows]:
            click.echo(f"\n{title}\n{HEADER}")
            for name in chosen:
                lines = dispatch_alone.run(effort) if name == _DISPATCH else through_server.run(name, effort)
                for line in lines:
                    click.echo(line)
    click.echo(f"\n{time.monotonic() - began:.0f} s")


def _machine() -> Iterator[str]:
    processors = Path("/proc/cpuinfo")
    model = ""
    if processors.exists():
        lines = processors.read_text("utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    yield f"{platform.platform()}, {model or platform.machine()}, Python {platform.python_version()}"
    yield ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    cores = available_cores()
    yield f"servers on core {cores[0]}, load on core {cores[1]}" if cores else "servers and load on the same cores"
    yield f"load from {GENERATOR}; WebSockets from our own client in Python"


if __name__ == "__main__":
    main()
