"""What `check` says, as text, as values for JSON, and as annotations of GitHub Actions; it prints nothing."""

from __future__ import annotations

import contextlib
import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from multiserve.checks import Finding, Topic
from multiserve.composition import Composition
from multiserve.errors import ConfigError, Problem
from multiserve.loading.side_effects import SideEffects
from multiserve.probing.results import ProbeResult
from multiserve.reports import text
from multiserve.reports.probe import probes, probes_as_json

_WIDTH = 100  # characters of a line of prose
_WIDTH_OF_DOCUMENTS = 120
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


class Outcome(NamedTuple):
    """What a check has come to."""

    composition: Composition
    findings: list[Finding]
    effects: Mapping[str, SideEffects]
    shows_costs: bool
    probes: Sequence[ProbeResult] | None = None  # None if nobody asked for them
    is_strict: bool = False  # warnings count as errors

    @property
    def severities(self) -> set[str]:
        """How bad it is, from `note` to `error`; a mount that cannot be loaded is another matter."""
        remarked = {remark.severity for result in self.probes or () for remark in result.remarks}
        return {*remarked, *(finding.severity for finding in self.findings)}

    @property
    def is_wrong(self) -> bool:
        """Whether something is found that must not stay."""
        return "error" in self.severities or (self.is_strict and "warning" in self.severities)


def as_text(outcome: Outcome) -> str:
    """Tell each mount, what loading it costs if that is asked for, and each finding."""
    parts = [text.outcomes(outcome.composition)]
    if outcome.shows_costs:
        parts.append(_costs(outcome))
    if outcome.probes is not None:
        parts.append(probes(outcome.probes))
    return "\n\n".join([*parts, *map(_finding, outcome.findings)])


def _costs(outcome: Outcome) -> str:
    rows = [("MOUNT", "SECONDS", "MEMORY")]
    for loaded in outcome.composition.mounts:
        effects = outcome.effects[loaded.mount.name]
        rows.append((loaded.mount.name, f"{effects.seconds:.2f}", f"{effects.memory / 2**20:.0f} MB"))
    return text.table(rows, indent="")


def _finding(finding: Finding) -> str:
    where = ", ".join(finding.mounts) or finding.key
    return (
        f"{finding.severity} {finding.code} {where}: {finding.message}\n"
        f"        {finding.consequence}\n"
        f"        {finding.cure}"
    )


def as_json(outcome: Outcome) -> str:
    """Give the whole outcome as JSON."""
    mounts = text.outcomes_as_json(outcome.composition)
    for mount, loaded in zip(mounts, outcome.composition.mounts, strict=True):
        effects = outcome.effects[loaded.mount.name]
        mount |= {"seconds": round(effects.seconds, 3), "memory": effects.memory}
    found = [_finding_as_json(finding) for finding in outcome.findings]
    is_right = not (outcome.composition.failures or outcome.is_wrong)
    probed = {} if outcome.probes is None else {"probes": probes_as_json(outcome.probes)}
    return json.dumps({"ok": is_right, "problems": [], "mounts": mounts, "findings": found, **probed}, indent=2)


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "mounts": list(finding.mounts),
        "key": finding.key,
        "message": finding.message,
        "consequence": finding.consequence,
        "cure": finding.cure,
    }


def refusal_as_json(error: ConfigError) -> str:
    """Give what is wrong with the file as JSON."""
    problems = text.problems_as_json(error.problems)
    return json.dumps({"ok": False, "problems": problems, "mounts": [], "findings": []})


def as_github(outcome: Outcome) -> str:
    """Give each failure and each finding as a workflow command, at its line of the file."""
    config = outcome.composition.config
    file = _File(str(config.path))
    failures = [problem for loaded in outcome.composition.failures if loaded.error for problem in loaded.error.problems]
    lines = [file.annotate("error", problem.key, "cannot be loaded", _advice(problem)) for problem in failures]
    for finding in outcome.findings:
        message = f"{finding.message}\n{finding.consequence}\n{finding.cure}"
        title = f"{finding.code} {', '.join(finding.mounts)}".rstrip()
        lines.append(file.annotate(_COMMANDS[finding.severity], finding.key, title, message))
    for result in outcome.probes or ():
        for remark in result.remarks:
            message, title = f"{remark.message}\n{remark.cure}".rstrip(), f"{remark.code} {result.url}"
            lines.append(file.annotate(_COMMANDS[remark.severity], result.toml_key, title, message))
    return "\n".join(lines)


def refusal_for_github(error: ConfigError) -> str:
    """Give what is wrong with the file as workflow commands."""
    file = _File(str(Path(error.source).absolute()) if error.source else "")
    return "\n".join(
        file.annotate("error", each.key, each.key or "multiserve", _advice(each)) for each in error.problems
    )


def _advice(problem: Problem) -> str:
    return f"{problem.message}\n{problem.hint}".rstrip()


class _File:
    """The configuration as GitHub shows it, with annotations at its lines."""

    def __init__(self, path: str) -> None:
        """Find the lines of all keys; a file that cannot be read has none."""
        self._path = path
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
        if place := _PLACE.fullmatch(key):  # of what is no TOML
            path, line, title = place[1], int(place[2]), "multiserve"
        properties = {"file": path, "line": str(line), "title": title}
        written = ",".join(f"{name}={_escape(value, ':,')}" for name, value in properties.items() if value)
        return f"::{kind} {written}::{_escape(message)}"

    def _line_of(self, parts: list[str]) -> int:
        """Give the line of a key, or else of the innermost table or value around it; at last it is the first line."""
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


def explained(topic: Topic) -> str:
    """Tell more about one check, or about what probing finds."""
    body = _filled(f"{topic.explanation} {topic.consequence}", _WIDTH)
    ignoring = f'Ignored by ignore = ["{topic.code}"] at the top of the file, or on a mount.'
    return f"{topic.code} ({topic.severity}): {topic.title}\n\n{body}\n\n{ignoring}"


def handbook(topics: Iterable[Topic]) -> str:
    """Give docs/checks.md: every check with all that is known about it, and everything that probing finds."""
    return "\n".join([_PREFACE, *map(_section, topics)])


def _section(topic: Topic) -> str:
    severity = topic.severity.capitalize()
    body = _filled(topic.explanation, _WIDTH_OF_DOCUMENTS)
    return f"## {topic.code}: {topic.title}\n\n*{severity}.* {topic.consequence}\n\n{body}\n"


def _filled(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


_PREFACE = """\
# What `multiserve check` finds

<!-- Written by: python -c "from multiserve.checks import TOPICS; from multiserve.reports.check import handbook
print(handbook(TOPICS.values()), end='')" > docs/checks.md -->

`multiserve check` loads every mount and then looks at the composition as a whole. Each finding has a code, which never
changes its meaning, the mounts that it concerns, what happens if it stays, and the change that cures it. With `--probe`
it asks each application for its root, too; what comes of that has the codes from MS201 on.

- An **error** breaks something, and makes `check` exit with 1.
- A **warning** will break something under some requests; `--strict` makes it fail, too.
- A **note** is about something that may break, or that is not certain.

The severity below is the usual one; where a finding is less certain it is a note, and its text says "may".

`multiserve check --explain MS102` tells the same in a terminal. `ignore = ["MS102"]` at the top of the file, or on a
mount, keeps a check silent; of the mounts that a finding concerns, it is enough that one ignores it. With
`--format json` or `--format github` the findings are for machines, and for the annotations of GitHub Actions.
"""
