"""Reports to systemd how the server does, by its protocol: sd_notify(3), sd_watchdog_enabled(3)."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import time
from collections.abc import Mapping, MutableMapping, Sequence

_SOCKET, _PERIOD, _WATCHED = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_FIRST = "GUNICORN_PID"  # the variable that a second master has
_MOST_NAMED = 10  # broken mounts in one line


class Systemd:
    """What systemd is told; where it has not started this process, nothing is.

    Attributes:
        is_ready: It has been told that the server is ready.
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Take the variables out of the environment, so that no process that is started from here has them."""
        self._address = _address(environ.pop(_SOCKET, ""))
        period, watched = environ.pop(_PERIOD, ""), environ.pop(_WATCHED, "")
        is_meant = watched in ("", str(os.getpid()))
        microseconds = int(period) if is_meant and period.isascii() and period.isdigit() else 0
        self._interval = microseconds / 2_000_000 or math.inf  # half of the time after which systemd ends the server
        self._next_beat = 0.0
        self._microseconds = microseconds
        self._status = ""
        self._is_second = _FIRST in environ
        self._is_stopping = False
        self.is_ready = False

    @property
    def is_asked(self) -> bool:
        """Whether systemd waits for reports."""
        return bool(self._address)

    @property
    def variables(self) -> Mapping[str, str]:
        """What a second master needs in its environment to report in place of this one."""
        if not self._address:
            return {}
        address = f"@{self._address[1:]}" if self._address.startswith("\0") else self._address
        return {_SOCKET: address} | ({_PERIOD: str(self._microseconds)} if self._microseconds else {})

    def within(self, seconds: float) -> float:
        """Return how long the server may wait at most until it reports again."""
        return min(seconds, self._interval / 2) if self._address else seconds

    def ready(self, status: str) -> None:
        """Report that the server is ready: after its start, and after each reload."""
        self.is_ready = True
        self._status = status
        self._tell("READY=1", f"MAINPID={os.getpid()}", f"STATUS={status}")

    def look(self, status: str) -> None:
        """Report that the server is alive, when that is due, and its status, when that has changed."""
        if status != self._status:
            self._status = status
            self._tell(f"STATUS={status}")
        self.beat()

    def beat(self) -> None:
        """Report that the server is alive, when that is due, also while it stops.

        Before it is ready, only a second master does: systemd watches it from the moment the first one names it, and
        ignores it until then. A first one must not, since systemd would begin to watch its start.
        """
        is_watched = self._interval < math.inf and (self.is_ready or self._is_second)
        if is_watched and (now := time.monotonic()) >= self._next_beat:
            self._next_beat = now + self._interval
            self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """Report that a reload begins; `ready` reports its end."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, successor: int = 0) -> None:
        """Report that this process ends, or that another one, which has this process id, takes its place."""
        if successor:
            self._tell(f"MAINPID={successor}", "WATCHDOG=1")  # the next report comes from the other one
            self._address = ""
        self._tell("STOPPING=1")
        self._is_stopping = True  # all that concerns anybody from now on is that it does not hang

    def _tell(self, *lines: str) -> None:
        if not self._is_stopping:
            self._send(*lines)

    def _send(self, *lines: str) -> None:
        if self._address:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
                end.settimeout(1.0)  # a service manager that hangs must not hang the server
                end.connect(self._address)
                end.send("\n".join(lines).encode())


def _address(text: str) -> str:
    """Return the address of a socket; empty for one that is not of a unix socket."""
    if text.startswith("@"):
        return f"\0{text[1:]}"
    return text if text.startswith("/") else ""


def describe(mounts: Sequence[str], broken: Sequence[str]) -> str:
    """Return the status in one line: how many mounts are up, and which are not.

    Args:
        mounts: The names of all mounts.
        broken: Those that answer 503.
    """
    count = len(mounts)
    noun = "mount" if count == 1 else "mounts"
    if not broken:
        return f"Serving {count} {noun}"
    named = ", ".join(broken[:_MOST_NAMED]) + (", ..." if len(broken) > _MOST_NAMED else "")
    return f"Serving {count - len(broken)} of {count} {noun}; broken: {named}"
