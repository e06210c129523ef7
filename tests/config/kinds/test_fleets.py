"""Entries that mount a folder of applications."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.config.source import Source
from multiserve.errors import ConfigError

WSGI = "def app(environ, start_response): ...\n"


@pytest.fixture
def apps(tmp_path):
    folder = tmp_path / "site" / "apps"
    folder.mkdir(parents=True)
    for name in ("sales", "stock"):
        (folder / f"{name}.py").write_text(WSGI)
    return folder


def load(apps, *lines):
    path = apps.parent / "multiserve.toml"
    path.write_text("\n".join(["[mounts]", *lines]))
    return load_config(path)


def mounts(config):
    return [(mount.name, mount.kind, mount.what) for mount in config.mounts]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param("/", ["/", "/sales", "/stock"], id="the root"),
        pytest.param("/data", ["/data", "/data/sales", "/data/stock"], id="a prefix"),
        pytest.param("a.test:81", ["a.test:81", "a.test:81/sales", "a.test:81/stock"], id="a host"),
        pytest.param("a.test/x", ["a.test/x", "a.test/x/sales", "a.test/x/stock"], id="a prefix of a host"),
    ],
)
def test_each_application_is_a_mount_below_the_key(apps, key, expected):
    config = load(apps, f'"{key}" = {{ fleet = "apps" }}')
    assert mounts(config) == list(
        zip(expected, ["fleet", "app", "app"], ["apps", "apps/sales.py:app", "apps/stock.py:app"], strict=True)
    )
    assert {mount.toml_key for mount in config.mounts} == {f'mounts."{key}"'}
    assert [mount.place for mount in config.mounts] == [
        f'mounts."{key}"',
        f"{expected[1]} (apps/sales.py)",
        f"{expected[2]} (apps/stock.py)",
    ]
    assert config.mounts[0].folder == apps


def test_the_options_are_those_of_the_applications_as_well(apps):
    config = load(apps, '"/" = { fleet = "apps", required = true, slash = "redirect", middleware = ["auth:Login"] }')
    for mount in config.mounts:
        assert (mount.required, mount.slash, mount.middleware[0].text) == (True, "redirect", "auth:Login")


def test_a_mount_of_the_file_comes_before_that_of_a_fleet(apps):
    config = load(apps, '"/" = { fleet = "apps" }', '"/sales/" = "other:app"')
    assert mounts(config) == [
        ("/", "fleet", "apps"),
        ("/sales", "app", "other:app"),
        ("/stock", "app", "apps/stock.py:app"),
    ]


def test_a_folder_may_be_that_of_the_file_or_deep_below_it(apps):
    (apps.parent / "web.py").write_text(WSGI)
    assert mounts(load(apps, '"/" = { fleet = "." }'))[-1] == ("/web", "app", "web.py:app")
    (apps / "inner").mkdir()
    (apps / "inner" / "x.py").write_text(WSGI)
    assert mounts(load(apps, '"/" = { fleet = "./apps/inner/" }'))[1:] == [("/x", "app", "apps/inner/x.py:app")]


def test_what_has_an_impossible_name_or_cannot_be_mounted_is_left_out(apps):
    (apps / "a.b.py").write_text(WSGI)
    (apps / "slow.py").write_text("from flask import Flask\nasync def create_app():\n    return Flask(__name__)\n")
    fleet = load(apps, '"/" = { fleet = "apps" }').mounts[0]
    assert [member.name for member in fleet.members] == ["/sales", "/stock"]
    assert fleet.left_out == (
        ("a.b", '"apps/a.b.py" is no module: a name in it has a dot. Rename it, or add the folder to pythonpath.'),
        ("slow", "An async factory: write a plain function."),
    )


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        pytest.param(
            '"/" = { fleet = ".." }',
            'mounts."/".fleet: this folder is outside that of the configuration\n    Put the configuration above it.',
            id="a folder above",
        ),
        pytest.param(
            '"/" = { fleet = 1 }',
            'mounts."/".fleet: expected a text, found a whole number\n    Put the value in quotes.',
            id="no text",
        ),
        pytest.param(
            '"/" = { fleet = "apps", threads = 2 }',
            'mounts."/".threads: no such key\n    Known here: group, ignore, middleware, probe, required, slash.',
            id="an option of applications",
        ),
        pytest.param(
            '"/u/{user}" = { fleet = "apps" }',
            'mounts."/u/{user}": only an app or a proxy can stand at a key with placeholders\n'
            "    Write one key for each prefix.",
            id="a placeholder",
        ),
    ],
)
def test_mistakes_are_told(apps, entry, problem):
    with pytest.raises(ConfigError) as caught:
        load(apps, entry)
    assert str(caught.value).partition(":\n")[2] == problem


def test_a_folder_of_applications_on_the_command_line_is_a_fleet(apps):
    config = load_config(Source(apps.parent, ("apps/",)))
    assert [(mount.name, mount.kind) for mount in config.mounts] == [
        ("/", "fleet"),
        ("/sales", "app"),
        ("/stock", "app"),
    ]
    assert {mount.toml_key for mount in config.mounts} == {"apps/"}


def test_a_folder_that_is_not_there_has_no_applications(apps):
    assert mounts(load(apps, '"/" = { fleet = "later" }')) == [("/", "fleet", "later")]


@pytest.mark.parametrize("name", ["{x}", "*"])
def test_a_name_that_would_stand_for_many_is_left_out(apps, name):
    (apps / f"{name}.py").write_text(WSGI)
    config = load(apps, '"/data" = { fleet = "apps" }')
    assert [each[0] for each in mounts(config)] == ["/data", "/data/sales", "/data/stock"]
    [(left_out, _)] = config.mounts[0].left_out
    assert left_out == name
