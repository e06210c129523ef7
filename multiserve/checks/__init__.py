"""What can be wrong with a composition as a whole: a list of checks, each of which finds one kind of mistake."""

from __future__ import annotations

from collections.abc import Iterable

from multiserve.checks import (
    capacity,
    engines,
    exposure,
    ignored,
    imports,
    libraries,
    modules,
    mounts,
    prefixes,
    process_state,
    servers,
    serving,
    sessions,
    sharing,
    static_files,
)
from multiserve.checks.check import Check, Scope
from multiserve.checks.ignored import NEEDLESS, find_needless
from multiserve.checks.selection import problems_of_codes, settle
from multiserve.checks.subject import Subject, look_at
from multiserve.findings import SEVERITIES, Finding, Topic
from multiserve.probing.topics import PROBED
from multiserve.tracebacks import in_one_line

__all__ = [
    "CHECKS",
    "SEVERITIES",
    "TOPICS",
    "Check",
    "Finding",
    "Subject",
    "Topic",
    "find_all",
    "find_needless",
    "look_at",
    "problems_of_codes",
    "settle",
]

_ALL = {
    check.code: check
    for check in (
        *ignored.CHECKS,
        *mounts.CHECKS,
        *libraries.CHECKS,
        *modules.CHECKS,
        *sharing.CHECKS,
        *sessions.CHECKS,
        *prefixes.CHECKS,
        *static_files.CHECKS,
        *exposure.CHECKS,
        *imports.CHECKS,
        *capacity.CHECKS,
        *servers.CHECKS,
        *serving.CHECKS,
        *engines.CHECKS,
        *process_state.CHECKS,
    )
}
CHECKS: dict[str, Check] = dict(sorted(_ALL.items()))
TOPICS: dict[str, Topic] = dict(sorted({**CHECKS, **PROBED, NEEDLESS.code: NEEDLESS}.items()))


def find_all(subject: Subject, more: Iterable[Check] = (), scope: Scope | None = None) -> list[Finding]:
    """Run every check, and `more` of plugins, and return what they find; `settle` drops what is not wanted.

    Args:
        subject: The mounts.
        more: The checks of plugins.
        scope: Only those that look at one process, or at the origin; None for all, where the process has all mounts.
    """
    checks = [check for check in (*CHECKS.values(), *more) if scope in (None, check.scope)]
    return [finding for check in checks for finding in _run(check, subject)]


def _weight(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)


def _run(check: Check, subject: Subject) -> list[Finding]:
    """Run one check. If it fails, for example at a setting of an unexpected type, the others still run."""
    try:
        found = list(check.find(subject))
        return sorted(found, key=_weight)  # a plugin may use a severity that is none, which raises here
    except Exception as error:  # noqa: BLE001 (any setting of any application)
        return [
            check.found(
                message=f"cannot check whether {check.title}: {in_one_line(error)}",
                cure="Correct the setting.",
                severity="note",
                consequence="A setting of an application may have a type that its framework does not expect.",
                key=subject.key("mounts"),
            )
        ]
