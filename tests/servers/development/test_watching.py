"""What the development server watches: sources wherever they come from, and nothing that editors and programs leave."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from multiserve.config.file import load_config
from multiserve.servers.development.watching import (
    Watch,
    blamed_files,
    is_installed,
    loaded_files,
    named_files,
    python_files,
)

FILE = """
pythonpath = ["src"]
[mounts]
"/" = "shop:app"
"/later" = "deep.down.later:app"
"/file" = "other/site.py"
[development]
extra_files = ["words/**/*.txt", "one.txt", "folder"]
exclude_patterns = ["*/excluded.py"]
"""


@pytest.fixture
def touch(tmp_path):
    """Write a file at a time of its own, in seconds; the default is that of files that were always there."""

    def touch(name: str, time: float = 1_000_000) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1", encoding="utf-8")
        os.utime(path, (time, time))
        return path

    return touch


@pytest.fixture
def config(write_config, touch):
    """Give a configuration with sources around it, and much that is none."""
    for name in ("shop.py", "excluded.py", "package/__init__.py", "package/a/b.py", "src/inner.py", "folder/c.py"):
        touch(name)
    for name in (".venv/x.py", "env/x.py", "env/pyvenv.cfg", "conda/conda-meta/x.json", "conda/x.py"):
        touch(name)
    for name in ("node_modules/x.py", "site-packages/x.py", "__pycache__/x.py", "data/deep/further/x.py"):
        touch(name)
    os.utime(write_config(FILE), (1_000_000, 1_000_000))
    return load_config(write_config(FILE))


CHANGES = [
    pytest.param("shop.py", True, id="a module"),
    pytest.param("package/a/b.py", True, id="a module of a package"),
    pytest.param("src/inner.py", True, id="a module on the pythonpath"),
    pytest.param("multiserve.toml", True, id="the configuration"),
    pytest.param("folder/c.py", True, id="a module in an extra folder"),
    pytest.param("new.py", True, id="a new module"),
    pytest.param("package/a/new.py", True, id="a new module of a package"),
    pytest.param("deep/down/later.py", True, id="a target that was not there"),
    pytest.param("deep/down/later/__init__.py", True, id="a target that was not there, as a package"),
    pytest.param("other/site.py", True, id="a file that is a target and was not there"),
    pytest.param("one.txt", True, id="an extra file that was not there"),
    pytest.param("words/a/b.txt", True, id="an extra file that a pattern finds"),
    pytest.param("words/a/b.log", False, id="a file that the pattern does not find"),
    pytest.param("excluded.py", False, id="an excluded file"),
    pytest.param(".venv/x.py", False, id="a hidden folder"),
    pytest.param("env/x.py", False, id="a virtual environment"),
    pytest.param("conda/x.py", False, id="an environment of conda"),
    pytest.param("node_modules/x.py", False, id="node_modules"),
    pytest.param("site-packages/x.py", False, id="site-packages"),
    pytest.param("__pycache__/x.py", False, id="a cache"),
    pytest.param("data/deep/further/x.py", False, id="far from other sources"),
    *(
        pytest.param(name, False, id=name)
        for name in ("4913", ".shop.py.swp", "shop.py~", ".#shop.py", "#shop.py#", "shop.log", "shop.sqlite3")
    ),
]


@pytest.mark.parametrize("time", [pytest.param(2_000_000, id="newer"), pytest.param(500_000, id="older")])
@pytest.mark.parametrize(("name", "is_change"), CHANGES)
def test_a_file_that_is_written_is_a_change_if_it_is_a_source(config, touch, name, is_change, time):
    watch = Watch(config)
    assert watch.look() == ""
    path = touch(name, time)
    assert watch.look() == (str(path) if is_change else "")


def test_a_file_that_is_gone_is_a_change_at_the_second_look(config, tmp_path):
    watch = Watch(config)
    (tmp_path / "shop.py").unlink()
    assert [watch.look(), watch.look()] == ["", str(tmp_path / "shop.py")]


def test_a_file_that_an_editor_writes_anew_is_a_change_only_if_it_differs(config, touch, tmp_path):
    watch = Watch(config)
    for time in (1_000_000, 2_000_000):
        (tmp_path / "shop.py").unlink()
        assert watch.look() == ""
        touch("shop.py", time)
        assert watch.look() == ("" if time == 1_000_000 else str(tmp_path / "shop.py"))


@pytest.fixture
def elsewhere(tmp_path_factory, touch):
    """Give a folder that is neither that of the file nor one where packages are installed."""
    return tmp_path_factory.mktemp("elsewhere")


def test_a_module_that_is_loaded_from_elsewhere_is_watched_from_then_on(config, elsewhere, monkeypatch):
    watch = Watch(config)
    module = ModuleType("late")
    module.__file__ = str(elsewhere / "late.py")
    (elsewhere / "late.py").write_text("1")
    os.utime(module.__file__, (1_000_000, 1_000_000))
    monkeypatch.setitem(sys.modules, "late", module)
    assert watch.look() == ""
    os.utime(module.__file__, (2_000_000, 2_000_000))
    assert watch.look() == module.__file__


def test_a_module_that_was_edited_while_it_was_loaded_is_a_change(config, elsewhere, monkeypatch):
    watch = Watch(config)
    module = ModuleType("late")
    module.__file__ = str(elsewhere / "late.py")
    (elsewhere / "late.py").write_text("1")
    monkeypatch.setitem(sys.modules, "late", module)
    assert watch.look() == module.__file__


def test_the_package_of_a_mount_is_watched_where_it_lies(config, elsewhere, monkeypatch):
    (elsewhere / "shop").mkdir()
    (elsewhere / "shop" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(elsewhere))
    watch = Watch(config)
    assert watch.look() == ""
    (elsewhere / "shop" / "new.py").touch()
    assert watch.look() == str(elsewhere / "shop" / "new.py")


def test_a_file_to_blame_is_watched_wherever_it_is(config, elsewhere):
    broken = elsewhere / "site-packages" / "broken.py"
    broken.parent.mkdir()
    broken.write_text("1 +")
    os.utime(broken, (1_000_000, 1_000_000))
    watch = Watch(config)
    with pytest.raises(SyntaxError) as caught:
        compile(broken.read_text(), str(broken), "exec")
    watch.blame(caught.value)
    assert watch.look() == ""
    os.utime(broken, (2_000_000, 2_000_000))
    assert watch.look() == str(broken)


def raise_in(name, source="raise ValueError"):
    """Give the exception that code in a file of this name raises."""
    try:
        exec(compile(source, name, "exec"), {})
    except Exception as error:  # noqa: BLE001 (any)
        return error
    return None


def test_the_files_to_blame_are_those_of_every_error_behind_an_error():
    cause, context, member = (raise_in(f"/{name}.py") for name in ("cause", "context", "member"))
    wrong = SyntaxError("wrong", ("/wrong.py", 1, 1, "", 1, 1))
    group = ExceptionGroup("all", [member, wrong, SyntaxError("text", ("<string>", 1, 1, "", 1, 1))])
    group.__cause__, group.__context__, cause.__context__ = cause, context, group  # a circle, too
    assert blamed_files(group) == {"/cause.py", "/context.py", "/member.py", "/wrong.py", __file__}


def test_modules_of_python_and_of_installed_packages_are_not_watched():
    assert is_installed(os.__file__)
    assert is_installed(pytest.__file__)
    assert not is_installed(__file__)
    assert not set(loaded_files()) & {os.__file__, pytest.__file__}


def test_the_file_its_extra_files_and_its_targets_are_watched_by_name(config, touch, tmp_path):
    touch("words/deep/er/b.txt")
    targets = ("shop.py", "shop/__init__.py", "deep/down/later.py", "deep/down/later/__init__.py")
    assert sorted(named_files(config)) == sorted(
        str(tmp_path / name)
        for name in (
            *("multiserve.toml", ".env", "words/deep/er/b.txt", "one.txt", "folder", "other/site.py"),
            *(f"{folder}{name}" for folder in ("", "src/") for name in targets),
        )
    )


def test_a_virtual_environment_may_be_the_root_itself(touch, tmp_path):
    touch("pyvenv.cfg")
    path = touch("shop.py")
    assert list(python_files(str(tmp_path))) == [str(path)]
