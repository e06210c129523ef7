from __future__ import annotations

import pytest

from multiserve.frameworks import Cookie, Facts, Secret

SESSION = Cookie("session", "/", "", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH")
ONE, TWO = Secret("SECRET_KEY", "set", "1111"), Secret("SECRET_KEY", "set", "2222")


def facts(framework="Flask", **known):
    return Facts(application=object(), framework=framework, version="", **known)


def project(actual="shop.settings", **known):
    return facts("Django", settings_module=actual, **known)


SILENT = [
    pytest.param(
        '"/" = "plain:app"\n"/a" = "plain:app"',
        {"/": facts(logger="plain"), "/a": facts(logger="plain")},
        id="one module that makes an application twice",
    ),
]


@pytest.mark.parametrize(("mounts", "known"), SILENT)
def test_nothing_is_said(look, mounts, known):
    assert look(f"[mounts]\n{mounts}", known) == []


TWO_PROJECTS = '[mounts]\n"/" = "plain:app"\n"/a" = "other:app"'
MAY_BE_OTHER = "it may be another project than the one at /"
PROJECTS = [
    pytest.param({"plain": "shop.settings", "other": "shop.settings"}, "shop.settings", [], id="one project"),
    pytest.param({"plain": "shop.settings", "other": "shop.settings"}, "live.settings", [], id="settings from outside"),
    pytest.param(
        {"plain": "shop.settings", "other": "blog.settings"},
        "blog.settings",
        [("error", ("/", "/a"), "it needs the settings shop.settings, but the process has blog.settings")],
        id="the second one has brought its settings",
    ),
    pytest.param(
        {"plain": "shop.settings", "other": "blog.settings"},
        "shop.settings_live",
        [("error", ("/a", "/"), "it needs the settings blog.settings, but the process has shop.settings_live")],
        id="other settings of the first one",
    ),
    pytest.param(
        {"plain": "shop.settings", "other": "shop.settings_staff"},
        "shop.settings",
        [
            (
                "note",
                ("/a", "/"),
                "it needs the settings shop.settings_staff, but the process has shop.settings, which may be intended",
            )
        ],
        id="two settings of one package",
    ),
    pytest.param({}, "shop.settings", [("note", ("/a", "/"), MAY_BE_OTHER)], id="modules that name none"),
    pytest.param(
        {"plain": "shop.settings"}, "shop.settings", [("note", ("/a", "/"), MAY_BE_OTHER)], id="one names none"
    ),
]


@pytest.mark.parametrize(("modules", "actual", "expected"), PROJECTS)
def test_a_second_project_is_told_from_the_first(look, modules, actual, expected):
    known = {
        "/": project(actual, cookies=(SESSION,), secret=ONE),
        "/a": project(actual, cookies=(SESSION,), secret=ONE),
    }
    assert look(TWO_PROJECTS, known, modules=modules) == [("MS110", *each) for each in expected]


def test_one_handler_at_two_mounts_is_one_project(look):
    assert look(TWO_PROJECTS, dict.fromkeys(("/", "/a"), project())) == []
