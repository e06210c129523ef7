from __future__ import annotations

import pytest

from multiserve.checks import find_all, look_at
from multiserve.checks.sharing import one_application
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.config.processes import for_group
from multiserve.findings import Finding
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


MODULES = [
    pytest.param(
        '"/a" = "app:app"\n"/b" = "app:app"',
        "",
        [
            (
                ("/a", "/b"),
                (
                    "Rename one of them, and update its imports, or run one in a process of its own: "
                    'group = "b" on the mount and pythonpath = ["two"] under [groups.b].'
                ),
            )
        ],
        id="two that need one name",
    ),
    pytest.param(
        '"/a" = "app:app"', "", [(("/a",), "Rename one of them, and update its imports.")], id="one that needs it"
    ),
    pytest.param('"/b" = { app = "app:app", group = "b" }', '[groups.b]\npythonpath = ["two"]', [], id="its own group"),
    pytest.param(
        '"/b" = { app = "app:app", group = "b" }',
        "[groups.b]",
        [(("/b",), "Rename one of them, and update its imports.")],
        id="a group without a search path of its own",
    ),
]


@pytest.mark.parametrize(("mounts", "more", "expected"), MODULES)
def test_two_modules_of_one_name(tmp_path, write_config, kept_process, mounts, more, expected):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text("def app(environ, start_response): ...")
    config = load_config(write_config(f'pythonpath = ["one", "two"]\n[mounts]\n{mounts}\n{more}'))
    config = for_group(config, config.groups["b"]) if config.groups else config
    found = find_all(look_at(compose(config), {}))
    assert [(each.mounts, each.cure) for each in found if each.code == "MS111"] == expected


NICEGUI = """
from fastapi import FastAPI
from starlette.routing import Mount
class App(FastAPI): ...
App.__module__ = "nicegui.app.app"
pages = App()
"""
INTO = """
from fastapi import FastAPI
from nicegui_pages import pages
app = FastAPI()
app.mount("/", pages)
"""


def test_two_applications_with_the_pages_of_nicegui_have_all_of_them(tmp_path, write_config, kept_process):
    pytest.importorskip("fastapi")
    (tmp_path / "nicegui_pages.py").write_text(NICEGUI)
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(INTO)
    text = '[mounts]\n"/a" = "one:app"\n"/b" = "two:app"\n"/c" = "two:app"'
    (found,) = one_application.find(look_at(compose(load_config(write_config(text))), {}))
    assert found == Finding(
        code="MS114",
        severity="error",
        mounts=("/b", "/a"),
        key='mounts."/b"',
        message="NiceGUI has one application in a process, and /a has it already",
        consequence="The pages of both are at both prefixes, and where they have one path, one of them is lost.",
        cure='Run it in a process of its own: group = "b" on the mount and a table [groups.b].',
    )
