"""Which findings are reported and how severe each is, as `ignore`, `select` and `severity` of the file say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from multiserve.config.model import OFF, Config
from multiserve.config.tables import did_you_mean
from multiserve.errors import Problem
from multiserve.findings import SEVERITIES, Finding


def settle(findings: Iterable[Finding], config: Config) -> list[Finding]:
    """Drop the findings that the file does not want, and sort the rest by severity and code.

    Args:
        findings: Those of the checks, and those of a probe.
        config: Its `ignore`, `select` and `severity` hold for all findings; `ignore` of a mount for each finding that
            concerns the mount.
    """
    ignored = {mount.name: mount.ignore for mount in config.mounts}
    kept = [
        _with_severity(finding, config.severity)
        for finding in findings
        if _is_wanted(finding.code, config)
        and not any(finding.code in ignored.get(name, ()) for name in finding.mounts)
    ]
    return sorted(kept, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code))


def _is_wanted(code: str, config: Config) -> bool:
    is_selected = not config.select or code.startswith(config.select)
    return is_selected and code not in config.ignore and config.severity.get(code) != OFF


def _with_severity(finding: Finding, severities: Mapping[str, str]) -> Finding:
    wanted = severities.get(finding.code)
    return next((replace(finding, severity=each) for each in SEVERITIES if each == wanted), finding)


def problems_of_codes(config: Config, known: Collection[str]) -> Iterator[Problem]:
    """Find what `select` and `severity` name that is no code of a check, nor how some begin.

    Args:
        config: The configuration.
        known: The codes of all checks, those of plugins included.
    """
    root = f"{config.root}." if config.root else ""
    key = f"{root}select"
    if config.written.get(key) != list(config.select):
        key = "--select"
    for text in config.select:
        if not any(code.startswith(text) for code in known):
            message = f'no check has a code that begins with "{text}"'
            yield Problem(key=key, message=message, hint=_nearest(text, known))
    for code in config.severity:
        if code not in known:
            yield Problem(
                key=f"{root}severity.{code}", message=f'no check has the code "{code}"', hint=_nearest(code, known)
            )


def _nearest(text: str, known: Collection[str]) -> str:
    return did_you_mean(text, known) or '"multiserve check --list" prints all codes.'
