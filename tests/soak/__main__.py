"""Serves for some minutes to clients of every kind, and looks whether anything grows: `make soak`."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
from clients import Clients
from watching import Figures, children, figures

_WSGI = '[mounts]\n"/" = "site_apps:wsgi"\n'
_MOUNTS = {"wsgi": _WSGI, "mixed": _WSGI + '"/live" = "site_apps:asgi"\n'}
_SETTINGS = "[server]\nclient_timeout = 2\n[gunicorn]\nworkers = 2\n"
_PATIENCE = 30.0  # seconds for a server to start, or to stop
_RELOADS = 0.5  # the part of the time in which there are reloads; the last workers serve for the rest of it
_PAUSE = 7.0  # seconds between two of them
_WARM = 0.5  # the part of the remaining time after which a worker has all it needs
_REST = 4.0  # seconds until the last connection has gone
_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "131072"}  # glibc gives large blocks back at once, so that growth is growth
_GROWTH = 10 * 1024  # kilobytes that a process may grow: the allocator never gives back everything
_DESCRIPTORS = 2
_SETTLED = 2  # reloads after which the server itself has all it needs: whatever a reload leaks shows from then on
_GROWTH_OF_RELOADS = 3 * 1024  # kilobytes that the server itself may grow by all later ones


@click.command()
@click.option("--seconds", default=300, show_default=True, help="How long, for all KINDS together.")
@click.argument("kinds", nargs=-1, type=click.Choice([*_MOUNTS]))
def main(*, seconds: int, kinds: tuple[str, ...]) -> None:
    """Serve mounts of the given KINDS, by default both; fail if something was lost or has grown."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # the servers are ended on the way out
    chosen = kinds or tuple(_MOUNTS)
    faults = [f"{kind}: {fault}" for kind in chosen for fault in _soak(kind, seconds / len(chosen))]
    for fault in faults:
        click.echo(f"FAILED {fault}")
    sys.exit(bool(faults))


def _soak(kind: str, seconds: float) -> list[str]:
    """Give what was wrong."""
    with _serving(kind) as (process, address, log):
        end = time.monotonic() + seconds
        with Clients(address, with_websockets=kind == "mixed") as first:
            count, settled = _reload(process, log, until=end - seconds * (1 - _RELOADS))
            time.sleep((end - time.monotonic()) * _WARM)
        before = _measure(process)
        with Clients(address, with_websockets=kind == "mixed") as second:
            time.sleep(max(end - time.monotonic(), 0))
        after = _measure(process)
        lost = first.lost + second.lost
        faults = [*_compare(before, after), *(f"lost: {each}" for each in lost)]
        faults += _compare(settled, {pid: after[pid] for pid in settled}, _GROWTH_OF_RELOADS)
        faults += [f"zombie: {pid}" for pid, state in children(process.pid).items() if state == "Z"]
    click.echo(f"{kind}: {seconds:.0f} s, {count} reloads, {len(lost)} lost")
    click.echo(f"    {', '.join(f'{count} {what}' for what, count in (first.counts + second.counts).items())}")
    if count <= _SETTLED:
        click.echo("    too few reloads to see what they leak")
    for pid, found in settled.items():
        click.echo(f"    server over {count - _SETTLED} reloads: {found} -> {after[pid]}")
    click.echo(f"    the slowest good request took {max(first.longest, second.longest):.2f} s")
    for pid, found in after.items():
        click.echo(f"    {'server' if pid == process.pid else 'worker'}: {before.get(pid)} -> {found}")
    return faults


def _reload(process: subprocess.Popen[bytes], log: Path, until: float) -> tuple[int, dict[int, Figures]]:
    """Send SIGHUP now and then, and wait each time until the new workers serve.

    Returns:
        How often, and the figures of the server itself once it has settled; none if it has not.
    """
    count, settled = 0, {}
    while time.monotonic() + _PAUSE < until:
        time.sleep(_PAUSE)
        before = set(children(process.pid))
        process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + _PATIENCE
        while before & set(children(process.pid)):
            if time.monotonic() > deadline:
                sys.exit(f"no reload:\n{log.read_text('utf-8', 'replace')[-3000:]}")
            time.sleep(0.05)
        count += 1
        if count == _SETTLED:
            settled = {process.pid: figures(process.pid)}
    return count, settled


def _measure(process: subprocess.Popen[bytes]) -> dict[int, Figures]:
    """Measure all processes while no client is there."""
    time.sleep(_REST)
    return {pid: figures(pid) for pid in (process.pid, *children(process.pid))}


def _compare(before: dict[int, Figures], after: dict[int, Figures], growth: int = _GROWTH) -> Iterator[str]:
    if before.keys() != after.keys():
        yield f"other processes: {sorted(before)} -> {sorted(after)}"
    for pid in before.keys() & after.keys():
        if after[pid].kilobytes > before[pid].kilobytes + growth:
            yield f"memory of {pid}: {before[pid]} -> {after[pid]}"
        if after[pid].descriptors > before[pid].descriptors + _DESCRIPTORS:
            yield f"file descriptors of {pid}: {before[pid]} -> {after[pid]}"


@contextlib.contextmanager
def _serving(kind: str) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """Run a server; give its process, its address and its log."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(Path(__file__).with_name("site_apps.py"), folder)
        (folder / "multiserve.toml").write_text(_MOUNTS[kind] + _SETTINGS, "utf-8")
        log = folder / "log"
        with log.open("wb") as stream:
            command = [sys.executable, "-m", "multiserve", "run", "--production", "--port", "0"]
            process = subprocess.Popen(
                command, cwd=folder, env={**os.environ, **_MALLOC}, stdout=stream, stderr=stream, start_new_session=True
            )
        try:
            yield process, _wait_for(process, log), log
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        text = log.read_text("utf-8", "replace")
        found = re.search(r"http://(127\.0\.0\.1:[1-9]\d*)/", text)
        if found and text.count("Booting worker") > 1:
            return found[1]
        time.sleep(0.05)
    sys.exit(f"does not start:\n{log.read_text('utf-8', 'replace')}")


if __name__ == "__main__":
    main()
