from __future__ import annotations

import sys
import types
from dataclasses import replace

import pytest

from multiserve.checks import look_at
from multiserve.checks.own_sources import OwnModule, debug_written_in, own_modules, read_source, variables_set_in
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.loading.side_effects import SideEffects

MODULE = """
import os
from os import environ
os.environ["A"] = "one"
environ.setdefault("B", "two")
os.environ["C"] = str(3)
settings = {}
settings["D"] = "four"
if "E" not in os.environ:
    os.environ["E"] = "five"
def later():
    os.environ["F"] = "six"
def app(environ, start_response): ...
"""


@pytest.fixture
def member(tmp_path, write_config, kept_process):
    (tmp_path / "setting.py").write_text(MODULE)
    (subject,) = look_at(compose(load_config(write_config('[mounts]\n"/" = "setting:app"'))), {}).members
    return subject


def test_variables_are_read_where_every_import_sets_them_to_a_value_that_is_written_out(member):
    assert list(variables_set_in(member)) == [("A", "one", False), ("B", "two", True)]


def test_the_files_are_those_of_the_modules_that_the_authors_wrote(member, tmp_path, monkeypatch):
    other = types.ModuleType("beside")
    other.__file__ = str(tmp_path / "beside.py")
    monkeypatch.setitem(sys.modules, "beside", other)
    effects = SideEffects(modules=frozenset(("beside", "pytest", "json", "sys", "gone")))
    assert list(own_modules(replace(member, effects=effects))) == [
        OwnModule("beside", tmp_path / "beside.py", tmp_path),
        OwnModule("setting", tmp_path / "setting.py", tmp_path),
    ]


@pytest.mark.parametrize(
    "text", [pytest.param("x = 1", id="without the word"), pytest.param("environ = (", id="that is not Python")]
)
def test_a_file_is_not_read(tmp_path, text):
    (tmp_path / "x.py").write_text(text)
    assert read_source(tmp_path / "x.py", "environ") is None
    assert read_source(tmp_path / "none.py", "environ") is None


@pytest.fixture
def one_module(member, tmp_path, monkeypatch):
    """Make a mount that brings a module of that name and text beside its own."""

    def make(name, text):
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        module = types.ModuleType(name)
        module.__file__ = str(file)
        monkeypatch.setitem(sys.modules, name, module)
        return replace(member, effects=SideEffects(modules=frozenset((name,)))), file

    return make


SWITCHES = [
    pytest.param("app = FastAPI(debug=True)", 1, id="an argument"),
    pytest.param("import x\napp.debug = True", 2, id="an attribute"),
    pytest.param("app.config['DEBUG'] = True", 1, id="a key"),
    pytest.param("DEBUG = True", 1, id="a setting"),
    pytest.param("def make():\n    app.debug = True", 2, id="in a factory"),
    pytest.param("DEBUG = 'DEBUG' in os.environ", None, id="from the environment"),
    pytest.param("DEBUG = False", None, id="off"),
    pytest.param("if __name__ == '__main__':\n    DEBUG = True", None, id="under a condition"),
    pytest.param("class Development:\n    DEBUG = True", None, id="in a class"),
    pytest.param("app.run(debug=True)", None, id="a server of its own"),
    pytest.param("other.debugger = True", None, id="another name"),
]


@pytest.mark.parametrize(("text", "line"), SWITCHES)
def test_the_line_that_switches_debug_mode_on(one_module, text, line):
    member, file = one_module("shop", text)
    assert debug_written_in(member) == (line and (file, line))


@pytest.mark.parametrize("name", ["dev", "local_settings", "tests"])
def test_a_module_for_development_may_switch_debug_mode_on(one_module, name):
    assert debug_written_in(one_module(name, "DEBUG = True")[0]) is None
