"""Load on one server: from wrk where it is installed, else from a client of our own, each in a process of its own."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from processes import pin

_CONNECTIONS = 32
_FEW = 8  # connections, for WebSockets and beside a measurement
_TWO = 2  # connections, for what is large
_MARGIN = 20.0  # seconds beyond its time after which a client is given up
_WRK = shutil.which("wrk")
GENERATOR = "wrk" if _WRK else "our own client in Python, which may be slower than a server: install wrk"
_MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def requests_per_second(address: str, seconds: float) -> float:
    """Ask for one page again and again over connections that are kept."""
    return _rate_of(_ask(address, seconds, _CONNECTIONS))


def slowest_milliseconds(address: str, seconds: float) -> float:
    """Do the same over a few connections: milliseconds that one request in a hundred takes, or longer."""
    output = _ask(address, seconds, _FEW)
    found = re.search(r"99%\s*([\d.]+)(us|ms|s)\b", output)
    if not found:
        raise RuntimeError(f"the load generator gave no latency: {output}")
    return float(found[1]) * _MILLISECONDS[found[2]]


def echoes_per_second(address: str, seconds: float) -> float:
    """Send a text over several WebSockets, each time the one before has come back."""
    return _rate_of(_run(_client("websocket", _FEW, address, seconds), seconds))


def downloads_per_second(address: str, seconds: float) -> float:
    """Ask for something large over two connections."""
    return _rate_of(_run(_client("download", _TWO, address, seconds), seconds))


def uploads_per_second(address: str, seconds: float) -> float:
    """Send something large over two connections."""
    return _rate_of(_run(_client("upload", _TWO, address, seconds), seconds))


@contextlib.contextmanager
def load_beside(address: str, seconds: float) -> Iterator[None]:
    """Ask for another page over a few connections for so long at most; an answer may be a refusal."""
    with subprocess.Popen(_client("beside", _FEW, address, seconds), stdout=subprocess.DEVNULL) as process:
        try:
            pin(1, process.pid)
            yield
        finally:
            process.kill()


def _ask(address: str, seconds: float, connections: int) -> str:
    if _WRK is None:
        return _run(_client("http", connections, address, seconds), seconds)
    command = [_WRK, "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency", f"http://{address}"]
    output = _run(command, seconds)
    if trouble := re.search(r"Non-2xx.*|Socket errors.*", output):
        raise RuntimeError(f"{address}: {trouble[0]}")
    return output


def _client(kind: str, connections: int, address: str, seconds: float) -> list[str]:
    script = Path(__file__).with_name("client.py")
    return [sys.executable, str(script), kind, str(connections), address, str(seconds)]


def _run(command: list[str], seconds: float) -> str:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            pin(1, process.pid)
            output, _ = process.communicate(timeout=seconds + _MARGIN)
        finally:
            process.kill()  # it has ended already, unless something went wrong
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {output}")
    return output


def _rate_of(output: str) -> float:
    found = re.search(r"Requests/sec:\s*([\d.]+)", output)
    if not found:
        raise RuntimeError(f"the load generator gave no rate: {output}")
    return float(found[1])
