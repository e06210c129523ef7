from __future__ import annotations

import sys
import types
from dataclasses import replace

import pytest

from multiserve.checks import look_at
from multiserve.checks.own_sources import OwnModule, own_modules, read_source, variables_set_in
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
