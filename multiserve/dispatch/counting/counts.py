"""The counts of one worker, in memory that it shares with its master: the worker alone writes, the master reads."""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Iterable, Sequence

UNMATCHED = ""
"""In place of a mount, for requests that no mount takes."""

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds of durations in seconds (OpenTelemetry, semantic conventions for HTTP metrics)."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "_OTHER")
CLASSES = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
"""Classes of status codes; none where the client went before there was one."""

FAILED = 500
_BOUNDS = tuple(int(bound * 1e9) for bound in BUCKETS)  # nanoseconds
_SUM = len(BUCKETS) + 1  # in the cells of a method: the buckets, that without a bound, and the sum of durations
_WIDTH = _SUM + 1
_METHOD = {name: number * _WIDTH for number, name in enumerate(METHODS)}
_OTHER = _METHOD["_OTHER"]
_CLASSES_AT = len(METHODS) * _WIDTH
OPENED = _CLASSES_AT + len(CLASSES)
GAUGES = OPENED + 1
"""The first of the cells that go down as well: they mean nothing once their worker has ended."""

ACTIVE = GAUGES
OPEN = GAUGES + 1
ROW = GAUGES + 2
"""How many cells there are for each mount."""


class Counts:
    """A row of whole numbers for each mount."""

    def __init__(self, names: Iterable[str]) -> None:
        """Count for the mounts of these names, and for what no mount takes; before the worker is forked."""
        self.offsets = {name: number * ROW for number, name in enumerate(dict.fromkeys([*names, UNMATCHED]))}
        self.cells = memoryview(mmap.mmap(-1, len(self.offsets) * ROW * 8)).cast("B").cast("q")

    def offset_of(self, name: str) -> int:
        """Return where the row of a mount begins; one that came later counts with what no mount takes."""
        found = self.offsets.get(name)
        return self.offsets[UNMATCHED] if found is None else found

    def add(self, cell: int, number: int) -> None:
        """Add to a cell."""
        self.cells[cell] += number

    def finish(self, name: str, method: str, status: int, duration: int) -> None:
        """Count a request.

        Args:
            name: The name of the mount that has answered.
            method: The method of the request.
            status: The status of the response; 0 if there was none.
            duration: Nanoseconds from the request to the last byte of the response.
        """
        cells, offset = self.cells, self.offset_of(name)
        cell = offset + _METHOD.get(method, _OTHER)
        cells[cell + bisect_left(_BOUNDS, duration)] += 1
        cells[cell + _SUM] += duration
        number = status // 100
        cells[offset + _CLASSES_AT + (number if 0 < number < len(CLASSES) else 0)] += 1

    def read(self) -> dict[str, list[int]]:
        """Return the row of each mount."""
        return {name: self.cells[offset : offset + ROW].tolist() for name, offset in self.offsets.items()}


def durations(row: Sequence[int], method: str) -> tuple[list[int], float]:
    """Return how many requests of a method are in each bucket of a row, and the seconds of all together."""
    cell = _METHOD[method]
    return list(row[cell : cell + _SUM]), row[cell + _SUM] / 1e9


def responses(row: Sequence[int]) -> dict[str, int]:
    """Return how many responses of each class are in a row."""
    return dict(zip(CLASSES, row[_CLASSES_AT:OPENED], strict=True))
