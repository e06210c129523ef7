"""One group in development: a thread of the parent that starts its process, again for each change."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

from multiserve.servers.development.groups.process import PATIENCE, GroupProcess
from multiserve.servers.development.groups.start import Start
from multiserve.servers.development.groups.waiting import WaitingProcesses
from multiserve.servers.development.reloader import CHANGED, INTERVAL
from multiserve.servers.development.watching import Watch
from multiserve.servers.ends import describe_end
from multiserve.servers.groups.places import Place

INTERRUPTED = 130
"""Exit code of a process that was ended by Ctrl-C, as shells give it."""

_INTERRUPTED = (INTERRUPTED, -signal.SIGINT)
_MOMENT = 1.0  # seconds within which this process is told of that Ctrl-C as well


class SupervisedGroup:
    """Keeps the process of a group running.

    Requests between two processes wait in the socket. If the process ends by itself, they are answered with 503 until
    the next change.
    """

    def __init__(
        self, start: Start, place: Place, tell: Callable[[str], None], waiting: WaitingProcesses | None = None
    ) -> None:
        """Start it.

        Args:
            start: How.
            place: Where it listens.
            tell: Print a message in the terminal.
            waiting: The processes that wait to be a group; none by default.
        """
        self._start = start
        self._place = place
        self._tell = tell
        self._waiting = WaitingProcesses() if waiting is None else waiting
        self._process: GroupProcess | None = None
        self._lock = threading.Lock()  # of the process, and of what is asked for
        self._is_asked = threading.Event()  # to be started anew, or to end
        self._is_ending = False
        self._settled = threading.Event()
        self._broken: dict[str, str] = {}
        self._refusal = ""
        self._thread = threading.Thread(target=self._supervise, name=f"group {start.name}", daemon=True)
        self._thread.start()

    def wait_until_settled(self, seconds: float) -> dict[str, str]:
        """Wait until it is known what can be served, and return why each mount that answers 503 does so."""
        self._settled.wait(seconds)
        return self._broken

    def use(self, start: Start) -> None:
        """Start the process anew, unless it would be the same."""
        with self._lock:
            if start == self._start:
                return
            self._start = start
            self._ask()

    def end(self) -> None:
        """Have the process end, and this group with it; `join` waits for that."""
        with self._lock:
            self._is_ending = True
            self._ask()

    def _ask(self) -> None:
        self._is_asked.set()
        if self._process is not None:
            self._process.end()

    def join(self) -> None:
        """Wait for the end, but not for long."""
        self._thread.join(PATIENCE + 1.0)

    def kill(self) -> None:
        """End the process at once, if it has not ended."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _supervise(self) -> None:
        is_restart = False
        while not self._is_ending:
            with self._lock:
                self._is_asked.clear()
                start = self._start
            watch = Watch(start.config)  # before the start: no change is missed
            how = self._run(start, is_restart=is_restart)
            if how and not self._is_asked.is_set():
                self._stand_in(start, watch, how)
            is_restart = True

    def _run(self, start: Start, *, is_restart: bool) -> str:
        """Run the process to its end, and return how it has ended by itself; empty for a change."""
        self._refusal = ""
        try:
            with self._lock:
                if self._is_asked.is_set():
                    return ""
                waiting = self._waiting.take(start)
                process = self._process = GroupProcess(waiting, start, self._place, is_restart=is_restart)
        except OSError as error:
            return f"could not be started: {error}"
        try:
            code = process.run(self._hear)
        finally:
            with self._lock:
                self._process = None
        if code in _INTERRUPTED:
            self._is_asked.wait(_MOMENT)
        return "" if code == CHANGED else describe_end(code)

    def _hear(self, kind: str, value: Any) -> None:
        if kind == "ready":
            self._broken = value
            self._settled.set()
            if self._start.config.development.reload:
                self._waiting.fill(self._start)
        elif kind == "refused":
            self._refusal = value

    def _stand_in(self, start: Start, watch: Watch, how: str) -> None:
        """Have requests answered with 503 until there is a change."""
        reloads = start.config.development.reload
        waits = "waiting for a change" if reloads else "its mounts answer 503"
        self._tell(f"The process of the group {start.name} {how}: {waits}.")
        reason = self._refusal or f"The process {how}. The terminal may say why."
        self._broken = {mount.name: reason for mount in start.config.mounts}
        self._place.go_down(reason)
        self._settled.set()
        while not (self._is_asked.wait(INTERVAL) or (reloads and watch.look())):
            self._place.turn_away()
        if not self._is_ending:
            self._place.come_up()
