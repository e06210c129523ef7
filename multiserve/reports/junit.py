"""What `check` finds as a report of JUnit, which most systems for continuous integration show; it prints nothing."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from multiserve.errors import ConfigError
from multiserve.findings import Finding
from multiserve.reports.check import CheckOutcome, advice, all_findings

_WHOLE = "the whole file"  # the test case of what concerns no mount
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


def as_junit(outcome: CheckOutcome) -> str:
    """Return a test suite with a case for each mount.

    A case fails by an error, or by a warning where warnings count as errors; all else is its output.
    """
    by_mount: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in all_findings(outcome):
        by_mount[finding.mounts[0] if finding.mounts else _WHOLE].append(finding)
    names = dict.fromkeys((*(loaded.mount.name for loaded in outcome.composition.mounts), _WHOLE, *by_mount))
    failing = ("error", "warning") if outcome.is_strict else ("error",)
    return _suite([(name, by_mount.get(name, []), failing) for name in names])


def refusal_as_junit(error: ConfigError) -> str:
    """Return a test suite in which the file fails, with each of its problems."""
    findings = [
        Finding(
            code="", severity="error", mounts=(), key=each.key, message=each.message, consequence="", cure=each.hint
        )
        for each in error.problems
    ]
    return _suite([(_WHOLE, findings, ("error",))])


def _suite(cases: Sequence[tuple[str, Sequence[Finding], Sequence[str]]]) -> str:
    failed = sum(any(each.severity in failing for each in findings) for _, findings, failing in cases)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites><testsuite name="multiserve check" tests="{len(cases)}" failures="{failed}" errors="0">',
        *(line for case in cases for line in _case(*case)),
        "</testsuite></testsuites>",
    ]
    return "\n".join(lines)


def _case(name: str, findings: Sequence[Finding], failing: Sequence[str]) -> Iterable[str]:
    yield f'<testcase classname="multiserve" name="{_text(name)}">'
    wrong = [each for each in findings if each.severity in failing]
    others = [each for each in findings if each.severity not in failing]
    if wrong:
        message = f"{wrong[0].message}" + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else "")
        yield f'<failure type="{_text(wrong[0].code or "file")}" message="{_text(message)}">{_told(wrong)}</failure>'
    if others:
        yield f"<system-out>{_told(others)}</system-out>"
    yield "</testcase>"


def _told(findings: Iterable[Finding]) -> str:
    return _text("\n\n".join("\n".join([_head(each), *filter(None, advice(each))]) for each in findings))


def _head(finding: Finding) -> str:
    where = ", ".join(finding.mounts) or finding.key
    return f"{' '.join(filter(None, (finding.severity, finding.code, where)))}: {finding.message}"


def _text(text: str) -> str:
    return html.escape(_NO_TEXT.sub("\ufffd", text))
