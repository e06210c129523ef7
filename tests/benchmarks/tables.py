"""How the rows are written: for a terminal, or in Markdown for the documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from rounds import HEADER, Row

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
_FORMAT = "{:42} {:>10}  {:34} {:>10}  {:>6} {:17} {:14} {}"


class Style(NamedTuple):
    """How to write a table.

    Attributes:
        begin: Writes what stands in front of all, from lines about the machine.
        head: Writes what stands in front of the rows of a section, from its title.
        line: Writes a row.
        end: Writes what stands behind all, from a last line.
    """

    begin: Callable[[Iterable[str]], str]
    head: Callable[[str], str]
    line: Callable[[Row], str]
    end: Callable[[str], str]


def _line(row: Row) -> str:
    return _FORMAT.format(*row).rstrip()


def _markdown_line(row: Row) -> str:
    goal = row.goal.replace("<=", "≤").replace(">=", "≥").replace("MISSED", "**missed**")
    return f"| {' | '.join([*row[:6], goal, row.per_cpu])} |"


def _markdown_head(title: str) -> str:
    sides = ("---", "--:", "---", "--:", "--:", "---", "---", "---")
    return f"\n### {title}\n\n{_markdown_line(HEADER)}\n|{'|'.join(f' {side} ' for side in sides)}|"


TEXT = Style("\n".join, lambda title: f"\n{title}\n{_line(HEADER)}", _line, "\n{}".format)
MARKDOWN = Style(
    lambda lines: "\n".join([BEGIN, *lines]), _markdown_head, _markdown_line, lambda last: f"\n{last}\n{END}"
)
