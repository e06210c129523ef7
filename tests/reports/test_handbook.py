from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from multiserve.checks import CHECKS, TOPICS
from multiserve.cli import main
from multiserve.reports.handbook import documentation_of, explained, handbook, listed

ROOT = Path(__file__).parents[2]


def test_the_document_lists_every_check_as_the_code_has_it():
    document = (ROOT / "docs" / "checks.md").read_text("utf-8")
    assert document == handbook(TOPICS.values()), "write it anew, as its second paragraph says"
    assert re.findall(r"^## (\S+):", document, re.MULTILINE) == list(TOPICS)


@pytest.mark.parametrize("code", TOPICS)
def test_every_check_is_explained(code):
    result = CliRunner().invoke(main, ["check", "--explain", code.lower()])
    assert (result.exit_code, result.output) == (0, f"{explained(TOPICS[code])}\n")


def test_an_explanation_holds_all_that_is_known():
    assert explained(CHECKS["MS105"]) == (
        "MS105 (error): a redirect leads back to itself\n\n"
        "A redirect mount adds the rest of the path to its target. If the same mount answers the target, or\n"
        "another redirect that leads back to it, browsers go round in a circle. Browsers give up after about\n"
        "twenty redirects.\n\n"
        'Ignored by ignore = ["MS105"] at the top of the file, or on a mount.'
    )


def test_all_codes_are_listed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert listed([CHECKS["MS105"], CHECKS["MS120"]]) == (
        "MS105  error    a redirect leads back to itself\nMS120  note     applications share a logger"
    )
    result = CliRunner().invoke(main, ["check", "--list"])
    assert (result.exit_code, result.output) == (0, f"{listed(TOPICS.values())}\n")
    (tmp_path / "multiserve.toml").write_text("[mounts")
    assert CliRunner().invoke(main, ["check", "--list"]).output == result.output


def test_the_list_has_the_severities_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "multiserve.toml").write_text('severity = { MS105 = "off" }\n[mounts]\n"/" = { redirect = "/x" }\n')
    lines = CliRunner().invoke(main, ["check", "--list"]).output.splitlines()
    assert [line for line in lines if line.startswith("MS105")] == ["MS105  off      a redirect leads back to itself"]


@pytest.mark.parametrize("code", TOPICS)
def test_each_code_is_documented_where_it_is_said_to_be(code):
    path, _, anchor = documentation_of(code).partition("#")
    document = (ROOT / path).read_text("utf-8")
    assert document.count(f'<a id="{anchor}"></a>\n\n## {code}: ') == 1


@pytest.mark.parametrize("code", [pytest.param("SHOP001", id="of a plugin"), pytest.param("MS301", id="no check")])
def test_other_codes_are_documented_nowhere(code):
    assert documentation_of(code) == ""
