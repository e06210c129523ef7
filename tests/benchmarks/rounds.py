"""What all comparisons share: measuring in turn, a row of the table for each pair, and whether it meets its goal."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        rounds: How often everything is measured in this process; a ratio is the median of those of the rounds.
        slices: In how many pieces such a round is cut, so that all are measured under one load.
        calls: How often each application is called in each of them.
        loads: How often each server is loaded, for a second.
        starts: How often each process is started.
    """

    rounds: int
    slices: int
    calls: int
    loads: int
    starts: int


THOROUGH = Effort(rounds=7, slices=40, calls=250, loads=15, starts=5)
QUICK = Effort(rounds=3, slices=7, calls=100, loads=2, starts=2)


class Sample(NamedTuple):
    """What one measurement gave.

    Attributes:
        value: What the table shows, such as requests per second.
        per_cpu: The same by the time that the processor worked for it: other programmes hardly change that.
    """

    value: float
    per_cpu: float = 0.0


@dataclass(frozen=True)
class Contender:
    """One of those that are compared: its name, and what measures it once."""

    name: str
    measure: Callable[[], Sample]


@dataclass(frozen=True)
class Goal:
    """What a ratio should be."""

    side: Literal["<=", ">="]
    bound: float

    def judge(self, ratio: float) -> str:
        """Give the goal, and whether the ratio meets it."""
        met = ratio <= self.bound if self.side == "<=" else ratio >= self.bound
        return f"{self.side} {self.bound:.2f} {'met' if met else 'MISSED'}"


def at_most(bound: float) -> Goal:
    """Want a cost to be so many times that of the peer."""
    return Goal("<=", bound)


def at_least(bound: float) -> Goal:
    """Want a rate to be so many times that of the peer."""
    return Goal(">=", bound)


class Row(NamedTuple):
    """A line of the table, each column as text."""

    name: str
    value: str
    peer: str
    peer_value: str
    ratio: str
    spread: str
    goal: str
    per_cpu: str


HEADER = Row("multiserve", "", "against", "", "ratio", "[min-max]", "goal", "by CPU time")


def measure_in_turn(contenders: Sequence[Contender], rounds: int, slices: int = 1) -> list[list[Sample]]:
    """Measure all in turn, alternately forwards and backwards: for each a sample of every round."""
    samples: list[list[Sample]] = [[] for _ in contenders]
    for _ in range(rounds):
        parts: list[list[Sample]] = [[] for _ in contenders]
        for number in range(slices):
            order = list(zip(contenders, parts, strict=True))
            for contender, measured in reversed(order) if number % 2 else order:
                measured.append(contender.measure())
        for sample, measured in zip(samples, parts, strict=True):
            sample.append(Sample(*map(statistics.median, zip(*measured, strict=True))))
        # What came last in this round comes first in the next.
        contenders, samples = contenders[::-1], samples[::-1]
    return samples[::-1] if rounds % 2 else samples


def row(ours: Contender, samples: list[Sample], peer: Contender, peers: list[Sample], goal: Goal | None = None) -> Row:
    """Make the line for one of ours and one that it is compared with."""
    values, peer_values = ([each.value for each in part] for part in (samples, peers))
    costs, peer_costs = ([each.per_cpu for each in part] for part in (samples, peers))
    ratio, spread = _ratio(values, peer_values)
    per_cpu = " ".join(_as_text(*_ratio(costs, peer_costs))) if all(costs) and all(peer_costs) else ""
    return Row(
        ours.name,
        _number(statistics.median(values)),
        peer.name,
        _number(statistics.median(peer_values)),
        *_as_text(ratio, spread),
        goal.judge(ratio) if goal else "",
        per_cpu,
    )


def compare(
    peer: Contender, ours: Sequence[Contender], rounds: int, goal: Goal | None = None, slices: int = 1
) -> list[Row]:
    """Measure all in turn, and give a row for each of ours."""
    contenders = [peer, *ours]
    peers, *samples = measure_in_turn(contenders, rounds, slices)
    return [row(each, measured, peer, peers, goal) for each, measured in zip(ours, samples, strict=True)]


def _ratio(values: list[float], peers: list[float]) -> tuple[float, tuple[float, float]]:
    ratios = [value / peer for value, peer in zip(values, peers, strict=True)]
    return statistics.median(ratios), (min(ratios), max(ratios))


def _as_text(ratio: float, spread: tuple[float, float]) -> tuple[str, str]:
    digits = 4 if ratio < 0.01 else 2
    return f"{ratio:.{digits}f}", f"[{spread[0]:.{digits}f}-{spread[1]:.{digits}f}]"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
