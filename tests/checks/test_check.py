from __future__ import annotations

from multiserve.checks import look_at
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
