"""Load on one server: from wrk where it is installed, else from a client of our own, each in a process of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from processes import pin

_CONNECTIONS = 32
_WEBSOCKETS = 8
_MARGIN = 20.0  # seconds beyond its time after which a client is given up
_WRK = shutil.which("wrk")
GENERATOR = "wrk" if _WRK else "our own client in Python, which may be slower than a server: install wrk"


def requests_per_second(address: str, seconds: float) -> float:
    """Ask for one page again and again over connections that are kept."""
    if _WRK is None:
        return _rate_of(_client("http", _CONNECTIONS, address, seconds))
    command = [_WRK, "-t1", f"-c{_CONNECTIONS}", f"-d{seconds:.0f}s", f"http://{address}"]
    output = _run(command, seconds)
    if trouble := re.search(r"Non-2xx.*|Socket errors.*", output):
        raise RuntimeError(f"{address}: {trouble[0]}")
    return _rate_of(output)


def echoes_per_second(address: str, seconds: float) -> float:
    """Send a text over several WebSockets, each time the one before has come back."""
    return _rate_of(_client("websocket", _WEBSOCKETS, address, seconds))


def _client(kind: str, connections: int, address: str, seconds: float) -> str:
    script = Path(__file__).with_name("client.py")
    return _run([sys.executable, str(script), kind, str(connections), address, str(seconds)], seconds)


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
