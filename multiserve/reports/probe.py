"""What probing has found, as text and as values for JSON; it prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from multiserve.probing.results import ProbeResult
from multiserve.reports.text import table

_INDENT = "        "


def probes(results: Sequence[ProbeResult]) -> str:
    """Tell for each request what came of it, and below it what is wrong, each with its cure."""
    if not results:
        return ""
    rows = table([_row(result) for result in results], indent="")
    lines: list[str] = []
    for result, row in zip(results, rows.splitlines(), strict=True):
        lines += [row, *(f"{_INDENT}{line}" for line in _details(result))]
    return "\n".join(lines)


def _row(result: ProbeResult) -> Sequence[str]:
    if result.skipped:
        return ("-", "", result.url, f"not probed: {result.skipped}")
    status = "FAILED" if result.status is None else str(result.status)
    return (status, f"{result.seconds * 1000:.0f} ms", result.url, result.content_type)


def _details(result: ProbeResult) -> Iterator[str]:
    for remark in result.remarks:
        yield f"{remark.severity} {remark.code}: {remark.message}"
        if remark.cure:
            yield remark.cure


def probes_as_json(results: Iterable[ProbeResult]) -> list[dict[str, Any]]:
    """Give the results as values for JSON."""
    return [{**asdict(result), "remarks": [remark._asdict() for remark in result.remarks]} for result in results]
