"""What is found wrong with a composition: one shape for what checks find and for what a probe finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

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
