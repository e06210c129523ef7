from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from multiserve.checks.exposure import debug_mode, management_reachable
from multiserve.checks.subject import look_at
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.frameworks import Facts, Secret

COMPOSITIONS = Path(__file__).parents[1] / "compositions"


def facts(framework="Flask", **known):
    return Facts(application=object(), framework=framework, version="", **known)


SILENT = [
    pytest.param('"/" = "plain:app"', {"/": facts(debug=True)}, id="debug mode in development"),
]


@pytest.mark.parametrize(("mounts", "known"), SILENT)
def test_nothing_is_said(look, mounts, known):
    assert look(f"[mounts]\n{mounts}", known) == []


def test_what_production_would_not_show_is_not_said_without_it(look):
    known = {"/": facts("Django", debug=True, secret=Secret("SECRET_KEY", "default", "3333"))}
    text, secret = '[mounts]\n"/" = "plain:app"', "its SECRET_KEY comes from a template or a tutorial"
    assert look(text, known) == [("MS123", "note", ("/",), secret)]
    debug = ("MS150", "error", ("/",), "Django is in debug mode")
    assert look(text, known, is_production=True) == [debug, ("MS123", "warning", ("/",), secret)]


@pytest.mark.usefixtures("kept_process")
def test_debug_mode_that_is_written_in_a_module_is_a_note_in_development():
    subject = look_at(compose(load_config(COMPOSITIONS / "MS150" / "broken" / "multiserve.toml")), {})
    assert [(each.severity, each.mounts, each.message) for each in debug_mode.find(subject)] == [
        ("note", ("/",), "Flask is in debug mode, as shop.py:4 has it"),
        ("note", ("/api",), "Starlette is in debug mode, as api.py:3 has it"),
    ]


MANAGED = [
    pytest.param("127.0.0.1:9000", True, {}, False, id="loopback"),
    pytest.param("localhost:9000", True, {}, False, id="a name of this machine"),
    pytest.param("[::1]:9000", True, {}, False, id="loopback of IPv6"),
    pytest.param("unix:run/manage.sock", True, {}, False, id="a unix socket"),
    pytest.param("0.0.0.0:9000", False, {}, False, id="development, which has no such listener"),
    pytest.param("0.0.0.0:9000", True, {"engine": "kubernetes"}, False, id="a pod"),
    pytest.param("0.0.0.0:9000", True, {"engine": "compose"}, False, id="a container"),
    pytest.param("0.0.0.0:9000", True, {"engine": "systemd"}, True, id="a unit"),
    pytest.param("[::]:9000", True, {}, True, id="every network"),
    pytest.param("10.0.0.7:9000", True, {}, True, id="one network"),
]


@pytest.mark.parametrize(("address", "is_production", "more", "is_found"), MANAGED)
def test_a_management_listener_that_others_may_reach(write_config, address, is_production, more, is_found):
    path = write_config(f'[mounts]\n"/" = {{ redirect = "https://example.com/" }}\n[server]\nmanage = "{address}"')
    subject = replace(look_at(compose(replace(load_config(path), **more)), {}), is_production=is_production)
    message = f"manage is {address}, so other machines may reach it"
    assert [each.message for each in management_reachable.find(subject)] == ([message] if is_found else [])
