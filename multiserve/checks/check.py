"""What a check is: a topic, and the function that looks for it. The checks themselves are in the modules beside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from multiserve.checks.subject import CheckedMount, Subject
from multiserve.findings import Edit, Finding, Severity, Topic

Scope: TypeAlias = Literal["process", "origin"]
"""Whose mounts a check looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Topic):
    """One thing to look for.

    Attributes:
        find: Looks for it in a composition.
        scope: What it looks at: the mounts of one process, with the objects of their applications, or all mounts that
            share the origin, of which some may be in the processes of groups. Of those only facts are known.
    """

    find: Callable[[Subject], Iterable[Finding]]
    scope: Scope = "process"

    def found(
        self,
        *mounts: CheckedMount,
        message: str,
        cure: str,
        severity: Severity | None = None,
        consequence: str = "",
        key: str = "",
        edit: Edit | None = None,
    ) -> Finding:
        """Make a finding of this check.

        Args:
            *mounts: The mounts concerned, the one to change first.
            message: What is wrong.
            cure: The change that cures it.
            severity: If it is not the usual one of the check.
            consequence: If it is not the usual one of the check.
            key: The key path of the cure, if it is not the entry of the first mount.
            edit: The change that cures it, where that is exactly one.
        """
        return self.finding(
            mounts=[each.mount.name for each in mounts],
            key=key or (mounts[0].mount.place if mounts else ""),
            message=message,
            cure=cure,
            severity=severity,
            consequence=consequence,
            edit=edit,
        )


def check(
    code: str, severity: Severity, title: str, *, consequence: str, scope: Scope = "process"
) -> Callable[[Callable[[Subject], Iterable[Finding]]], Check]:
    """Make a check of the function below, whose docstring is its explanation.

    Inside the function its own name is therefore the check, and `name.found(...)` makes its findings.

    Args:
        code: Never changes its meaning; `ignore` lists it.
        severity: The usual severity of its findings.
        title: What it looks for, in a few words.
        consequence: What usually happens if nothing is changed.
        scope: Whether it looks at each process alone, or at the whole origin at once.
    """

    def decorate(find: Callable[[Subject], Iterable[Finding]]) -> Check:
        explanation = " ".join((find.__doc__ or "").split())
        return Check(
            code=code,
            severity=severity,
            title=title,
            consequence=consequence,
            explanation=explanation,
            find=find,
            scope=scope,
        )

    return decorate
