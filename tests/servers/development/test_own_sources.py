"""What one process of several watches: the sources that it has loaded and what these read, and nothing else."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

from multiserve.config.file import load_config
from multiserve.servers.development import own_sources, watching
from multiserve.servers.development.own_sources import OwnSources
from multiserve.servers.development.watching import loaded_files

FILE = """
pythonpath = ["src"]
[mounts]
"/" = "shop:app"
"/fleet" = { fleet = "fleet" }
[development]
extra_files = ["words/*.txt", "folder"]
exclude_patterns = ["*/excluded.py"]
"""
OLD, NEW = 1_000_000, 2_000_000
SHOP = "import pack\napp.config.from_pyfile('settings.py')\ntry:\n    import local_settings\nexcept ImportError: pass\n"


@pytest.fixture
def touch(tmp_path):
    """Write a file at a time of its own, in seconds; the default is that of files that were always there."""

    def touch(name, time=OLD, text="1"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (time, time))
        return str(path)

    return touch


@pytest.fixture
def config(write_config, touch, tmp_path, monkeypatch):
    """Give the configuration of a process that has loaded `shop.py` and the package `pack`."""
    for name in (
        "other.py",
        "settings.py",
        "excluded.py",
        "pack/unused.py",
        "fleet/a.py",
        "words/a.txt",
        "folder/a.py",
    ):
        touch(name)
    touch("src/inner.py")

    def loaded():  # without this test, which names all of the files
        return [name for name in loaded_files() if name.startswith(f"{tmp_path}{os.sep}")]

    for module in (own_sources, watching):
        monkeypatch.setattr(module, "loaded_files", loaded)
    for name, file, text in (("shop", "shop.py", SHOP), ("pack", "pack/__init__.py", ""), ("pack.a", "pack/a.py", "")):
        module = ModuleType(name)
        module.__file__ = touch(file, text=text)
        if file.endswith("__init__.py"):
            module.__path__ = [os.path.dirname(module.__file__)]  # noqa: PTH120 (a module has texts)
        monkeypatch.setitem(sys.modules, name, module)
    touch("multiserve.toml", text=FILE)
    return load_config(write_config(FILE))


@pytest.mark.parametrize(
    ("name", "is_own"),
    [
        pytest.param("shop.py", True, id="the module of a target"),
        pytest.param("pack/a.py", True, id="a module that is loaded"),
        pytest.param("pack/new.py", True, id="a new module of a loaded package"),
        pytest.param("pack/unused.py", False, id="a module of it that was never loaded"),
        pytest.param("other.py", False, id="a module that another process has loaded"),
        pytest.param("new.py", False, id="a new module that nobody names"),
        pytest.param("local_settings.py", True, id="a new module that a source tries to import"),
        pytest.param("src/local_settings.py", True, id="such a one on the pythonpath"),
        pytest.param("deep/local_settings.py", False, id="one of that name which is not found"),
        pytest.param("settings.py", True, id="a file that a source reads"),
        pytest.param("src/inner.py", False, id="another file on the pythonpath"),
        pytest.param("words/a.txt", True, id="an extra file"),
        pytest.param("words/new.txt", True, id="a new extra file"),
        pytest.param("folder/a.py", True, id="a file in an extra folder"),
        pytest.param("fleet/a.py", True, id="an application of a fleet"),
        pytest.param("fleet/new.py", True, id="a new one"),
        pytest.param("excluded.py", False, id="an excluded file"),
        pytest.param("multiserve.toml", False, id="a file that another process watches"),
    ],
)
def test_a_change_concerns_the_process_that_has_loaded_the_file(config, touch, tmp_path, name, is_own):
    watch = OwnSources(config, [str(config.path)])
    assert watch.changes() == []
    path = touch(name, NEW)
    assert watch.changes() == ([path] if is_own else [])


def test_a_change_of_a_file_before_it_is_loaded_is_none_afterwards(config, touch, monkeypatch):
    watch = OwnSources(config)
    module = ModuleType("other")
    module.__file__ = touch("other.py", NEW)
    assert watch.changes() == []
    monkeypatch.setitem(sys.modules, "other", module)
    assert watch.changes() == []
    touch("other.py", NEW + 1)
    assert watch.changes() == [module.__file__]


def test_a_module_that_was_loaded_once_is_watched_from_then_on(config, touch, monkeypatch):
    watch = OwnSources(config)
    assert watch.changes() == []
    monkeypatch.delitem(sys.modules, "pack.a")
    path = touch("pack/a.py", NEW)
    assert watch.changes() == [path]


def test_any_source_may_mend_a_mount_that_could_not_be_loaded(config, touch):
    watch = OwnSources(config, [str(config.path)])
    watch.blame(ImportError())
    assert watch.changes() == []
    touch("multiserve.toml", NEW)
    path = touch("other.py", NEW)
    assert watch.changes() == [path]


@pytest.mark.parametrize("name", ["other.py", "new.py"], ids=["a file that was there", "a new one"])
@pytest.mark.parametrize("fails", [True, False], ids=["a mount fails", "no mount fails"])
def test_what_changes_while_mounts_are_loaded_may_be_the_repair(config, touch, name, fails):
    watch = OwnSources(config)
    watch.is_loading = True
    path = touch(name, NEW)
    assert [watch.changes(), watch.changes()] == [[], []]
    watch.is_loading = False
    if fails:
        watch.blame(ImportError())
    assert watch.changes() == ([path] if fails else [])
    assert watch.changes() == []
