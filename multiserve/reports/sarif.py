"""What `check` finds as SARIF 2.1.0, the format of code scanning; it prints nothing."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from multiserve.errors import ConfigError
from multiserve.findings import Finding, Topic
from multiserve.reports.check import CheckOutcome, advice, all_findings
from multiserve.reports.file_lines import FileLines, lines_of
from multiserve.reports.handbook import documentation_of

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_REFUSED = "configuration"  # the rule of what is wrong with the file itself, which has no code


def as_sarif(outcome: CheckOutcome, topics: Mapping[str, Topic]) -> str:
    """Return a log with a result for each failure and each finding, at its line of the file.

    Args:
        outcome: What was found.
        topics: What is known about the codes.
    """
    lines = lines_of(outcome.composition.config)
    findings = all_findings(outcome)
    used = [topics[code] for code in sorted({each.code for each in findings}) if code in topics]
    return _log([_rule(topic) for topic in used], [_result(lines, each) for each in findings])


def refusal_as_sarif(error: ConfigError) -> str:
    """Return a log with a result for each problem of the file."""
    lines = FileLines(str(Path(error.source).absolute()) if error.source else "")
    results = [
        _entry(lines, each.key, _REFUSED, "error", "\n".join(filter(None, (each.message, each.excerpt, each.hint))))
        for each in error.problems
    ]
    return _log([], results)


def _log(rules: list[dict[str, Any]], results: list[dict[str, Any]]) -> str:
    driver = {"name": "multiserve", "version": importlib.metadata.version("multiserve"), "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(topic: Topic) -> dict[str, Any]:
    place = documentation_of(topic.code)
    where = {"helpUri": place} if "://" in place else {"help": {"text": f"See {place}"}} if place else {}
    return {
        "id": topic.code,
        "shortDescription": {"text": topic.title},
        "fullDescription": {"text": f"{topic.explanation} {topic.consequence}"},
        "defaultConfiguration": {"level": topic.severity},
        **where,
    }


def _result(lines: FileLines, finding: Finding) -> dict[str, Any]:
    return _entry(lines, finding.key, finding.code, finding.severity, "\n".join(_message(finding)))


def _message(finding: Finding) -> Iterator[str]:
    yield f"{', '.join(finding.mounts)}: {finding.message}" if finding.mounts else finding.message
    yield from advice(finding)


def _entry(lines: FileLines, key: str, code: str, level: str, message: str) -> dict[str, Any]:
    place = lines.place_of(key)
    found: dict[str, Any] = {"ruleId": code, "level": level, "message": {"text": message}}
    if place.path:
        artifact = {"artifactLocation": {"uri": _uri(Path(place.path))}, "region": {"startLine": place.line}}
        found["locations"] = [{"physicalLocation": artifact}]
    return found


def _uri(path: Path) -> str:
    """Return a path below the working directory as code scanning expects it, and any other one as a whole URL."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.absolute().as_uri()
