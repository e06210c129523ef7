"""The last tracebacks of all processes of a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from multiserve.servers.page.overview import TracebackJson

_MOST = 20
_LONGEST = 10_000  # characters of a text, whatever a process says


class Tracebacks:
    """The last of them. The main loop adds, and threads read: what they read is replaced as a whole.

    Attributes:
        last: The tracebacks, the oldest first.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.last: tuple[TracebackJson, ...] = ()

    def add(self, found: Iterable[object], pid: int, group: str = "") -> None:
        """Add what a process has reported; what no process of ours reports is left out.

        Args:
            found: The exceptions.
            pid: The process.
            group: Its group; empty for the process in front.
        """
        taken = [each for each in found if isinstance(each, Mapping)]
        added = [made for each in taken if (made := _traceback(each, pid, group)) is not None]
        self.last = (*self.last, *added)[-_MOST:]


def _traceback(found: Mapping[str, Any], pid: int, group: str) -> TracebackJson | None:
    mount, message, text = (str(found.get(name, ""))[:_LONGEST] for name in ("mount", "message", "text"))
    moment = found.get("time")
    if not isinstance(moment, float) or not 0 <= moment < 2**36:
        return None
    return {"time": moment, "pid": pid, "mount": mount, "group": group, "message": message, "text": text}
