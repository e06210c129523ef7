"""What `check` finds as annotations of GitHub Actions, each at its line of the file; it prints nothing."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from multiserve.config.mounts import MemberMount
from multiserve.errors import ConfigError, Problem
from multiserve.reports.check import CheckOutcome, advice

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def as_github(outcome: CheckOutcome) -> str:
    """Return a workflow command for each failure and each finding, at its line of the file."""
    config = outcome.composition.config
    members = [mount for mount in config.mounts if isinstance(mount, MemberMount)]
    file = _File(config.source.heading, {each.place: str(config.folder / each.target.file) for each in members})
    failures = [problem for loaded in outcome.composition.failures if loaded.error for problem in loaded.error.problems]
    lines = [file.annotate("error", problem.key, "cannot be loaded", _advice(problem)) for problem in failures]
    for finding in outcome.findings:
        message = "\n".join([finding.message, *advice(finding)])
        title = f"{finding.code} {', '.join(finding.mounts)}".rstrip()
        lines.append(file.annotate(_COMMANDS[finding.severity], finding.key, title, message))
    return "\n".join(lines)


def refusal_for_github(error: ConfigError) -> str:
    """Return a workflow command for each problem of the file."""
    file = _File(str(Path(error.source).absolute()) if error.source else "")
    return "\n".join(
        file.annotate("error", each.key, each.key or "multiserve", _advice(each)) for each in error.problems
    )


def _advice(problem: Problem) -> str:
    return "\n".join(filter(None, (problem.message, problem.excerpt, problem.hint)))


class _File:
    """The configuration as GitHub shows it, with annotations at its lines."""

    def __init__(self, path: str, others: Mapping[str, str] = MappingProxyType({})) -> None:
        """Find the lines of all keys; a file that cannot be read has none.

        Args:
            path: The file.
            others: Other files that are meant by a key.
        """
        self._path = path
        self._others = others
        self._lines: list[tuple[list[str], int]] = []
        text = ""
        with contextlib.suppress(OSError, ValueError):
            text = Path(path).read_text("utf-8-sig") if path else ""
        table: list[str] = []
        for number, line in enumerate(text.splitlines(), 1):
            if match := _HEADER.match(line):
                table = _parts(match[1])
                self._lines.append((table, number))
            elif match := _KEY.match(line):
                self._lines.append(([*table, *_parts(match[1])], number))

    def annotate(self, kind: str, key: str, title: str, message: str) -> str:
        """Write one workflow command; what it cannot hold is escaped as GitHub's own toolkit does it."""
        path, line = self._path, self._line_of(_parts(key))
        if key in self._others:
            path, line = self._others[key], 1
        if place := _PLACE.fullmatch(key):  # of what is no TOML
            path, line, title = place[1], int(place[2]), "multiserve"
        properties = {"file": path, "line": str(line), "title": title}
        written = ",".join(f"{name}={_escape(value, ':,')}" for name, value in properties.items() if value)
        return f"::{kind} {written}::{_escape(message)}"

    def _line_of(self, parts: list[str]) -> int:
        """Return the line of a key, or else of the innermost table or value around it; at last it is the first line."""
        around = [(len(found), -number) for found, number in self._lines if parts[: len(found)] == found]
        return -max(around, default=(0, -1))[1]


_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_PLACE = re.compile(r"(.+\.toml):(\d+)(?::\d+)?")


def _escape(text: str, more: str = "") -> str:
    return "".join(f"%{ord(each):02X}" if each in f"%\r\n{more}" else each for each in text)


def _parts(key: str) -> list[str]:
    """Split a key path at its dots, but not at those in quotes."""
    return [part.strip("\"'") for part in re.findall(_PART, key)]
