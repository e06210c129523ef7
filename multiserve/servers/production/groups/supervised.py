"""One group, whatever becomes of its processes: which one serves, which one is to take its place, when to try again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

from multiserve.config.groups import Group
from multiserve.interpreters.interpreter import InterpreterError
from multiserve.servers.ends import describe_end
from multiserve.servers.groups.places import Place
from multiserve.servers.production.groups.process import GroupProcess, Start
from multiserve.servers.production.workers import LONGEST, Retries

_MARGIN = 2.0  # seconds beyond graceful_timeout after which a process is killed that should have stopped by itself
_BRIEF = 1.0  # seconds: a process that ends sooner is not started again without a pause, which would take all cores

_CANNOT_START = (
    InterpreterError,
    OSError,
    LookupError,
)  # what the interpreter, the system and the user may be to blame for


class SupervisedGroup:
    """Keeps a group running.

    Attributes:
        group: The group.
        place: Where it listens.
        mounts: The names of its mounts.
        current: The process that serves, or that is starting as there is none; None during a pause.
        candidate: The process that takes its place as soon as it is ready; None if there is none.
        failure: Why the group does not serve; empty if it does, or has not failed yet.
        last_failure: The last reason for which a process ended or a reload was refused.
        restarts: How often a process has been started again without being asked for.
        outcome: What became of what was asked for last: why it was refused, or an empty text; None while it is open.
        is_halting: It is to end for good.
    """

    def __init__(
        self, group: Group, find_start: Callable[[], Start], place: Place, mounts: tuple[str, ...], log: Any
    ) -> None:
        """Supervise a group; `look` starts its process.

        Args:
            group: The group.
            find_start: Find out how it is started; raises InterpreterError while it cannot be.
            place: Where it listens.
            mounts: The names of its mounts.
            log: The logger of the server.
        """
        self.group = group
        self.place = place
        self.mounts = mounts
        self.current: GroupProcess | None = None
        self.candidate: GroupProcess | None = None
        self.failure = ""
        self.last_failure = ""
        self.restarts = -1
        self.is_halting = False
        self.outcome: str | None = ""
        self._find_start = self._found_by = find_start  # the latter for the process that serves
        self._start: Start | None = None  # of the process that serves
        self._is_mistake = False
        self._deadline = 0.0
        self._retries = Retries()
        self._leaving: list[tuple[float, GroupProcess]] = []
        self._log = log

    @property
    def is_settled(self) -> bool:
        """Whether it is known whether the group can serve."""
        return bool(self.failure) or (self.current is not None and self.current.reported.is_ready)

    @property
    def is_mistaken(self) -> bool:
        """Whether it does not serve because its settings are wrong."""
        return bool(self.failure) and self._is_mistake

    @property
    def is_starting(self) -> bool:
        """Whether something is to be heard of soon."""
        return self.candidate is not None or self.outcome is None or not self.is_settled or bool(self._leaving)

    @property
    def broken(self) -> dict[str, str]:
        """Why each mount that answers 503 does so."""
        if self.failure:
            return dict.fromkeys(self.mounts, self.failure)
        return dict(self.current.reported.broken) if self.current else {}

    def look(self) -> None:
        """Hear what the processes report, and start, end and replace them."""
        now = time.monotonic()
        self._reap(now)
        if self.candidate is not None:
            self._judge(self.candidate, now)
        if self.current is not None:
            self._follow(self.current, now)
        if self.current is None and not self.is_halting and self._retries.is_due(now):
            self._begin(now)
        if self.failure:
            self.place.turn_away()

    def _begin(self, now: float) -> None:
        self.restarts += 1
        try:
            self._start, self._found_by = self._find_start(), self._find_start
            self.current = GroupProcess(self.group, self._start, self.place)
        except _CANNOT_START as error:
            self._fail(_describe(error), now)

    def _follow(self, process: GroupProcess, now: float) -> None:
        was_ready, was_failing = process.reported.is_ready, process.reported.failure
        process.hear()
        code = process.poll()
        reported = process.reported
        if self.outcome is None and self.candidate is None and reported.outcome is not None:
            self._conclude(reported.outcome)
        if code is not None or process.line.has_ended:
            self.current = None
            self._leave(process, now)
            how = describe_end(code) if code is not None else "has closed its line"
            reason = reported.failure or f"its process {how}: the log may say why"
            self._end(process, reason, now)
        elif reported.failure and reported.failure != was_failing:
            self._go_down(reported.failure, is_mistake=reported.is_mistake)
            if self.outcome is None and self.candidate is None:
                self._conclude(reported.failure)
        elif reported.is_ready and (self.failure or not was_ready):
            self._come_up()

    def _end(self, process: GroupProcess, reason: str, now: float) -> None:
        """Decide when to start another process in the place of one that has ended."""
        if self.is_halting:
            return
        if self.outcome is None and self.candidate is None:
            self._conclude(reason)
        if not process.reported.is_ready:
            self._fail(reason, now, is_mistake=process.reported.is_mistake)
            return
        self.last_failure = reason  # requests wait in the socket meanwhile
        if time.time() - process.since < _BRIEF:
            self._retries.fail(now)
        self._log.error("Group %s: %s. It is started again.", self.group.name, reason)

    def _fail(self, reason: str, now: float, *, is_mistake: bool = False) -> None:
        seconds = self._retries.fail(now)
        self._go_down(reason, is_mistake=is_mistake)
        self._log.error("Group %s: %s. Another attempt follows in %.0f s.", self.group.name, reason, seconds)

    def _go_down(self, reason: str, *, is_mistake: bool) -> None:
        self.failure = self.last_failure = reason
        self._is_mistake = is_mistake  # which stays while another attempt is under way
        self.place.go_down(reason)

    def _come_up(self) -> None:
        self.failure = ""
        self._retries.succeed()
        self.place.come_up()
        if self.outcome is None and self.candidate is None:
            self._conclude("")

    # What people ask for.

    def reload(self, find_start: Callable[[], Start], group: Group) -> None:
        """Load the applications again; where the process has to be another one, a new one takes its place."""
        is_restarting = self.candidate is not None
        if self.candidate is not None:
            self._dismiss(self.candidate, "another reload has come")
        self.group, self._find_start = group, find_start
        try:
            is_restarting |= self.needs_other(find_start())
        except InterpreterError as error:
            self._find_start = self._found_by
            self._conclude(_describe(error))
            return
        if is_restarting or self.current is None:
            self.restart()
            return
        self.outcome = None
        self.current.reload()

    def needs_other(self, start: Start) -> bool:
        """Return whether a reload starts another process, given how it would be started now."""
        return start != self._start or not (self.current and self.current.reported.is_ready) or bool(self.candidate)

    def restart(self) -> None:
        """Start a new process, which takes the place of the one that serves as soon as it is ready."""
        if self.candidate is not None:
            return
        now = time.monotonic()
        self.outcome = None
        if self.current is None or not self.current.reported.is_ready:
            if self.current is not None:
                self._leave(self.current, now)
                self.current = None
            self._retries.hasten()
            self._begin(now)
            if self.current is not None:
                self.failure = ""
            return
        self._deadline = now + LONGEST
        try:
            self.candidate = GroupProcess(self.group, self._find_start(), self.place, waits=True)
        except _CANNOT_START as error:
            self._conclude(_describe(error))

    def _judge(self, candidate: GroupProcess, now: float) -> None:
        candidate.hear()
        reported = candidate.reported
        code = candidate.poll()
        lost = {name: why for name, why in reported.broken.items() if name not in self.broken}
        if reported.failure:
            self._dismiss(candidate, reported.failure)
        elif code is not None:
            self._dismiss(candidate, f"its new process {describe_end(code)}")
        elif reported.is_ready and lost:
            self._dismiss(candidate, "\n".join(f"{name}: {why}" for name, why in lost.items()))
        elif reported.is_ready:
            old, self.current, self.candidate = self.current, candidate, None
            self._start, self._found_by = candidate.start, self._find_start
            candidate.admit()
            if old is not None:
                self._leave(old, now)
            self._come_up()
            self._conclude("")
        elif now > self._deadline:
            self._dismiss(candidate, f"its new process could not serve after {LONGEST:.0f} seconds")

    def _dismiss(self, candidate: GroupProcess, reason: str) -> None:
        self.candidate = None
        self._find_start = self._found_by  # should the one that serves end, it is started as it was
        self._leave(candidate, time.monotonic())
        self._conclude(reason)

    def _conclude(self, refusal: str) -> None:
        self.outcome = refusal
        if refusal:
            self.last_failure = refusal
            self._log.error("Group %s: its process stays as it was: %s", self.group.name, refusal)

    # The end of processes.

    def _leave(self, process: GroupProcess, now: float, number: int = signal.SIGTERM) -> None:
        """Have a process stop by a signal, without waiting for it."""
        process.signal(number)
        patience = float(process.start.order["graceful_timeout"]) + _MARGIN
        self._leaving.append((now + patience, process))

    def _reap(self, now: float) -> None:
        for deadline, process in list(self._leaving):
            if process.poll() is None and now > deadline:
                self._log.warning("Group %s: process %s did not stop in time.", self.group.name, process.pid)
                process.kill()
            if process.poll() is not None:
                process.line.close()
                self._leaving.remove((deadline, process))

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Have all of its processes stop by a signal; `is_stopped` becomes true."""
        self.is_halting = True
        for process in (self.current, self.candidate):
            if process is not None:
                self._leave(process, time.monotonic(), number)
        self.current = self.candidate = None

    @property
    def is_stopped(self) -> bool:
        """Whether no process is left."""
        return not self._leaving

    def signal(self, number: int) -> None:
        """Send a signal to each of its processes."""
        for process in (self.current, self.candidate, *(each for _, each in self._leaving)):
            if process is not None:
                process.signal(number)

    def close_lines(self) -> None:
        """Close the lines to its processes, in another process than the one that has opened them."""
        for process in (self.current, self.candidate, *(each for _, each in self._leaving)):
            if process is not None:
                process.line.close()

    def kill(self) -> None:
        """End all of its processes at once."""
        self.is_halting = True
        for process in (self.current, self.candidate, *(each for _, each in self._leaving)):
            if process is not None:
                process.kill()


def _describe(error: BaseException) -> str:
    """Return why a process cannot be started."""
    hint = f"\n{error.hint}" if isinstance(error, InterpreterError) and error.hint else ""
    return f"it cannot be started: {error}{hint}"
