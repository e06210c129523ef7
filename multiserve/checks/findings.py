"""What a check is and what it finds; the checks themselves stand beside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from multiserve.checks.subject import Member, Subject

Severity: TypeAlias = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a composition, or may be.

    Attributes:
        code: The code of the check.
        severity: An `error` breaks something, a `warning` will, a `note` may.
        mounts: The mounts that it concerns, as their keys spell them; empty for the whole file.
        key: The key path in the file where it can be cured, as TOML spells it.
        message: What is so.
        consequence: What happens if it stays.
        cure: The change that cures it.
    """

    code: str
    severity: Severity
    mounts: tuple[str, ...]
    key: str
    message: str
    consequence: str
    cure: str


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
class Topic:
    """What is known about one kind of finding.

    Attributes:
        code: Stable; what `ignore` names.
        severity: That of its findings, unless they say otherwise.
        title: What it looks for, in a few words.
        consequence: What happens if it stays.
        explanation: More about it, for those who ask.
    """

    code: str
    severity: Severity
    title: str
    consequence: str
    explanation: str


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
                mounts=tuple(str(member.mount.key) for member in found.members),
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
