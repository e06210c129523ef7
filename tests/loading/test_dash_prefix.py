"""Dash learns its prefix from a variable, as long as the module that makes it is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from multiserve.config.targets import parse_target
from multiserve.loading.dash_prefix import told_prefix

VARIABLE = "DASH_REQUESTS_PATHNAME_PREFIX"
ONE = "from dash import Dash\napp = Dash(__name__)\n"
FACTORY = "import dash\ndef make():\n    return dash.Dash(__name__, title='Sales').server\n"

TOLD = [
    pytest.param(ONE, "sales:app", id="an object"),
    pytest.param(ONE, "sales:app.server", id="its server"),
    pytest.param(ONE, "sales", id="a module"),
    pytest.param(ONE, "sales.py:app", id="a file"),
    pytest.param(FACTORY, "sales:make()", id="a factory"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    for name in (VARIABLE, "DASH_URL_BASE_PATHNAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(("source", "target"), TOLD)
def test_the_prefix_is_told(folder: Path, source: str, target: str) -> None:
    (folder / "sales.py").write_text(source, "utf-8")
    with told_prefix(parse_target(target), "/sales", folder):
        assert os.environ[VARIABLE] == "/sales/"
    assert VARIABLE not in os.environ


def test_packages_are_not_imported(folder: Path) -> None:
    (folder / "boards").mkdir()
    (folder / "boards" / "__init__.py").write_text("raise RuntimeError\n", "utf-8")
    (folder / "boards" / "sales.py").write_text(ONE, "utf-8")
    with told_prefix(parse_target("boards.sales:app"), "/sales", folder):
        assert os.environ[VARIABLE] == "/sales/"


NOT_TOLD = [
    pytest.param(ONE, "sales:app", "", id="at the root"),
    pytest.param("from flask import Flask\napp = Flask(__name__)\n", "sales:app", "/sales", id="no Dash"),
    pytest.param(f"{ONE}other = Dash('other')\n", "sales:app", "/sales", id="two of them"),
    pytest.param(ONE.replace("__name__", "server=flask_app"), "sales:app", "/sales", id="in a server of its own"),
    pytest.param(ONE.replace("__name__", "url_base_pathname='/x/'"), "sales:app", "/sales", id="with a prefix"),
    pytest.param(ONE.replace("__name__", "**options"), "sales:app", "/sales", id="with options that are not known"),
    pytest.param("from dash import Dash\napp = Dash(\n", "sales:app", "/sales", id="no Python"),
    pytest.param(ONE, "none:app", "/sales", id="no such module"),
    pytest.param(ONE, "none.py:app", "/sales", id="no such file"),
    pytest.param(ONE, "sys:path", "/sales", id="a module without a source"),
    pytest.param(ONE, "sales.none:app", "/sales", id="nothing in a module"),
]


@pytest.mark.parametrize(("source", "target", "prefix"), NOT_TOLD)
def test_nothing_is_told(folder: Path, source: str, target: str, prefix: str) -> None:
    (folder / "sales.py").write_text(source, "utf-8")
    with told_prefix(parse_target(target), prefix, folder):
        assert VARIABLE not in os.environ


@pytest.mark.parametrize("name", [VARIABLE, "DASH_URL_BASE_PATHNAME"])
def test_what_is_set_already_stays(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (folder / "sales.py").write_text(ONE, "utf-8")
    monkeypatch.setenv(name, "/elsewhere/")
    before = dict(os.environ)
    with told_prefix(parse_target("sales:app"), "/sales", folder):
        assert dict(os.environ) == before
    assert dict(os.environ) == before
