"""What `check` finds as annotations of GitHub Actions, each at its line of the file; it prints nothing."""

from __future__ import annotations

from pathlib import Path

from multiserve.errors import ConfigError, Problem
from multiserve.reports.check import CheckOutcome, advice
from multiserve.reports.file_lines import FileLines, lines_of, place_named_by

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def as_github(outcome: CheckOutcome) -> str:
    """Return a workflow command for each failure and each finding, at its line of the file."""
    lines_of_file = lines_of(outcome.composition.config)
    failures = [problem for loaded in outcome.composition.failures if loaded.error for problem in loaded.error.problems]
    lines = [
        _annotate(lines_of_file, "error", problem.key, "cannot be loaded", _advice(problem)) for problem in failures
    ]
    for finding in outcome.findings:
        message = "\n".join([finding.message, *advice(finding)])
        title = f"{finding.code} {', '.join(finding.mounts)}".rstrip()
        lines.append(_annotate(lines_of_file, _COMMANDS[finding.severity], finding.key, title, message))
    return "\n".join(lines)


def refusal_for_github(error: ConfigError) -> str:
    """Return a workflow command for each problem of the file."""
    lines_of_file = FileLines(str(Path(error.source).absolute()) if error.source else "")
    return "\n".join(
        _annotate(lines_of_file, "error", each.key, each.key or "multiserve", _advice(each)) for each in error.problems
    )


def _advice(problem: Problem) -> str:
    return "\n".join(filter(None, (problem.message, problem.excerpt, problem.hint)))


def _annotate(lines: FileLines, kind: str, key: str, title: str, message: str) -> str:
    """Write one workflow command; what it cannot hold is escaped as GitHub's own toolkit does it."""
    place = lines.place_of(key)
    properties = {"file": place.path, "line": str(place.line), "title": "multiserve" if place_named_by(key) else title}
    written = ",".join(f"{name}={_escape(value, ':,')}" for name, value in properties.items() if value)
    return f"::{kind} {written}::{_escape(message)}"


def _escape(text: str, more: str = "") -> str:
    return "".join(f"%{ord(each):02X}" if each in f"%\r\n{more}" else each for each in text)
