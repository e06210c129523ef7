from __future__ import annotations

import ast

import pytest

from multiserve.python_source.source import PythonSource, Unreadable
from multiserve.python_source.targets import Mounted, find_mounted

TEXT = """
import os
import shop
import shop.web
from package import sub
from flask import Flask
from shop import create_app, app as imported, Wrapper

STAGE = "beta"
plain = create_app(STAGE, debug=True)
changed = create_app("x")
changed.config["A"] = 1
passed = create_app("y")
init(passed)
flask = Flask(__name__)
twice = create_app()
twice = create_app("again")
secret = create_app(os.environ["SECRET"])
wrapped = Wrapper(plain, "a", b=1)
alias = imported

def view(environ, start_response): ...

def inside():
    local = object()
    made = create_app("local")
"""


@pytest.fixture
def source(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "sub.py").touch()
    return PythonSource(tmp_path / "serve.py", TEXT)


@pytest.mark.parametrize(
    ("text", "target", "middleware"),
    [
        pytest.param("imported", "shop:app", (), id="imported"),
        pytest.param("alias", "shop:app", (), id="another name for it"),
        pytest.param("imported.wsgi_app", "shop:app", (), id="inside of Flask"),
        pytest.param("shop.app", "shop:app", (), id="an attribute of a module"),
        pytest.param("shop.web.site.app", "shop.web:site.app", (), id="a submodule that is imported"),
        pytest.param("sub.app", "package.sub:app", (), id="a submodule from its package"),
        pytest.param("view", "serve:view", (), id="a function of the file"),
        pytest.param("flask", "serve:flask", (), id="made in the file"),
        pytest.param("plain", "shop:create_app('beta', debug=True)", (), id="what a factory returned"),
        pytest.param("create_app()", "shop:create_app()", (), id="a call"),
        pytest.param("changed", "serve:changed", (), id="changed afterwards"),
        pytest.param("passed", "serve:passed", (), id="handed to something"),
        pytest.param("twice", "serve:twice", (), id="assigned twice"),
        pytest.param("secret", "serve:secret", (), id="an argument that is no literal"),
        pytest.param("wrapped", "shop:create_app('beta', debug=True)", ("shop:Wrapper('a', b=1)",), id="middleware"),
        pytest.param(
            "Wrapper(Wrapper(alias), 2)", "shop:app", ("shop:Wrapper(2)", "shop:Wrapper"), id="middleware twice"
        ),
        pytest.param("WSGIMiddleware(imported)", "shop:app", (), id="an adapter"),
        pytest.param("WSGIMiddleware(app=imported)", "shop:app", (), id="an adapter with a name"),
    ],
)
def test_targets(source, text, target, middleware):
    node = ast.parse(text, mode="eval").body
    assert find_mounted(source, node) == Mounted(target, middleware)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("shop", "shop is a module, not an application."),
        ("missing", "missing is not defined in this file."),
        ("create_app(os.environ['X'])", "os.environ['X'] is not a literal."),
        ("create_app(**options)", "**options cannot be in a target: write each argument out."),
        ("(lambda e, s: [])", "lambda e, s: [] has no name: give it one in a module."),
    ],
)
def test_what_has_no_target(source, text, reason):
    with pytest.raises(Unreadable) as caught:
        find_mounted(source, ast.parse(text, mode="eval").body)
    assert str(caught.value) == reason


def test_what_a_function_makes(source):
    inside = next(each for each in source.functions() if each.name == "inside")
    assert find_mounted(source, ast.parse("made", mode="eval").body, inside) == Mounted("shop:create_app('local')")
    with pytest.raises(Unreadable) as caught:
        find_mounted(source, ast.parse("local", mode="eval").body, inside)
    assert str(caught.value) == "object is not defined in this file."
