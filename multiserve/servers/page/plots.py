"""Small plots as inline SVG: one line, with its last value beside it told by the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

_WIDTH = 120
_HEIGHT = 24
_LINE = 1  # half of the line stays inside


def plot(values: Sequence[float | None], title: str, kind: str = "") -> str:
    """Return a plot from zero to the greatest value; nothing is drawn where there is no value.

    Args:
        values: The values, the oldest first.
        title: What it shows, for readers that do not see it.
        kind: The class of the line.
    """
    highest = max((value for value in values if value), default=0) or 1
    lines = " ".join(f'<polyline class="{escape(kind)}" points="{points}"/>' for points in _runs(values, highest))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{lines}</svg>'
    )


def _runs(values: Sequence[float | None], highest: float) -> list[str]:
    """Return the points of each line; a value alone is a short line."""
    step = _WIDTH / max(len(values), 1)
    runs: list[list[str]] = [[]]
    for value, numbers in groupby(range(len(values)), key=values.__getitem__):
        if value is None:
            runs.append([])
            continue
        places = list(numbers)
        y = _LINE + (_HEIGHT - 2 * _LINE) * (1 - value / highest)
        runs[-1] += [f"{places[0] * step:.0f},{y:.1f}", f"{(places[-1] + 1) * step:.0f},{y:.1f}"]
    return [" ".join(run) for run in runs if run]
