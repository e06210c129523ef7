"""Static files that nothing serves in production; tests/compositions/MS142 has a real project."""

from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.checks import find_all, look_at
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.frameworks import Facts, StaticFiles

NOWHERE = StaticFiles("static/", "", "")


def django(files, **known):
    return Facts(application=object(), framework="Django", version="", static_files=files, **known)


@pytest.fixture
def find(tmp_path, write_config, kept_process):
    """Find what is said about the static files of the mount "plain:app"."""

    def run(text, files, *, is_production=True, **known):
        (tmp_path / "plain.py").write_text("def app(environ, start_response): ...\ndef WhiteNoise(app): return app\n")
        (tmp_path / "files").mkdir(exist_ok=True)
        composition = compose(load_config(write_config(text)))
        assert not composition.failures
        subject = look_at(composition, {}, is_production=is_production)
        members = [
            replace(each, facts=django(files, **known)) if each.module == "plain" else each for each in subject.members
        ]
        found = find_all(replace(subject, members=tuple(members)))
        return [(each.severity, each.message, each.cure) for each in found if each.code == "MS142"]

    return run


SILENT = [
    pytest.param('"/a" = "plain:app"', None, id="none"),
    pytest.param('"/a" = "plain:app"\n"/a/static" = { static = "files" }', NOWHERE, id="a static mount below it"),
    pytest.param(
        '"/a" = "plain:app"\n"/" = { static = "files" }', StaticFiles("/static/", "", ""), id="one at the root"
    ),
    pytest.param('"/a" = { app = "plain:app", middleware = ["plain:WhiteNoise"] }', NOWHERE, id="WhiteNoise around it"),
    pytest.param(
        '"/a" = "plain:app"\n[server]\nmiddleware = ["plain:WhiteNoise"]', NOWHERE, id="WhiteNoise around all"
    ),
]


@pytest.mark.parametrize(("mounts", "files"), SILENT)
def test_nothing_is_said(find, mounts, files):
    assert find(f"[mounts]\n{mounts}", files) == []


def test_nothing_is_said_of_development_or_of_a_wrapped_application(find):
    assert find('[mounts]\n"/a" = "plain:app"', NOWHERE, is_production=False) == []
    assert find('[mounts]\n"/a" = "plain:app"', NOWHERE, wrappers=("whitenoise.base:WhiteNoise",)) == []


UNSERVED = [
    pytest.param("/a", "static/", "/a/static/", "/a/static", id="below a prefix"),
    pytest.param("/", "static/", "/static/", "/static", id="at the root"),
    pytest.param("/", "/static/", "/static/", "/static", id="at the root, with a slash"),
    pytest.param("x.example.com/a", "static/", "/a/static/", "x.example.com/a/static", id="on a host"),
    pytest.param("x.example.com:80", "static/", "/static/", "x.example.com:80/static", id="on a host with a port"),
]


@pytest.mark.parametrize(("key", "url", "asked", "mount"), UNSERVED)
def test_files_that_are_not_collected(find, tmp_path, key, url, asked, mount):
    project = StaticFiles(url, "", str(tmp_path / "shop"))
    cure = (
        'Set STATIC_ROOT = BASE_DIR / "staticfiles", run manage.py collectstatic, '
        f'and add "{mount}" = {{ static = "shop/staticfiles" }} under [mounts].'
    )
    message = f"it has no STATIC_ROOT, and no mount answers {asked}, where it has its static files"
    assert find(f'[mounts]\n"{key}" = "plain:app"', project) == [("warning", message, cure)]


def test_a_project_without_a_base_folder(find, tmp_path):
    ((_, _, cure),) = find('[mounts]\n"/a" = "plain:app"', NOWHERE)
    assert cure == (
        f'Set STATIC_ROOT = "{tmp_path}/staticfiles", run manage.py collectstatic, '
        'and add "/a/static" = { static = "staticfiles" } under [mounts].'
    )


def test_a_folder_that_is_empty_and_one_that_is_not(find, tmp_path):
    folder = tmp_path / "collected"
    files = StaticFiles("static/", str(folder), str(tmp_path))
    add = 'add "/a/static" = { static = "collected" } under [mounts].'
    where = "no mount answers /a/static/, where it has its static files"
    missing = [("warning", f"STATIC_ROOT is empty, and {where}", f"Run manage.py collectstatic, and {add}")]
    assert find('[mounts]\n"/a" = "plain:app"', files) == missing
    folder.mkdir()
    assert find('[mounts]\n"/a" = "plain:app"', files) == missing
    (folder / "style.css").write_text("")
    assert find('[mounts]\n"/a" = "plain:app"', files) == [("note", where, f"A{add[1:]}")]
