from __future__ import annotations

import pytest

from multiserve.checks import CHECKS, find_all, look_at
from multiserve.checks.check import Check, check
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.findings import Finding


@check("MS999", "warning", "a test", consequence="Usually this.")
def everything(subject):
    """All mounts
    are wrong.
    """
    yield everything.found(*subject.members, message="it is so", cure="Cure.")
    yield everything.found(message="it is so", cure="Cure.", key="server.port", severity="note", consequence="That.")


def test_a_check_has_the_docstring_of_its_function_as_its_explanation():
    assert isinstance(everything, Check)
    assert everything.explanation == "All mounts are wrong."


def test_a_finding_has_the_code_of_its_check_and_the_key_of_its_first_mount(write_config):
    path = write_config('[mounts]\n"/a" = { redirect = "/b" }\n"/b" = { redirect = "https://example.com" }')
    first, second = everything.find(look_at(compose(load_config(path)), {}))
    assert first == Finding(
        code="MS999",
        severity="warning",
        mounts=("/a", "/b"),
        key='mounts."/a"',
        message="it is so",
        consequence="Usually this.",
        cure="Cure.",
    )
    assert (second.mounts, second.key, second.severity, second.consequence) == ((), "server.port", "note", "That.")


OF_A_PROCESS = {
    *("MS108", "MS110", "MS111", "MS112", "MS113", "MS114", "MS115", "MS116", "MS120", "MS170", "MS172", "MS184"),
    *("MS152", "MS153", "MS154"),
    *(f"MS16{number}" for number in range(9)),
    *(f"MS19{number}" for number in range(4)),
}
"""What looks at objects, or at what an application has done to its process: the others look at all mounts at once."""


def test_each_check_looks_at_a_process_or_at_the_origin():
    assert {code for code, each in CHECKS.items() if each.scope == "process"} == OF_A_PROCESS
    assert {code for code, each in CHECKS.items() if each.scope == "origin"} == CHECKS.keys() - OF_A_PROCESS


def test_a_check_of_a_plugin_looks_at_a_process_unless_it_says_otherwise():
    assert everything.scope == "process"
    other = check("MS998", "note", "a test", consequence="This.", scope="origin")(lambda _: ())
    assert other.scope == "origin"


@pytest.mark.parametrize(
    ("scope", "codes"), [(None, ["MS999", "MS998"]), ("process", ["MS999"]), ("origin", ["MS998"])]
)
def test_only_those_of_a_scope_are_run(write_config, scope, codes):
    @check("MS998", "note", "a test", consequence="This.", scope="origin")
    def wide(_):
        yield wide.found(message="it is so", cure="", key="x")

    @check("MS999", "note", "a test", consequence="This.")
    def narrow(_):
        yield narrow.found(message="it is so", cure="", key="x")

    path = write_config('[mounts]\n"/b" = { redirect = "https://example.com" }')
    found = find_all(look_at(compose(load_config(path)), {}), [narrow, wide], scope)
    assert [each.code for each in found] == codes
