from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.checks import CHECKS, TOPICS, problems_of_codes, settle
from multiserve.config.file import load_config

MOUNTS = '[mounts]\n"/" = { redirect = "/x", ignore = ["MS106"] }\n"/b" = { redirect = "/y" }\n'
FOUND = [
    CHECKS[code].finding(mounts=mounts, key="", message="", cure="")
    for code, mounts in (
        ("MS120", ()),  # a note
        ("MS102", ("/b",)),  # a warning
        ("MS105", ("/b",)),  # an error
        ("MS106", ("/b", "/")),
    )
]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("", ["error MS105", "warning MS102", "note MS120"], id="by default, but what a mount ignores"),
        pytest.param('ignore = ["MS102"]', ["error MS105", "note MS120"], id="ignored"),
        pytest.param('select = ["MS102"]', ["warning MS102"], id="a code"),
        pytest.param('select = ["MS10"]', ["error MS105", "warning MS102"], id="how codes begin"),
        pytest.param('select = ["MS12", "MS105"]', ["error MS105", "note MS120"], id="several"),
        pytest.param('severity = { MS102 = "off" }', ["error MS105", "note MS120"], id="off"),
        pytest.param(
            'severity = { MS120 = "error", MS105 = "note" }',
            ["error MS120", "warning MS102", "note MS105"],
            id="other severities, by which they are sorted",
        ),
        pytest.param('select = ["MS106"]\nseverity = { MS106 = "error" }', [], id="the mount still ignores it"),
    ],
)
def test_the_file_says_what_is_reported_and_how_severe_it_is(write_config, text, kept):
    config = load_config(write_config(f"{text}\n{MOUNTS}"))
    assert [f"{each.severity} {each.code}" for each in settle(FOUND, config)] == kept


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param('select = ["MS1", "MS205"]\nseverity = { MS205 = "off" }', [], id="known"),
        pytest.param(
            'select = ["MS1055"]',
            [("select", 'no check has a code that begins with "MS1055"', 'Did you mean "MS155"?')],
            id="unknown in select",
        ),
        pytest.param(
            'severity = { SHOP1 = "off" }',
            [("severity.SHOP1", 'no check has the code "SHOP1"', '"multiserve check --list" prints all codes.')],
            id="unknown in severity, and near to none",
        ),
        pytest.param(
            'severity = { MS20 = "off" }',
            [("severity.MS20", 'no check has the code "MS20"', 'Did you mean "MS210"?')],
            id="how codes begin is no code",
        ),
    ],
)
def test_codes_that_no_check_has_are_problems(write_config, text, problems):
    config = load_config(write_config(f"{text}\n{MOUNTS}"))
    assert [(each.key, each.message, each.hint) for each in problems_of_codes(config, TOPICS)] == problems


def test_what_the_command_line_selects_is_named_as_there(write_config):
    config = replace(load_config(write_config(f'select = ["MS1"]\n{MOUNTS}')), select=("XY",))
    assert [each.key for each in problems_of_codes(config, TOPICS)] == ["--select"]
