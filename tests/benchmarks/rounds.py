"""What all comparisons share: rounds in alternating order, ratios of each round, and the lines of the table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

HEADER = f"{'':34} {'':>10}  {'against':32} {'':>10}  {'ratio':>5} {'[min-max]':13} wanted  per CPU second"


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        rounds: How often everything is measured; alternately forwards and backwards.
        seconds: How long each server is loaded each time; wrk knows only whole ones.
        calls: How often each application is called each time, where there is no server.
    """

    rounds: int
    seconds: int
    calls: int


THOROUGH = Effort(rounds=7, seconds=2, calls=20_000)
QUICK = Effort(rounds=2, seconds=1, calls=5_000)


class Sample(NamedTuple):
    """What one measurement gave.

    Attributes:
        value: What the table shows, such as requests per second.
        per_cpu: The same for each second that the processor worked for the server: other programmes hardly change it.
    """

    value: float
    per_cpu: float = 0.0


@dataclass(frozen=True)
class Contender:
    """One of those that are compared: its name, and what measures it once."""

    name: str
    measure: Callable[[], Sample]


def compare(peer: Contender, ours: Sequence[Contender], rounds: int, wanted: str) -> list[str]:
    """Measure all in turn, and give a line for each of ours; a ratio is the median of those of the rounds.

    Args:
        peer: What ours are divided by.
        ours: One or more.
        rounds: How often.
        wanted: The goal, such as `>= 1.0`.
    """
    contenders = [peer, *ours]
    values: list[list[Sample]] = [[] for _ in contenders]
    for number in range(rounds):
        order = list(zip(contenders, values, strict=True))
        for contender, measured in reversed(order) if number % 2 else order:
            measured.append(contender.measure())
    return [
        _line(contender.name, measured, peer.name, values[0], wanted)
        for contender, measured in zip(ours, values[1:], strict=True)
    ]


def _line(name: str, samples: list[Sample], peer: str, peer_samples: list[Sample], wanted: str) -> str:
    values, peers = ([each.value for each in part] for part in (samples, peer_samples))
    costs, peer_costs = ([each.per_cpu for each in part] for part in (samples, peer_samples))
    numbers = [f"{statistics.median(each):10,.0f}" for each in (values, peers)]
    per_cpu = f"  {_ratio(costs, peer_costs)}" if all(costs) and all(peer_costs) else ""
    return f"{name:34} {numbers[0]}  {peer:32} {numbers[1]}  {_ratio(values, peers)} {wanted}{per_cpu}"


def _ratio(values: list[float], peers: list[float]) -> str:
    ratios = [value / peer for value, peer in zip(values, peers, strict=True)]
    spread = f"[{min(ratios):.2f}-{max(ratios):.2f}]"
    return f"{statistics.median(ratios):5.2f} {spread:13}"
