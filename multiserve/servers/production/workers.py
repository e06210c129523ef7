"""What the master knows of its workers: which generation they belong to, and which mounts they serve."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from socket import socket
from typing import TYPE_CHECKING, Any

from multiserve.servers.groups.line import Line

if TYPE_CHECKING:
    from multiserve.servers.production.application import GunicornApplication

LONGEST = 300.0  # seconds that a worker may take until it can serve
_LONGEST_PAUSE = 60.0  # seconds


@dataclass(slots=True)
class Member:
    """One worker.

    Attributes:
        line: The line to the worker (see readiness).
        serves: The keys of the mounts that it serves; None while it is not ready.
        broken: Why it does not serve the others.
        maintained: The names of the mounts that are in maintenance in it; None until it has said so.
        ready_by: When it must be able to serve, on the monotonic clock.
        has_reached_max_requests: It has served its `max_requests`, and serves on until another one takes its place.
        kill_at: When its time to stop is over, on the monotonic clock.
    """

    line: Line
    serves: frozenset[str] | None = None
    broken: Mapping[str, str] = field(default_factory=dict)
    maintained: AbstractSet[str] | None = None
    ready_by: float = math.inf
    has_reached_max_requests: bool = False
    kill_at: float = math.inf

    def admit(self) -> None:
        """Let a worker that waits begin to serve; does nothing where it has just died, which is noticed elsewhere."""
        self.line.tell("go")

    def put_in_maintenance(self, pages: Mapping[str, str]) -> None:
        """Have mounts answer 503, and no others.

        Args:
            pages: The file with the page of each, by its name; empty for the page that all have.
        """
        self.maintained = None
        self.line.tell("maintain", dict(pages))

    def drain(self) -> None:
        """Let each response be the last one of its connection."""
        self.line.tell("drain")

    def is_behind(self, pages: Mapping[str, str]) -> bool:
        """Return whether this worker serves, and has not said yet that it has these mounts in maintenance."""
        return self.serves is not None and self.maintained != pages.keys()


@dataclass(slots=True)
class Generation:
    """The workers that were started for one reading of the file.

    Attributes:
        application: What the file said.
        listeners: gunicorn's sockets.
        waits: It must not serve before all of its workers can.
        deadline: When they must be able to, on the monotonic clock.
        members: The workers by process id, except those that have been signalled to stop.
    """

    application: GunicornApplication
    listeners: list[Any]
    waits: bool = False
    deadline: float = math.inf
    members: dict[int, Member] = field(default_factory=dict)

    def add(self, pid: int, line: socket, now: float, maintained: Iterable[str] = ()) -> None:
        """Add a worker that has just been started, with these mounts in maintenance."""
        self.members[pid] = Member(Line(line), ready_by=now + LONGEST, maintained=frozenset(maintained))

    @property
    def serves(self) -> frozenset[str]:
        """The keys of the mounts that at least one worker serves."""
        return frozenset().union(*(member.serves for member in self.members.values() if member.serves is not None))

    @property
    def broken(self) -> list[str]:
        """The keys of the mounts for which at least one of the workers that are ready answers 503."""
        served = [member.serves for member in self.members.values() if member.serves is not None]
        keys = (mount.name for mount in self.application.config.mounts)
        return [key for key in keys if not all(key in each for each in served)]

    @property
    def reasons(self) -> dict[str, str]:
        """Why at least one of the workers that are ready answers 503 for a mount."""
        ready = [member for member in self.members.values() if member.serves is not None]
        return {name: why for member in ready for name, why in member.broken.items()}

    @property
    def has_ready(self) -> bool:
        """Whether any worker serves."""
        return any(member.serves is not None for member in self.members.values())

    @property
    def is_ready(self) -> bool:
        """Whether every worker is ready."""
        return all(member.serves is not None for member in self.members.values())

    def late(self, now: float) -> list[int]:
        """Return the workers that are not ready in time."""
        return [pid for pid, member in self.members.items() if member.serves is None and now > member.ready_by]

    @property
    def exhausted(self) -> list[int]:
        """The workers that are to be replaced, the oldest first."""
        return [pid for pid, member in self.members.items() if member.has_reached_max_requests]

    def hear(self) -> Iterator[tuple[int, str, Any]]:
        """Yield the process, the kind and the value of each report."""
        for pid, member in list(self.members.items()):
            for kind, value in member.line.hear():
                if kind == "ready":
                    mounts = {mount.name for mount in self.application.config.mounts}
                    member.serves, member.broken = frozenset(mounts.difference(value)), value
                elif kind == "exhausted":
                    member.has_reached_max_requests = True
                elif kind == "maintained":
                    member.maintained = frozenset(value)
                yield pid, kind, value
                if pid not in self.members:  # whoever hears it has signalled it to stop
                    break

    def take_ended(self, living: Collection[int]) -> list[tuple[int, Member]]:
        """Remove the workers that have ended, and return them."""
        ended = [(pid, self.members.pop(pid)) for pid in list(self.members) if pid not in living]
        for _, member in ended:
            member.line.close()
        return ended


class Retries:
    """When workers may be started again: after pauses that grow with each failure, and end with the first success."""

    def __init__(self) -> None:
        """Start without a pause."""
        self.pause = 0.0
        self._until = -math.inf

    def fail(self, now: float) -> float:
        """Pause for longer than before, and return the seconds; workers that fail together count once."""
        if now >= self._until:
            self.pause = min(2 * self.pause, _LONGEST_PAUSE) or 1.0
            self._until = now + self.pause
        return self._until - now

    def succeed(self) -> None:
        """Forget all failures."""
        self.pause = 0.0
        self._until = -math.inf

    def hasten(self) -> None:
        """End the current pause, because no other worker serves."""
        self._until = -math.inf

    def is_due(self, now: float) -> bool:
        """Return whether the pause is over."""
        return now >= self._until
