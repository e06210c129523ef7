from __future__ import annotations

import pytest

from multiserve.frameworks import Facts, Secret


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
