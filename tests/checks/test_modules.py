from __future__ import annotations

import site
from importlib.machinery import PathFinder

import pytest

from multiserve.checks import look_at
from multiserve.checks.modules import hiding_modules, mistaken_imports, modules_in
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.config.processes import for_group
from multiserve.loading.side_effects import Recorder

APP = "def app(environ, start_response): ...\n"
BOTH = 'pythonpath = ["one", "two"]\n[mounts]\n"/" = "shop:app"\n"/blog" = "blog:app"'
TAKEN = {"one/shop.py": f"import config\n{APP}", "one/config.py": ""}
pytestmark = pytest.mark.usefixtures("kept_process")


@pytest.fixture
def find(tmp_path, write_config):
    def run(check, files, text=BOTH):
        for name, source in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(source)
        recorder = Recorder()
        config = load_config(write_config(text))
        composition = compose(config, observe=lambda mount: recorder.watch(mount.name))
        assert not composition.failures
        return [
            (each.severity, each.mounts, each.message) for each in check.find(look_at(composition, recorder.effects))
        ]

    return run


FOUND = [
    pytest.param(
        {"two/blog.py": f"from config import *\n{APP}", "two/config.py": ""},
        ("error", ("/blog", "/"), 'two/blog.py:1 imports "config" and gets one/config.py, not two/config.py'),
        id="a file",
    ),
    pytest.param(
        {"two/blog.py": f"def later():\n    import config\n{APP}", "two/config/__init__.py": ""},
        ("error", ("/blog", "/"), 'two/blog.py:2 imports "config" and gets one/config.py, not two/config/__init__.py'),
        id="a package, inside a function",
    ),
    pytest.param(
        {"two/blog.py": f"def later():\n    import config.site\n{APP}", "two/config/site.py": ""},
        ("error", ("/blog", "/"), 'two/blog.py:2 imports "config" and gets one/config.py, not two/config'),
        id="a folder without __init__.py",
    ),
    pytest.param(
        {"two/blog.py": f"import parts.page\n{APP}", "two/parts/__init__.py": "", "two/parts/page.py": "import config",
         "two/config.py": ""},
        ("error", ("/blog", "/"), 'two/parts/page.py:1 imports "config" and gets one/config.py, not two/config.py'),
        id="in a module of a package",
    ),
    pytest.param(
        {"two/blog.py": f"try:\n    import config\nexcept ImportError: ...\n{APP}", "two/config.py": ""},
        ("note", ("/blog", "/"), ('two/blog.py:2 imports "config" and may mean the one beside it: it gets '
                                 "one/config.py, not two/config.py")),
        id="one that may fail",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("files", "finding"), FOUND)
def test_an_import_that_gets_the_module_of_another_application_is_found(find, files, finding):
    assert find(mistaken_imports, {**TAKEN, **files}) == [finding]


SILENT = [
    pytest.param({"two/blog.py": APP, "two/config.py": ""}, id="one that nobody imports"),
    pytest.param({"two/blog.py": f"import config\n{APP}"}, id="a module that both share"),
    pytest.param(
        {"two/blog.py": f"from parts import config\n{APP}", "two/parts/__init__.py": "", "two/parts/config.py": ""},
        id="a module of a package",
    ),
    pytest.param(
        {"two/blog.py": f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import config\n{APP}",
         "two/config.py": ""},
        id="one for the type checker",
    ),
    pytest.param(
        {"two/blog.py": f"import click\n{APP}", "two/click/notes.py": ""}, id="a folder behind an installed package"
    ),
]  # fmt: skip


@pytest.mark.parametrize("files", SILENT)
def test_nothing_is_found(find, files):
    assert find(mistaken_imports, {**TAKEN, **files}) == []


IN_A_GROUP = [
    pytest.param(
        "",
        ['Rename one of them, and update its imports, or write pythonpath = ["two"] under [groups.x].'],
        id="alone, with the pythonpath of the file",
    ),
    pytest.param('pythonpath = ["two"]', [], id="its own folder comes first"),
    pytest.param('pythonpath = ["own"]', [], id="a folder that hides it on purpose"),
]


@pytest.mark.parametrize(("own", "cures"), IN_A_GROUP)
def test_a_group_has_a_search_path_of_its_own(tmp_path, write_config, own, cures):
    for name in ("one/config.py", "two/config.py", "own/config.py", "two/blog.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"import config\n{APP}" if name == "two/blog.py" else "")
    text = f'[mounts]\n"/blog" = {{ app = "blog:app", group = "x" }}\n[groups.x]\n{own}'
    config = load_config(write_config(f'pythonpath = ["one", "two"]\n{text}'))
    subject = look_at(compose(for_group(config, config.groups["x"])), {})
    assert [each.cure for each in mistaken_imports.find(subject)] == cures


def test_a_folder_of_a_group_that_hides_a_module_is_named_there(tmp_path, write_config):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sched.py").touch()
    (tmp_path / "blog.py").write_text(APP)
    text = '[mounts]\n"/" = { app = "blog:app", group = "x" }\n[groups.x]\npythonpath = ["own"]'
    config = load_config(write_config(text))
    (found,) = hiding_modules.find(look_at(compose(for_group(config, config.groups["x"])), {}))
    assert (found.key, found.message) == ("groups.x.pythonpath", "own/sched.py may hide a module of Python")


def test_a_module_of_python_that_was_imported_before_may_have_been_meant(find, tmp_path):
    import calendar

    files = {"shop.py": f"import calendar\n{APP}", "calendar.py": ""}
    message = (
        f'shop.py:1 imports "calendar" and may mean the one beside it: it gets {calendar.__file__}, not calendar.py'
    )
    assert find(mistaken_imports, files, '[mounts]\n"/" = "shop:app"') == [("note", ("/",), message)]


HIDING = [
    pytest.param("sched.py", "", "import sched\n", ("warning", (), "sched.py hides a module of Python"), id="Python"),
    pytest.param("sched.py", "", "", ("note", (), "sched.py may hide a module of Python"), id="not imported yet"),
    pytest.param("pluggy/__init__.py", "", "", None, id="a package that was imported before"),
    pytest.param("uvicorn_worker.py", "", "", ("note", (), "uvicorn_worker.py may hide an installed package"),
                 id="an installed package"),
    pytest.param("setup.py", "", "", None, id="a file that nobody imports"),
    pytest.param("blog.py", "", "", None, id="a name of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "imports", "finding"), HIDING)
def test_a_module_that_hides_another_one_is_found(find, name, text, imports, finding):
    if not PathFinder.find_spec("uvicorn_worker"):
        pytest.skip("the package is not installed")
    found = find(hiding_modules, {name: text, "shop.py": imports + APP}, '[mounts]\n"/" = "shop:app"')
    assert found == ([finding] if finding else [])


def test_a_project_that_is_installed_as_well_hides_nothing(find, tmp_path, monkeypatch):
    names = ("__init__.py", "views.py")
    installed = {f"site-packages/shop_parts/{name}": "" for name in names}
    files = {**installed, **{f"shop_parts/{name}": "" for name in names}, "shop.py": APP}
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(tmp_path / "site-packages")])
    assert find(hiding_modules, files, '[mounts]\n"/" = "shop:app"') == []
    (tmp_path / "site-packages" / "shop_parts" / "views.py").rename(tmp_path / "gone.py")
    message = "shop_parts/__init__.py may hide an installed package"
    assert find(hiding_modules, {"shop.py": APP}, '[mounts]\n"/" = "shop:app"') == [("note", (), message)]


def test_folders_without_modules_are_none(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "no-name.py").touch()
    assert modules_in(tmp_path) == {}
    assert modules_in(tmp_path / "gone") == {}
