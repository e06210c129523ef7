from __future__ import annotations

import ast
from pathlib import Path

import pytest

from multiserve.python_source.source import PythonSource, Unreadable, import_root

TEXT = """
import os.path
import package.inner as inner
from flask import Flask as F
from . import beside
from .api import app as api

NAME = "text"
ALIAS = NAME
a = b
b = a

def create_app():
    from local import thing
    app = F(__name__)
    return app

async def other(): pass

with F("x") as opened: pass

if __name__ == "__main__":
    create_app().run()
"""


@pytest.fixture
def source(tmp_path):
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    return PythonSource(package / "web.py", TEXT)


def expression(text):
    return ast.parse(text, mode="eval").body


def test_a_file_in_a_package_has_its_dotted_name(source, tmp_path):
    assert (source.module, source.root) == ("shop.web", tmp_path)
    assert PythonSource(tmp_path / "shop" / "__init__.py", "").module == "shop"


@pytest.mark.parametrize(
    ("text", "dotted"),
    [
        ("F", "flask.Flask"),
        ("inner.Thing", "package.inner.Thing"),
        ("os.path.join", "os.path.join"),
        ("beside", "shop.beside"),
        ("api", "shop.api.app"),
        ("unknown.x", "unknown.x"),
        ("make().x", ""),
    ],
)
def test_dotted_names(source, text, dotted):
    assert source.dotted(expression(text)) == dotted


def test_a_name_of_a_function_is_found_in_it_alone(source):
    create_app, other = source.functions()
    assert (create_app.name, other.name) == ("create_app", "other")
    assert source.dotted(expression("thing"), create_app) == "local.thing"
    assert source.dotted(expression("thing")) == "thing"
    assert source.is_local("app", create_app)
    assert not source.is_local("NAME", create_app)


@pytest.mark.parametrize(("text", "value"), [("ALIAS", "text"), ("[1, 2]", [1, 2]), ("'x'", "x")])
def test_literals(source, text, value):
    assert source.literal(expression(text)) == value


@pytest.mark.parametrize("text", ["a", "create_app()", "os.environ['X']", "missing"])
def test_what_is_no_literal(source, text):
    with pytest.raises(Unreadable) as caught:
        source.literal(expression(text))
    assert str(caught.value) == f"{text} is not a literal."


def test_what_only_the_script_executes_is_guarded(source):
    made, run = (next(source.calls(name)) for name in ("Flask", "create_app"))
    assert (source.is_guarded(made), source.is_guarded(run)) == (False, True)


@pytest.mark.parametrize("text", ["def", "x = '\0'", "(" * 10_000], ids=["half", "a NUL", "too deep"])
def test_what_is_no_python(tmp_path, text):
    with pytest.raises(SyntaxError):
        PythonSource(tmp_path / "x.py", text)


def test_the_root_of_a_file_without_a_package_is_its_folder():
    assert import_root(Path("a", "b.py")) == Path("a")
