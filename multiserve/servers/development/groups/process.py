"""One process of a group, as the parent knows it."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Callable
from typing import Any

from multiserve.servers.development.groups.start import Start
from multiserve.servers.development.groups.state import note_start
from multiserve.servers.development.groups.waiting import WaitingProcess
from multiserve.servers.groups.line import Line
from multiserve.servers.groups.places import Place

PATIENCE = 5.0
"""Seconds to wait for the end of a process before it is killed."""

_TICK = 0.25  # seconds; the line tells at once, unless a process that an application has started holds it, too


class GroupProcess:
    """A process that is a group."""

    def __init__(self, waiting: WaitingProcess, start: Start, place: Place, *, is_restart: bool) -> None:
        """Have a process that waits serve a group.

        Args:
            waiting: The process.
            start: How the group is started.
            place: Where it listens.
            is_restart: Whether another process has served before.
        """
        note_start(str(place.path))
        self._deadline = float("inf")
        self._process = waiting.process
        waiting.give(place.listener)
        self._line = Line(waiting.line)
        more = {"socket": str(place.path), "is_restart": is_restart, "parent": os.getpid()}
        self._line.tell("serve", {**start.order, **more})

    def run(self, hear: Callable[[str, Any], None]) -> int:
        """Wait for its end, and return its exit code, or the negative number of a signal.

        Args:
            hear: Take note of a message: what it is about, and what it says.
        """
        while (code := self._process.poll()) is None:
            if self._line.has_ended:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_TICK)
            else:
                select.select([self._line], [], [], _TICK)
                self._hear(hear)
            if time.monotonic() > self._deadline:
                self._process.kill()
        self._hear(hear)
        self._line.close()
        return code

    def _hear(self, hear: Callable[[str, Any], None]) -> None:
        for kind, value in self._line.hear():
            hear(kind, value)

    def end(self) -> None:
        """Have it end, with time for its applications to shut down; `run` waits for it."""
        self._deadline = min(self._deadline, time.monotonic() + PATIENCE)
        self._process.terminate()  # does nothing where it has ended

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
