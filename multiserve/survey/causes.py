"""Finds the mounts that answer otherwise beside others than alone, and which other mount is the cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from multiserve.config.mounts import Mount
from multiserve.probing.answers import Answer, Difference, What, find_difference
from multiserve.survey.alone import Outcome

_MOST_PROCESSES = 60  # for all mounts together, once each of them has been loaded alone


class Runs(Protocol):
    """Loads mounts in a new process and asks them."""

    def run(self, mounts: Sequence[Mount]) -> Mapping[str, Outcome]:
        """Return what came of the mounts by their names; nothing if the process has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """What other mounts change.

    Attributes:
        mount: The mount that is changed.
        cause: The mount that changes it; None if only several together do.
        url: The URL that is answered otherwise; "" if the mount cannot be loaded.
        difference: What is different.
    """

    mount: Mount
    cause: Mount | None
    url: str
    difference: Difference


def find_influences(processes: Runs, mounts: Sequence[Mount]) -> list[Influence]:
    """Find what the mounts of one process change in each other.

    Each mount is loaded alone, and all of them together. Where an answer is different, the others are halved until one
    of them is left with which it is different again. What is not found twice, in two processes, is not reported.

    Args:
        processes: Starts the processes.
        mounts: The mounts, in the order of the file.
    """
    if len(mounts) < 2:  # noqa: PLR2004 (one has no other beside it)
        return []
    together = processes.run(mounts)
    alone = {mount.name: processes.run([mount]).get(mount.name) for mount in mounts} if together else {}
    search = _Search(processes, mounts)
    return [
        influence
        for mount in mounts
        if (once := alone.get(mount.name)) and (influence := search.find(mount, once, together[mount.name]))
    ]


class _Search:
    """Looks for causes, with a bounded number of processes."""

    def __init__(self, processes: Runs, mounts: Sequence[Mount]) -> None:
        self._processes = processes
        self._mounts = mounts
        self._left = _MOST_PROCESSES
        self._known: dict[frozenset[str], Mapping[str, Outcome]] = {}

    def find(self, mount: Mount, alone: Outcome, together: Outcome) -> Influence | None:
        """Return what others change in a mount; None if nothing."""
        if _find(mount, [alone], together) is None:
            return None
        again = self._run([mount]).get(mount.name)  # a page may have what is made anew in each process
        if again is None or (found := _find(mount, [alone, again], together)) is None:
            return None
        seen = _Seen(found, [alone, again])
        others = [each for each in self._mounts if each is not mount]
        cause = self._halve(mount, others, seen)
        if cause is None and not self._shows(mount, others, seen):
            return None
        return replace(found, cause=cause)

    def _halve(self, mount: Mount, others: Sequence[Mount], seen: _Seen) -> Mount | None:
        """Return the one mount that is the cause; None if none of them is by itself."""
        if len(others) == 1:
            return others[0] if self._shows(mount, others, seen) else None
        while len(others) > 1:
            middle = len(others) // 2
            halves = (others[:middle], others[middle:])
            others = next((half for half in halves if self._shows(mount, half, seen)), ())
        return others[0] if others else None

    def _shows(self, mount: Mount, others: Iterable[Mount], seen: _Seen) -> bool:
        """Return whether the same is different beside some of the others, in a process of theirs."""
        beside = {mount.name, *(each.name for each in others)}
        outcome = self._run([each for each in self._mounts if each.name in beside]).get(mount.name)
        return outcome is not None and seen.is_in(outcome)

    def _run(self, mounts: Sequence[Mount]) -> Mapping[str, Outcome]:
        names = frozenset(mount.name for mount in mounts)
        if names not in self._known:
            self._left -= 1
            self._known[names] = self._processes.run(mounts) if self._left >= 0 else {}
        return self._known[names]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was different, and what the mount is like alone."""

    found: Influence
    alone: Sequence[Outcome]

    def is_in(self, outcome: Outcome) -> bool:
        """Return whether the same is different in an outcome."""
        other = _find(self.found.mount, self.alone, outcome, self.found.url)
        return other is not None and self.found.difference.is_like(other.difference)


def _find(mount: Mount, alone: Sequence[Outcome], other: Outcome, only: str | None = None) -> Influence | None:
    """Return what is different in an outcome, by default at the first URL for which anything is."""
    problems = {each.problem for each in alone}
    if len(problems) > 1:
        return None
    if bool(other.problem) != any(problems):
        what: What = "error" if other.problem else "recovery"
        here = f"it cannot be loaded ({other.problem})" if other.problem else "it can be loaded"
        before = f"it cannot ({alone[0].problem})" if alone[0].problem else "it can"
        difference = Difference(what, frozenset({what}), here, before)
        return Influence(mount=mount, cause=None, url="", difference=difference)
    for url, answers in other.answers.items():
        if only not in (None, url):
            continue
        known = [answer for each in alone for answer in each.answers.get(url, ())]
        if found := _difference(known, answers):
            return Influence(mount=mount, cause=None, url=url, difference=found)
    return None


def _difference(alone: Sequence[Answer], answers: Sequence[Answer]) -> Difference | None:
    """Return the difference of the first answer that has one, most often that of the last turn."""
    return next((found for each in answers if alone and (found := find_difference(alone, each))), None)
