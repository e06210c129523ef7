"""What `check` finds, as text and as JSON; it prints nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, NamedTuple, NotRequired, TypedDict

from multiserve.composition import Composition
from multiserve.errors import ConfigError
from multiserve.findings import NOT_LOADED, Finding, Severity
from multiserve.loading.side_effects import SideEffects
from multiserve.probing.results import ProbeResult
from multiserve.reports import text
from multiserve.reports.handbook import documentation_of
from multiserve.reports.text import OutcomeJson, ProblemJson
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
        is_verbose: Whether the text says where each code is documented.
    """

    composition: Composition
    findings: list[Finding]
    effects: Mapping[str, SideEffects]
    shows_costs: bool
    probes: Sequence[ProbeResult] | None = None
    is_strict: bool = False
    is_verbose: bool = False

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
    return "\n\n".join([*parts, *(_finding(each, outcome, paint) for each in outcome.findings)])


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


def _finding(finding: Finding, outcome: CheckOutcome, paint: Paint) -> str:
    where = ", ".join(finding.mounts) or finding.key
    severity = paint(finding.severity, _ROLES[finding.severity])
    lines = [f"{severity} {paint(finding.code, 'strong')} {paint(where, 'strong')}: {finding.message}"]
    lines += [f"{_INDENT}{line}" for line in advice(finding)]
    if outcome.is_verbose and (place := documentation_of(finding.code)):
        lines.append(f"{_INDENT}See {place}")
    return "\n".join(lines)


def all_findings(outcome: CheckOutcome) -> list[Finding]:
    """Return the mounts that could not be loaded as findings, and those that were found."""
    failures = [
        Finding(
            code=NOT_LOADED,
            severity="error",
            mounts=(loaded.mount.name,),
            key=problem.key,
            message=problem.message,
            consequence="Requests to this mount are answered with 503.",
            cure=problem.hint,
        )
        for loaded in outcome.composition.failures
        for problem in (loaded.error.problems if loaded.error else ())
    ]
    return [*failures, *outcome.findings]


def advice(finding: Finding) -> Iterator[str]:
    """Return the lines below the message of a finding."""
    yield finding.consequence
    if finding.cure:
        yield finding.cure
    if finding.url:
        yield f"Seen at {finding.url}"


class CheckedMountJson(OutcomeJson):
    """A mount, whether it could be loaded, and what that costs."""

    seconds: Annotated[float, "How long it took to load."]
    memory: Annotated[int, "How many bytes more the process has since."]


class FindingJson(TypedDict):
    """Something that is wrong with the composition, or may be."""

    code: Annotated[str, "What it is about, for ignore and check --explain."]
    severity: Severity
    mounts: Annotated[list[str], "The keys of the mounts, the one to change first; empty for the whole file."]
    key: Annotated[str, "The key path in the file where it can be cured, or another place."]
    message: Annotated[str, "What is wrong."]
    consequence: Annotated[str, "What happens if nothing is changed."]
    cure: Annotated[str, "The change that cures it; empty where only the authors of the application know."]
    url: Annotated[str, "The URL whose response shows it; empty if no request was needed."]
    documentation: Annotated[str, "Where its code is documented; empty for a code of a plugin."]


class ProbeJson(TypedDict):
    """A request that --probe has sent."""

    mount: Annotated[str, "The key of the mount."]
    toml_key: Annotated[str, "The key path of its entry, or another place."]
    url: Annotated[str, "The whole URL."]
    method: str
    asked_for: Annotated[bool, "Whether the probe option of the mount lists it."]
    status: Annotated[int | None, "The status; null if there was no response."]
    seconds: Annotated[float, "How long the response took."]
    content_type: Annotated[str, "Its type; empty if there is none."]
    error: Annotated[str, "What the application raised; empty if nothing."]
    skipped: Annotated[str, "Why nothing was sent; empty if something was."]


class CheckJson(TypedDict):
    """What check finds."""

    ok: Annotated[bool, "Whether everything could be loaded and nothing is wrong."]
    problems: Annotated[list[ProblemJson], "The mistakes of the file; with any, nothing was loaded."]
    mounts: list[CheckedMountJson]
    findings: list[FindingJson]
    probes: NotRequired[Annotated[list[ProbeJson], "Only with --probe."]]


def as_json(outcome: CheckOutcome) -> str:
    """Return everything as JSON; the "probes" are there only with --probe."""
    document: CheckJson = {
        "ok": not (outcome.composition.failures or outcome.is_wrong),
        "problems": [],
        "mounts": list(_mounts(outcome)),
        "findings": [_finding_as_json(finding) for finding in outcome.findings],
    }
    if outcome.probes is not None:
        document["probes"] = [_probe_as_json(each) for each in outcome.probes]
    return json.dumps(document, indent=2)


def _mounts(outcome: CheckOutcome) -> Iterator[CheckedMountJson]:
    mounts = text.outcomes_as_json(outcome.composition)
    for mount, loaded in zip(mounts, outcome.composition.mounts, strict=True):
        effects = outcome.effects[loaded.mount.name]
        yield {**mount, "seconds": round(effects.seconds, 3), "memory": effects.memory}


def _finding_as_json(finding: Finding) -> FindingJson:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "mounts": list(finding.mounts),
        "key": finding.key,
        "message": finding.message,
        "consequence": finding.consequence,
        "cure": finding.cure,
        "url": finding.url,
        "documentation": documentation_of(finding.code),
    }


def _probe_as_json(result: ProbeResult) -> ProbeJson:
    """Return a request as values for JSON; what is wrong with its response is among the findings."""
    return {
        "mount": result.mount,
        "toml_key": result.toml_key,
        "url": result.url,
        "method": result.method,
        "asked_for": result.asked_for,
        "status": result.status,
        "seconds": result.seconds,
        "content_type": result.content_type,
        "error": result.error,
        "skipped": result.skipped,
    }


def refusal_as_json(error: ConfigError) -> str:
    """Return what is wrong with the file as JSON."""
    problems = text.problems_as_json(error.problems)
    document: CheckJson = {"ok": False, "problems": problems, "mounts": [], "findings": []}
    return json.dumps(document)
