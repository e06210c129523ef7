from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.findings import Finding
from multiserve.probing.results import ProbeResult, find_failures
from multiserve.probing.topics import PROBED

PLAIN = ProbeResult(mount="/a", toml_key='mounts."/a"', url="http://x/a/")
FAILED = (
    "multiserve run shows the traceback at this URL, and multiserve check --alone whether another mount is the cause."
)
CORRECT = "Correct the path in `probe`, or the route that answers it."
FAILURES = [
    pytest.param(replace(PLAIN, status=200, asked_for=True), [], [], id="right"),
    pytest.param(replace(PLAIN, skipped="nobody knows"), [], [], id="not asked"),
    pytest.param(replace(PLAIN, status=404), [], [], id="a root that is none"),
    pytest.param(
        replace(PLAIN, status=404, asked_for=True), [],
        [("MS208", "warning", "`probe` lists it, but it answers 404", CORRECT)],
        id="a path that was named",
    ),
    pytest.param(
        replace(PLAIN, status=503, asked_for=True), [], [("MS207", "error", "it answers 503", FAILED)],
        id="a path that fails",
    ),
    pytest.param(replace(PLAIN, error="a\n b", status=500), [], [("MS207", "error", "a b", FAILED)], id="an error"),
    pytest.param(
        replace(PLAIN, status=200), ["one", "two"],
        [("MS206", "error", "one", ""), ("MS206", "error", "two", "")],
        id="objections",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("result", "violations", "expected"), FAILURES)
def test_failures_refusals_and_violations_are_findings(result, violations, expected) -> None:
    assert list(find_failures(result, violations)) == [
        Finding(
            code=code, severity=severity, mounts=("/a",), key='mounts."/a"', message=message,
            consequence=PROBED[code].consequence, cure=cure, url="http://x/a/",
        )
        for code, severity, message, cure in expected
    ]  # fmt: skip
