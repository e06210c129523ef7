from __future__ import annotations

import importlib.metadata
import json

import pytest

from multiserve.checks import TOPICS
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.errors import ConfigError, Problem
from multiserve.findings import Finding
from multiserve.reports.check import CheckOutcome
from multiserve.reports.sarif import as_sarif, refusal_as_sarif

TEXT = '[mounts]\n"/" = "shop:app"\n"/gone" = "qqqq:app"\n[server]\nport = 0\n'
HINT = "Install the package that has it, or add the folder that has it to pythonpath."


def finding(code, severity, mounts, key):
    return Finding(
        code=code, severity=severity, mounts=mounts, key=key, message="a <b> & c", consequence="Then.", cure=""
    )


@pytest.fixture
def outcome(tmp_path, write_config, kept_process):
    (tmp_path / "shop.py").write_text("def app(environ, start_response): ...")
    composition = compose(load_config(write_config(TEXT)))
    findings = [finding("MS102", "warning", ("/", "/gone"), 'mounts."/"'), finding("MS151", "note", (), "server.host")]
    return CheckOutcome(composition, findings, {}, shows_costs=False)


def test_each_failure_and_each_finding_is_a_result_at_its_line(outcome, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document = json.loads(as_sarif(outcome, TOPICS))
    (run,) = document["runs"]
    assert (document["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "multiserve")
    assert run["tool"]["driver"]["version"] == importlib.metadata.version("multiserve")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["MS102", "MS151"]
    assert run["tool"]["driver"]["rules"][0]["shortDescription"]["text"] == TOPICS["MS102"].title
    assert run["tool"]["driver"]["rules"][0]["help"]["text"] == "See docs/checks.md#ms102"
    assert [
        (
            each["ruleId"],
            each["level"],
            each["message"]["text"],
            each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            each["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for each in run["results"]
    ] == [
        (
            "MS301",
            "error",
            f'/gone: there is no module "qqqq"\nRequests to this mount are answered with 503.\n{HINT}',
            "multiserve.toml",
            3,
        ),
        ("MS102", "warning", "/, /gone: a <b> & c\nThen.", "multiserve.toml", 2),
        ("MS151", "note", "a <b> & c\nThen.", "multiserve.toml", 4),
    ]


def test_a_file_elsewhere_has_a_whole_url(outcome, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    path = tmp_path / "multiserve.toml"
    monkeypatch.setattr("multiserve.reports.sarif.Path.cwd", lambda: tmp_path / "other")
    result = json.loads(as_sarif(outcome, TOPICS))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == path.as_uri()


def test_what_is_wrong_with_the_file_is_a_result():
    error = ConfigError(Problem(key="server.port", message="not a port", hint="Write a number."))
    (result,) = json.loads(refusal_as_sarif(error))["runs"][0]["results"]
    assert result == {"ruleId": "configuration", "level": "error", "message": {"text": "not a port\nWrite a number."}}
