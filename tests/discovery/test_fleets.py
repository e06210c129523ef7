"""The applications of a folder, by the names of their files and packages."""

from __future__ import annotations

import pytest

from multiserve.discovery.fleets import Member, find_members

FLASK = "from flask import Flask\napp = Flask(__name__)\n"
FACTORY = "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n"
CLASH = '"one.py" and the folder "one" are one module to Python: rename either.'
COLON = "A name in its path has a colon, which ends the name of a file in a target: rename it."
SETTINGS = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.settings')\n"


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"sales.py": FLASK}, [Member("sales", "sales.py:app")], id="a file"),
        pytest.param({"sales.py": FACTORY}, [Member("sales", "sales.py:create_app()")], id="a factory"),
        pytest.param(
            {"sales.py": FACTORY.replace("create_app", "catalog")},
            [Member("sales", "sales.py:catalog()")],
            id="any factory",
        ),
        pytest.param(
            {"sales.py": f"{FACTORY.replace('create_app', 'catalog')}\nshop = Flask(__name__)\n"},
            [Member("sales", "sales.py:shop")],
            id="an application before a function of any name",
        ),
        pytest.param(
            {"b.py": FLASK, "a.py": FLASK.replace("app =", "it =")},
            [Member("a", "a.py:it"), Member("b", "b.py:app")],
            id="any name, in the order of the names",
        ),
        pytest.param(
            {"sales.py": f"{FLASK}other = Flask(__name__)\n"}, [Member("sales", "sales.py:app")], id="the usual name"
        ),
        pytest.param(
            {"shop/__init__.py": "", "shop/web.py": FACTORY}, [Member("shop", "shop/web.py:create_app()")], id="package"
        ),
        pytest.param(
            {"shop/__init__.py": FLASK, "shop/web.py": FLASK},
            [Member("shop", "shop/__init__.py:app")],
            id="the least deep of a package",
        ),
        pytest.param(
            {"one.py": FLASK, "one/__init__.py": ""}, [Member("one", reason=CLASH)], id="a file that a package hides"
        ),
        pytest.param(
            {"one.py": FLASK, "one/app.py": FLASK}, [Member("one", reason=CLASH)], id="a file that hides a folder"
        ),
        pytest.param(
            {"one.py": FLASK, "one/data.txt": ""}, [Member("one", "one.py:app")], id="a folder of data beside a file"
        ),
        pytest.param(
            {"one.py": "X = 1", "one/__init__.py": FLASK},
            [Member("one", "one/__init__.py:app")],
            id="a package beside a file without an application",
        ),
        pytest.param(
            {"common.py": "X = 1", "_sales.py": FLASK, "test_sales.py": FLASK, "empty.py": ""}, [], id="no applications"
        ),
        pytest.param({"wrong.py": "def x(:"}, [Member("wrong", "wrong.py")], id="a file that is not valid"),
        pytest.param({"test_wrong.py": "def x(:"}, [], id="a test that is not valid"),
        pytest.param(
            {"wrong/__init__.py": "def x(:"}, [Member("wrong", "wrong/__init__.py")], id="a package that is not valid"
        ),
        pytest.param(
            {"a, b.py": FLASK, "c,d.py": "def x(:", "e (1)=2.py": FLASK},
            [Member("a, b", "a, b.py:app"), Member("c,d", "c,d.py"), Member("e (1)=2", "e (1)=2.py:app")],
            id="names with commas and the like",
        ),
        pytest.param(
            {"a:b.py": FLASK, "c:d.py": "def x(:", "e/f:g.py": FLASK},
            [Member("a:b", reason=COLON), Member("c:d", reason=COLON), Member("e", reason=COLON)],
            id="names with colons",
        ),
        pytest.param(
            {"report.py": FLASK.replace("app", "async def create_app():\n    return Flask(__name__)\n#", 1)},
            [Member("report", reason="An async factory: write a plain function.")],
            id="what cannot be mounted",
        ),
        pytest.param(
            {
                "a.py": "import streamlit as st\nst.title('x')\n",
                "b.py": "from shiny.express import ui\nui.h1('x')\n",
                "c.py": "import panel as pn\npn.Row('x').servable()\n",
                "d.py": "import marimo\napp = marimo.App()\n",
                "e.py": "from nicegui import app, ui\nui.run()\n",
            },
            [
                Member("a", "a.py"),
                Member("b", "b.py"),
                Member("c", "c.py"),
                Member("d", "d.py:app"),
                Member("e", "e.py:app"),
            ],
            id="scripts and notebooks",
        ),
    ],
)
def test_each_file_and_each_package_is_one_application(tmp_path, files, expected):
    write(tmp_path, files)
    assert find_members(tmp_path) == expected


def test_nothing_is_imported(tmp_path):
    write(tmp_path, {"loud.py": f"{FLASK}raise SystemExit\n"})
    assert find_members(tmp_path) == [Member("loud", "loud.py:app")]
