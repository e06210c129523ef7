from __future__ import annotations

import json
from pathlib import Path

import pytest

from multiserve.composition import Composition, LoadedMount
from multiserve.config.file import load_config
from multiserve.errors import LoadError, Problem
from multiserve.reports import text as report

FILE = """
[mounts]
"/" = "storefront"
"/admin" = "backoffice:create_app()"
"*.example.com" = { app = "shops:app", interface = "wsgi" }
"example.com:81/v1" = { app = "api.main:app", interface = "asgi" }
"""


def application(environ, start_response):
    raise NotImplementedError


@pytest.fixture
def config(write_config):
    return load_config(write_config(FILE))


@pytest.fixture
def composition(config):
    """An composition in which one mount has failed."""
    problem = Problem(key='mounts."/admin"', message='there is no module "backoffice"', hint="Install it.")
    told = ("wsgi", "wsgi", "wsgi", "asgi")
    mounts = [
        LoadedMount(mount=mount, application=application, interface=interface)
        for mount, interface in zip(config.mounts, told, strict=True)
    ]
    mounts[1] = LoadedMount(
        mount=config.mounts[1],
        application=application,
        error=LoadError(problem, Problem(message="more", excerpt="3 | a = 1\n  | ^")),
    )
    return Composition(config=config, mounts=tuple(mounts), application=application, interface="asgi")


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        pytest.param([], "", id="no rows"),
        pytest.param([("a", "bc"), ("def", "g")], "  a    bc\n  def  g", id="columns"),
        pytest.param([("a", ""), ("b", "")], "  a\n  b", id="an empty column"),
        pytest.param([("a\nb", "c\u2028d")], "  a b  c d", id="line breaks in a cell"),
    ],
)
def test_rows_are_aligned(rows, text):
    assert report.table(rows) == text


def test_the_summary_tells_each_mount_its_target_and_its_url(composition):
    assert report.summary(composition, "http://127.0.0.1:8000") == (
        f"multiserve: 4 mounts from {composition.config.path}\n"
        "  example.com:81/v1  api.main:app             http://example.com:81/v1/\n"
        "  *.example.com      shops:app                http://*.example.com:8000/\n"
        "  /admin             backoffice:create_app()  FAILED\n"
        "  /                  storefront               http://127.0.0.1:8000/"
    )


def test_one_mount_is_no_mounts(write_config):
    path = write_config('[mounts]\n"/" = "a"')
    assert report.announcement(load_config(path), ["http://127.0.0.1:8000", "http://[::1]:8000"]) == (
        f"multiserve: 1 mount from {path}\n  /  a  http://127.0.0.1:8000/  http://[::1]:8000/"
    )


def test_an_announcement_without_an_origin_still_names_what_has_failed(config):
    lines = report.announcement(config, [], failed=config.mounts[:1]).splitlines()
    assert [line.split()[-1] for line in lines[1:] if line.split()[0] == "/"] == ["FAILED"]


def test_an_announcement_without_an_origin_has_no_url(config):
    assert report.announcement(config, []).splitlines()[1:] == [
        "  example.com:81/v1  api.main:app",
        "  *.example.com      shops:app",
        "  /admin             backoffice:create_app()",
        "  /                  storefront",
    ]


def test_the_outcomes_tell_what_failed_and_why(composition):
    assert report.outcomes(composition).splitlines() == [
        "ok      /                  storefront               WSGI",
        "FAILED  /admin             backoffice:create_app()",
        '        there is no module "backoffice"',
        "        Install it.",
        "        more",
        "        3 | a = 1",
        "          | ^",
        "ok      *.example.com      shops:app                WSGI",
        "ok      example.com:81/v1  api.main:app             ASGI",
    ]


def test_a_target_over_several_lines_is_told_on_one(write_config):
    config = load_config(write_config('[mounts]\n"/" = """a:f(\n  1,\n)"""\n"/b" = "b"'))
    mounts = tuple(LoadedMount(mount=each, application=application, interface="wsgi") for each in config.mounts)
    composition = Composition(config=config, mounts=mounts, application=application, interface="wsgi")
    assert report.outcomes(composition) == "ok  /   a:f(   1, )  WSGI\nok  /b  b            WSGI"


def test_the_outcomes_are_values_for_json(composition):
    [root, admin, *_, api] = json.loads(json.dumps(report.outcomes_as_json(composition)))
    assert root == {
        "mount": "/",
        "host": "",
        "port": None,
        "prefix": "",
        "kind": "app",
        "target": "storefront",
        "interface": "wsgi",
        "group": "",
        "ok": True,
        "problems": [],
    }
    assert admin == {
        "mount": "/admin",
        "host": "",
        "port": None,
        "prefix": "/admin",
        "kind": "app",
        "target": "backoffice:create_app()",
        "interface": None,
        "group": "",
        "ok": False,
        "problems": [
            {
                "key": 'mounts."/admin"',
                "message": 'there is no module "backoffice"',
                "hint": "Install it.",
                "excerpt": "",
            },
            {"key": "", "message": "more", "hint": "", "excerpt": "3 | a = 1\n  | ^"},
        ],
    }
    assert (api["host"], api["port"], api["prefix"], api["interface"]) == ("example.com", 81, "/v1", "asgi")


def test_a_mount_as_json_has_the_interface_that_the_file_declares(config):
    declared = [report.mount_as_json(mount)["interface"] for mount in config.mounts]
    assert declared == [None, None, "wsgi", "asgi"]


def test_the_heading_names_the_file(config):
    assert report.heading(config) == f"multiserve: 4 mounts from {Path(config.path)}"
