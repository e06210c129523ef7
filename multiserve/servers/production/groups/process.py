"""One process of a group, as the master knows it: how it is started, what it reports, and how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from socket import socketpair
from typing import Any

from multiserve.config.groups import Group
from multiserve.servers.groups.line import Line
from multiserve.servers.groups.places import Place
from multiserve.servers.groups.users import become

_MOMENT = 0.25  # seconds

CHILD = "multiserve.servers.production.groups.child"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """All that belongs to the start of a process: where two of them are equal, a reload needs no other process.

    Attributes:
        command: What to run, without its arguments.
        environ: All of its environment variables.
        directory: Its working directory.
        user: The user to run as; empty for the same.
        order: What it is told first.
    """

    command: Sequence[str]
    environ: Mapping[str, str]
    directory: Path
    user: str
    order: Mapping[str, Any]


_MOST_RAISED = 20  # reports that wait to be taken


@dataclass(slots=True)
class Reported:
    """What a process has said of itself.

    Attributes:
        is_ready: It serves, or could if it were let.
        broken: Why it answers 503 for some of its mounts, by their names.
        failure: Why it does not serve at all, for now or for good.
        is_mistake: That is a mistake in the configuration.
        outcome: What became of the last reload: why it was refused, or an empty text; None while it is open.
        workers: The process ids of its workers.
        raised: Workers, and the exceptions that each of them has logged, until somebody takes them.
    """

    is_ready: bool = False
    broken: dict[str, str] = field(default_factory=dict)
    failure: str = ""
    is_mistake: bool = False
    outcome: str | None = None
    workers: tuple[int, ...] = ()
    raised: list[tuple[int, list[object]]] = field(default_factory=list)


class GroupProcess:
    """A process that has been started.

    Attributes:
        start: How.
        reported: What it has said so far.
        since: When it was started, in seconds since the epoch.
        line: The line to it.
    """

    def __init__(self, group: Group, start: Start, place: Place, *, waits: bool = False) -> None:
        """Start it.

        Args:
            group: The group.
            start: How.
            place: Where it listens.
            waits: Whether it has to wait, once it is ready, until `admit` lets it serve.

        Raises:
            OSError: The system refuses to.
            LookupError: There is no such user.
        """
        self.start = start
        self.reported = Reported()
        self.since = time.time()
        self._code: int | None = None
        options = become(start.user)
        ours, theirs = socketpair()
        descriptors = (theirs.fileno(), place.listener.fileno())
        try:
            # A session of its own: what is typed in the terminal is for the master, which tells the groups.
            self._process = subprocess.Popen(  # noqa: S603 (our own command)
                [*start.command, *map(str, descriptors)],
                env=start.environ,
                cwd=start.directory,
                stdin=subprocess.DEVNULL,
                pass_fds=descriptors,
                start_new_session=True,
                **options,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.line = Line(ours)
        self.line.tell("serve", {**start.order, "group": group.name, "waits": waits})

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def hear(self) -> None:
        """Take note of what it has reported."""
        try:
            for kind, value in self.line.hear():
                self._note(kind, value)
        except (TypeError, ValueError, LookupError, AttributeError):  # what an application may have sent
            self.line.has_ended = True

    def _note(self, kind: str, value: Any) -> None:
        if kind == "ready":
            self.reported.broken = {str(name): str(why) for name, why in value.items()}
            self.reported.is_ready, self.reported.failure = True, ""
        elif kind == "failing":
            self.reported.is_ready, self.reported.failure = False, str(value)
        elif kind == "refused":
            self.reported.failure, self.reported.is_mistake = str(value["reason"]), bool(value["is_mistake"])
        elif kind == "reloaded":
            self.reported.outcome = str(value)
        elif kind == "workers":
            self.reported.workers = tuple(map(int, value))
        elif kind == "raised":
            self.reported.raised = [*self.reported.raised, (int(value[0]), list(value[1]))][-_MOST_RAISED:]

    def poll(self) -> int | None:
        """Return its exit code, or the negative number of the signal that ended it; None while it runs."""
        if self._code is None:
            # Its line ends a moment before it does, and how it has ended says more.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._code = self._process.wait(_MOMENT if self.line.has_ended else 0)
        return self._code

    def admit(self) -> None:
        """Let it serve, if it waits for that."""
        self.line.tell("go")

    def reload(self) -> None:
        """Have it read the configuration and load its applications again."""
        self.reported.outcome = None
        self.signal(signal.SIGHUP)

    def signal(self, number: int) -> None:
        """Send it a signal; does nothing where it has ended."""
        if self.poll() is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it and all of its workers at once."""
        if self.poll() is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except OSError:  # another user's
                self._process.kill()
        self._process.wait()
        self.line.close()
