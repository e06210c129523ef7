from __future__ import annotations

import ast

import pytest

from multiserve.python_source.paths import find_path
from multiserve.python_source.source import PythonSource, Unreadable


@pytest.fixture
def source(tmp_path):
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    text = "import os\nfrom pathlib import Path\nBASE = Path(__file__).resolve().parent\nNAME = 'static'\n"
    return PythonSource(package / "web.py", text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("'static'", "static"),
        ("NAME", "static"),
        ("BASE / 'static'", "shop/static"),
        ("str(BASE.parent / NAME)", "static"),
        ("os.path.join(os.path.dirname(__file__), 'static', 'css')", "shop/static/css"),
        ("os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', NAME)", "static"),
        ("Path('/srv', 'files')", "/srv/files"),
    ],
)
def test_paths(source, text, path):
    assert find_path(source, ast.parse(text, mode="eval").body) == path


@pytest.mark.parametrize("text", ["os.environ['X']", "settings.STATIC", "make()"])
def test_what_is_no_path(source, text):
    with pytest.raises(Unreadable) as caught:
        find_path(source, ast.parse(text, mode="eval").body)
    assert str(caught.value) == f"{text} is not a path that can be told without executing it."
