"""What is wrong with a composition: the one shape of a finding, whether a check finds it or a probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")  # the most severe first

NOT_LOADED = "MS301"
"""The code of the finding for a mount that cannot be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The one exact change of a file that cures a finding.

    Attributes:
        key: The key path in the configuration, or the name of a setting in a Python file.
        old: An element to take out of the list at the key; in a Python file, the value that the setting has.
        new: The new value, as the file spells it; None to take out the element, or else to remove the key.
        file: The Python file, absolute; "" for the configuration.
        adds: Whether a setting that the Python file does not have may be added at its end, as in that of Django.
    """

    key: str
    old: str = ""
    new: str | None = None
    file: str = ""
    adds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a composition, or may be.

    Attributes:
        code: The code of its topic.
        severity: An `error` breaks something now, a `warning` breaks something under some requests, a `note` may.
        mounts: The keys of the mounts concerned, the one to change first; empty for the whole file.
        key: The key path in the file where it can be cured, as TOML spells it; for an application of a fleet its own
            key and its file.
        message: What is wrong.
        consequence: What happens if nothing is changed.
        cure: The change that cures it; "" where only the application's authors know.
        url: The URL whose response shows it; "" if no request was needed to find it.
        edit: The change that cures it, where that is exactly one.
    """

    code: str
    severity: Severity
    mounts: tuple[str, ...]
    key: str
    message: str
    consequence: str
    cure: str
    url: str = ""
    edit: Edit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What all findings with the same code have in common.

    Attributes:
        code: Never changes its meaning; `ignore` lists it.
        severity: The usual severity of its findings.
        title: What it looks for, in a few words.
        consequence: What usually happens if nothing is changed.
        explanation: The details, for `check --explain` and the documentation.
    """

    code: str
    severity: Severity
    title: str
    consequence: str
    explanation: str

    def finding(  # noqa: PLR0913 (the fields of a finding)
        self,
        *,
        mounts: Sequence[str],
        key: str,
        message: str,
        cure: str,
        severity: Severity | None = None,
        consequence: str = "",
        url: str = "",
        edit: Edit | None = None,
    ) -> Finding:
        """Make a finding of this topic; severity and consequence are the topic's unless they are given."""
        return Finding(
            code=self.code,
            severity=severity or self.severity,
            mounts=tuple(mounts),
            key=key,
            message=message,
            consequence=consequence or self.consequence,
            cure=cure,
            url=url,
            edit=edit,
        )
