"""What `check` finds, as text and as JSON; it prints nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from multiserve.composition import Composition
from multiserve.errors import ConfigError
from multiserve.findings import Finding
from multiserve.loading.side_effects import SideEffects
from multiserve.probing.results import ProbeResult
from multiserve.reports import text
from multiserve.styles import Paint, Role, plain

_INDENT = "        "
_ROLES: dict[str, Role] = {"error": "bad", "warning": "warning", "note": "note"}


class CheckOutcome(NamedTuple):
    """What a run of `check` has found.

    Attributes:
        composition: The loaded mounts.
        findings: Those of the checks and of the probe, without those that are ignored.
        effects: What loading each mount has done to the process, by TOML key.
        shows_costs: Whether the text has the time and the memory of each mount.
        probes: The requests of the probe; None without --probe.
        is_strict: Whether warnings count as errors.
    """

    composition: Composition
    findings: list[Finding]
    effects: Mapping[str, SideEffects]
    shows_costs: bool
    probes: Sequence[ProbeResult] | None = None
    is_strict: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether a finding makes `check` fail; a mount that cannot be loaded has an exit code of its own."""
        severities = {finding.severity for finding in self.findings}
        return "error" in severities or (self.is_strict and "warning" in severities)


def as_text(outcome: CheckOutcome, paint: Paint = plain) -> str:
    """Return the mounts, what loading them costs, the requests of the probe, and the findings."""
    parts = [text.outcomes(outcome.composition, paint)]
    if outcome.shows_costs:
        parts.append(_costs(outcome))
    if outcome.probes:
        parts.append(_probes(outcome.probes))
    return "\n\n".join([*parts, *(_finding(each, paint) for each in outcome.findings)])


def _costs(outcome: CheckOutcome) -> str:
    rows = [("MOUNT", "SECONDS", "MEMORY")]
    for loaded in outcome.composition.mounts:
        effects = outcome.effects[loaded.mount.name]
        rows.append((loaded.mount.name, f"{effects.seconds:.2f}", f"{effects.memory / 2**20:.0f} MB"))
    return text.table(rows, indent="")


def _probes(results: Sequence[ProbeResult]) -> str:
    return text.table([_probe(result) for result in results], indent="")


def _probe(result: ProbeResult) -> Sequence[str]:
    if result.skipped:
        return ("-", "", result.url, f"not probed: {result.skipped}")
    status = "FAILED" if result.status is None else str(result.status)
    return (status, f"{result.seconds * 1000:.0f} ms", result.url, result.content_type)


def _finding(finding: Finding, paint: Paint) -> str:
    where = ", ".join(finding.mounts) or finding.key
    severity = paint(finding.severity, _ROLES[finding.severity])
    lines = [f"{severity} {paint(finding.code, 'strong')} {paint(where, 'strong')}: {finding.message}"]
    return "\n".join([*lines, *(f"{_INDENT}{line}" for line in advice(finding))])


def advice(finding: Finding) -> Iterator[str]:
    """Return the lines below the message of a finding."""
    yield finding.consequence
    if finding.cure:
        yield finding.cure
    if finding.url:
        yield f"Seen at {finding.url}"


def as_json(outcome: CheckOutcome) -> str:
    """Return everything as JSON; the "probes" are there only with --probe."""
    mounts = text.outcomes_as_json(outcome.composition)
    for mount, loaded in zip(mounts, outcome.composition.mounts, strict=True):
        effects = outcome.effects[loaded.mount.name]
        mount |= {"seconds": round(effects.seconds, 3), "memory": effects.memory}
    found = [asdict(finding) for finding in outcome.findings]
    is_right = not (outcome.composition.failures or outcome.is_wrong)
    probed = {} if outcome.probes is None else {"probes": [_probe_as_json(each) for each in outcome.probes]}
    return json.dumps({"ok": is_right, "problems": [], "mounts": mounts, "findings": found, **probed}, indent=2)


def _probe_as_json(result: ProbeResult) -> dict[str, Any]:
    """Return a request as values for JSON; what is wrong with its response is among the findings."""
    return {name: value for name, value in asdict(result).items() if name != "findings"}


def refusal_as_json(error: ConfigError) -> str:
    """Return what is wrong with the file as JSON."""
    problems = text.problems_as_json(error.problems)
    return json.dumps({"ok": False, "problems": problems, "mounts": [], "findings": []})
