"""What a check is and what it finds; the checks themselves stand beside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from multiserve.checks.subject import Member, Subject
from multiserve.findings import Finding, Severity, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one run of a check gives, to be completed by what all its findings share.

    Attributes:
        members: The mounts that it concerns, the one to change first.
        message: What is so.
        cure: The change that cures it.
        severity: Where it differs from that of the check.
        consequence: Where it differs from that of the check.
        key: The key path of the cure, where it is not that of the first mount.
    """

    members: tuple[Member, ...] = ()
    message: str
    cure: str
    severity: Severity | None = None
    consequence: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Topic):
    """One thing to look for.

    Attributes:
        find: Look for it.
    """

    find: Callable[[Subject], Iterable[Found]]

    def run(self, subject: Subject) -> Iterator[Finding]:
        """Give what is found and not ignored."""
        for found in self.find(subject):
            if any(self.code in member.mount.ignore for member in found.members):
                continue
            yield Finding(
                code=self.code,
                severity=found.severity or self.severity,
                mounts=tuple(member.mount.name for member in found.members),
                key=found.key or (found.members[0].mount.toml_key if found.members else ""),
                message=found.message,
                consequence=found.consequence or self.consequence,
                cure=found.cure,
            )


def check(
    code: str, severity: Severity, title: str, *, consequence: str
) -> Callable[[Callable[[Subject], Iterable[Found]]], Check]:
    """Make a check of the function below, whose docstring is its explanation."""

    def decorate(find: Callable[[Subject], Iterable[Found]]) -> Check:
        explanation = " ".join((find.__doc__ or "").split())
        return Check(
            code=code, severity=severity, title=title, consequence=consequence, explanation=explanation, find=find
        )

    return decorate
