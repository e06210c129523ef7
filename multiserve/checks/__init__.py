"""What can be wrong with a composition as a whole: a list of checks, each of which finds one kind of mistake."""

from __future__ import annotations

from collections.abc import Iterable

from multiserve.checks import capacity, exposure, imports, mounts, prefixes, sessions, sharing
from multiserve.checks.findings import Check
from multiserve.checks.subject import Subject, look_at
from multiserve.findings import Finding, Topic
from multiserve.probing.topics import PROBED
from multiserve.tracebacks import in_one_line

__all__ = ["CHECKS", "SEVERITIES", "TOPICS", "Check", "Finding", "Subject", "Topic", "find_all", "look_at"]

_MODULES = (mounts, sharing, sessions, imports, prefixes, exposure, capacity)
CHECKS: dict[str, Check] = {
    each.code: each
    for each in sorted(
        (value for module in _MODULES for value in vars(module).values() if isinstance(value, Check)),
        key=lambda check: check.code,
    )
}
TOPICS: dict[str, Topic] = {**CHECKS, **PROBED}
SEVERITIES = ("error", "warning", "note")


def find_all(subject: Subject, more: Iterable[Check] = ()) -> list[Finding]:
    """Run every check that is not ignored, and `more` of plugins; return what they find, the most severe first."""
    wanted = [check for check in (*CHECKS.values(), *more) if check.code not in subject.config.ignore]
    found = [finding for check in wanted for finding in _run(check, subject)]
    return sorted(found, key=lambda finding: (_weight(finding), finding.code))


def _weight(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)


def _run(check: Check, subject: Subject) -> list[Finding]:
    """Run one check; a setting of a type that nobody expects must not hide what the others find."""
    try:
        return sorted(check.run(subject), key=_weight)  # a plugin may use a severity that is none, which raises here
    except Exception as error:  # noqa: BLE001 (whatever it is)
        return [
            Finding(
                code=check.code,
                severity="note",
                mounts=(),
                key=subject.key("mounts"),
                message=f"it cannot be told whether {check.title}: {in_one_line(error)}",
                consequence="A setting of an application may have a type that its framework does not expect.",
                cure="Correct the setting.",
            )
        ]
