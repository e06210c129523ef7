from __future__ import annotations

import pytest

from multiserve.frameworks import Cookie, Facts, Secret

SESSION = Cookie("session", "/", "", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH")
ONE, TWO = Secret("SECRET_KEY", "set", "1111"), Secret("SECRET_KEY", "set", "2222")


def facts(framework="Flask", **known):
    return Facts(application=object(), framework=framework, version="", **known)


SILENT = [
    pytest.param('"/" = "plain:app"\n"/a" = "other:app"', {}, id="applications of which nothing is known"),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        dict.fromkeys(("/", "/a"), facts(cookies=(SESSION,), secret=ONE, logger="x", debug=True)),
        id="one application at two mounts",
    ),
]


@pytest.mark.parametrize(("mounts", "known"), SILENT)
def test_nothing_is_said(look, mounts, known):
    assert look(f"[mounts]\n{mounts}", known) == []


def test_tenants_and_mounts_that_failed_are_left_alone(look):
    text = '[mounts]\n"/u/{user}" = "plain:make"\n"/a" = "no_such_module:app"\n"/a/b" = "plain:app"'
    assert look(text, {"/a/b": facts(cookies=(SESSION,), secret=ONE)}) == []
