from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.errors import ConfigError, Problem
from multiserve.findings import Finding
from multiserve.reports.check import CheckOutcome
from multiserve.reports.junit import as_junit, refusal_as_junit

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


def cases(text):
    suite = ET.fromstring(text)[0]
    found = [(case.get("name"), [(each.tag, each.get("message"), each.text) for each in case]) for case in suite]
    return suite.attrib, found


FAILS = (
    "failure",
    'there is no module "qqqq"',
    f'error MS301 /gone: there is no module "qqqq"\nRequests to this mount are answered with 503.\n{HINT}',
)
WARNS = "warning MS102 /, /gone: a <b> & c\nThen."
NOTES = ("the whole file", [("system-out", None, "note MS151 server.host: a <b> & c\nThen.")])


def test_each_mount_is_a_case_that_fails_by_its_errors(outcome):
    assert cases(as_junit(outcome)) == (
        {"name": "multiserve check", "tests": "3", "failures": "1", "errors": "0"},
        [("/", [("system-out", None, WARNS)]), ("/gone", [FAILS]), NOTES],
    )


def test_warnings_fail_where_they_count_as_errors(outcome):
    counts, found = cases(as_junit(outcome._replace(is_strict=True)))
    assert (counts["failures"], found[0]) == ("2", ("/", [("failure", "a <b> & c", WARNS)]))


def test_what_is_wrong_with_the_file_fails():
    problems = [
        Problem(key="server.port", message="not a \x00 port", hint="Write a number."),
        Problem(key="a", message="b"),
    ]
    counts, found = cases(refusal_as_junit(ConfigError(*problems)))
    assert counts["failures"] == "1"
    told = "error server.port: not a \ufffd port\nWrite a number.\n\nerror a: b"
    assert found == [("the whole file", [("failure", "not a \ufffd port (and 1 more)", told)])]
