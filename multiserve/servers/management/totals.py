"""What all workers have counted together, those that have ended included."""

from __future__ import annotations

from collections.abc import Collection

from multiserve.dispatch.counting.counts import GAUGES, ROW, Counts


class Totals:
    """The counts of the workers that live, and the sum of those that have ended.

    The main loop writes, and threads read: both parts are replaced together.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._parts: tuple[dict[str, list[int]], dict[int, Counts]] = {}, {}

    def begin(self, pid: int, counts: Counts) -> None:
        """Add a worker that has just been started."""
        ended, living = self._parts
        self._parts = ended, {**living, pid: counts}

    def end_others(self, living: Collection[int]) -> None:
        """Keep what workers have counted that have ended, except for gauges: what they had open is closed.

        Args:
            living: The process ids of those that have not.
        """
        ended, workers = self._parts
        gone = [pid for pid in workers if pid not in living]
        if not gone:
            return
        ended = {name: list(row) for name, row in ended.items()}
        for pid in gone:
            for name, row in workers[pid].read().items():
                _add(ended.setdefault(name, [0] * ROW), row[:GAUGES])
        self._parts = ended, {pid: counts for pid, counts in workers.items() if pid not in gone}

    def read(self) -> dict[str, list[int]]:
        """Return the sum for each mount; a new reading is never less than one before, except for gauges."""
        ended, living = self._parts
        sums = {name: list(row) for name, row in ended.items()}
        for counts in living.values():
            for name, row in counts.read().items():
                _add(sums.setdefault(name, [0] * ROW), row)
        return sums

    def forget(self) -> None:
        """Drop everything, in a new worker: the memory of the others is not its own."""
        self._parts = {}, {}


def _add(sums: list[int], row: list[int]) -> None:
    for number, value in enumerate(row):
        sums[number] += value
