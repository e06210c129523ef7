"""What has been counted in each of the last intervals, for the plots of a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from multiserve.dispatch.counting.counts import BUCKETS, METHODS, durations, responses

INTERVAL = 5.0  # seconds
NUMBER = 60  # of intervals: five minutes
_BUCKETS = len(BUCKETS) + 1


class Sample(NamedTuple):
    """What a mount has answered in an interval.

    Attributes:
        buckets: How many requests took no longer than each of the bounds, and how many took longer than all.
        errors: Responses of class 5xx.
    """

    buckets: tuple[int, ...] = (0,) * _BUCKETS
    errors: int = 0

    @property
    def requests(self) -> int:
        """How many requests there were."""
        return sum(self.buckets)

    def quantile(self, part: float) -> float | None:
        """Return the seconds within which this part of the requests was answered: the bound of a bucket.

        None where there was no request; infinite above the last bound.
        """
        if not self.requests:
            return None
        rank = math.ceil(part * self.requests)
        number = next(number for number, count in enumerate(accumulate(self.buckets)) if count >= rank)
        return BUCKETS[number] if number < len(BUCKETS) else math.inf


NOTHING = Sample()


class Samples:
    """The last intervals. The main loop writes, and threads read: what they read is replaced as a whole."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._before: dict[str, Sample] = {}
        self._next = -math.inf
        self._intervals: tuple[dict[str, Sample], ...] = ()

    def is_due(self, now: float) -> bool:
        """Return whether an interval has ended, at a time of the monotonic clock."""
        return now >= self._next

    def take(self, rows: Mapping[str, Sequence[int]], now: float) -> None:
        """Take note of all that has been counted until now.

        Args:
            rows: The row of each mount.
            now: The time, on the monotonic clock.
        """
        sums = {name: _summarise(row) for name, row in rows.items()}
        if self._next > -math.inf:
            changes = {name: _difference(each, self._before.get(name, NOTHING)) for name, each in sums.items()}
            busy = {name: each for name, each in changes.items() if each.requests}
            self._intervals = (*self._intervals, busy)[-NUMBER:]
        self._before = sums
        self._next = now + INTERVAL

    def of(self, name: str) -> list[Sample]:
        """Return the samples of a mount, the oldest first; where nothing is known yet, there was no request."""
        found = [interval.get(name, NOTHING) for interval in self._intervals]
        return [NOTHING] * (NUMBER - len(found)) + found


def together(samples: Sequence[Sample]) -> Sample:
    """Return the sum of samples."""
    buckets = tuple(map(sum, zip(*(each.buckets for each in samples), strict=True)))
    return Sample(buckets or NOTHING.buckets, sum(each.errors for each in samples))


def _summarise(row: Sequence[int]) -> Sample:
    buckets = [durations(row, method)[0] for method in METHODS]
    return Sample(tuple(map(sum, zip(*buckets, strict=True))), responses(row)["5xx"])


def _difference(after: Sample, before: Sample) -> Sample:
    buckets = tuple(max(new - old, 0) for new, old in zip(after.buckets, before.buckets, strict=True))
    return Sample(buckets, max(after.errors - before.errors, 0))
