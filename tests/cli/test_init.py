from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from multiserve.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
FLASK = "from flask import Flask\napp = Flask(__name__)\n"
BOARD = 'import dash\nboard = dash.Dash(__name__, requests_pathname_prefix="/board/")\n'
TIE = {"blue.py": FLASK, "red.py": FLASK}


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in the test's own folder, in which somebody sits at a terminal if there is something to type."""
    monkeypatch.chdir(tmp_path)

    def run(*args, typed=None):
        if typed is not None:
            monkeypatch.setattr(sys.modules["multiserve.cli.init"], "_is_terminal", lambda: True)
        return CliRunner().invoke(main, args, input=typed)

    return run


def mounts(folder):
    return tomllib.loads((folder / "multiserve.toml").read_text("utf-8"))["mounts"]


def test_it_writes_the_file_and_says_what_is_next(run, tmp_path):
    write(tmp_path, {"storefront.py": FLASK, "admin.py": FLASK, "board.py": BOARD})
    result = run("init")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "Wrote multiserve.toml with 2 mounts:\n"
        "  /       storefront:app  (Flask)\n"
        "  /admin  admin:app  (Flask)\n"
        "  not mounted: Dash, board.py:2: board (see the file)\n"
        "Next:\n  multiserve check\n  multiserve run\n"
    )
    assert mounts(tmp_path) == {"/": "storefront:app", "/admin": "admin:app"}


def test_another_folder(run, tmp_path):
    write(tmp_path, {"shop/app.py": FLASK})
    result = run("init", "shop")
    assert result.stdout == (
        "Wrote shop/multiserve.toml with 1 mount:\n  /  app:app  (Flask)\n"
        "Next:\n  multiserve check -c shop/multiserve.toml\n  multiserve run -c shop/multiserve.toml\n"
    )
    assert mounts(tmp_path / "shop") == {"/": "app:app"}


def test_nothing_is_imported(run, tmp_path):
    write(tmp_path, {"app.py": FLASK + "open('imported', 'w')\n"})
    assert run("init").exit_code == 0
    assert not (tmp_path / "imported").exists()


def test_yes_takes_what_is_proposed(run, tmp_path):
    write(tmp_path, TIE)
    assert run("init", "--yes").exit_code == 0
    assert mounts(tmp_path) == {"/": "blue:app", "/red": "red:app"}


def test_without_a_terminal_nothing_can_be_asked(run, tmp_path):
    write(tmp_path, TIE)
    result = run("init")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: where to mount blue:app, red:app has to be asked, and there is no terminal to ask in\n"
        '    Run "multiserve init --yes" to take what is proposed.\n'
    )
    assert not (tmp_path / "multiserve.toml").exists()


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        pytest.param("\n\n", {"/": "blue:app", "/red": "red:app"}, id="Enter"),
        pytest.param("/blue\n/\n", {"/blue": "blue:app", "/": "red:app"}, id="other keys"),
        pytest.param("-\n\n", {"/red": "red:app"}, id="left out"),
        pytest.param(
            "blue\n/b/\n/b\nred.example.com\n", {"/b": "blue:app", "red.example.com": "red:app"}, id="mistakes"
        ),
    ],
)
def test_what_is_answered_is_written(run, tmp_path, typed, written):
    write(tmp_path, TIE)
    result = run("init", typed=typed)
    assert result.exit_code == 0
    assert 'Where is it mounted? Enter takes what is in brackets; "-" leaves it out.\n' in result.stdout
    assert "blue:app (Flask, blue.py:2) [/]: " in result.stdout
    assert mounts(tmp_path) == written


def test_mistakes_in_answers_are_told(run, tmp_path):
    write(tmp_path, TIE)
    out = run("init", typed="blue\n/x\n/x\n\n").stdout
    assert '"blue" is neither a path nor a host. Did you mean "/blue"? A host has a dot or a port.\n' in out
    assert "/x is taken.\n" in out


def test_nothing_is_left(run, tmp_path):
    write(tmp_path, TIE)
    result = run("init", typed="-\n-\n")
    assert (result.exit_code, result.stderr) == (1, "Error: nothing is left to be mounted\n")


@pytest.mark.parametrize(
    ("files", "args", "error"),
    [
        pytest.param(
            {"multiserve.toml": "", "app.py": FLASK},
            [],
            "there is a multiserve.toml already\n"
            '    It stays as it is. "multiserve check -c multiserve.toml" shows what is in it.',
            id="there is a file",
        ),
        pytest.param({}, ["gone"], 'there is no folder "gone"', id="no folder"),
        pytest.param(
            {},
            [],
            "there is no application in this folder\n"
            "    It looks for applications and factories of Flask, Django, FastAPI, Starlette, Litestar, Pyramid and "
            "others,\n    for static folders and for Vite. Write a multiserve.toml yourself:\n"
            '\n    [mounts]\n    "/" = "module:app"',
            id="nothing",
        ),
        pytest.param(
            {"board.py": BOARD},
            [],
            "there is nothing in this folder that can be mounted\n"
            "Dash, board.py:2: board: It has a prefix, or a server, of its own. Below a prefix Dash has to be told it: "
            'make it in a function, and mount "board:make_board(prefix)":\n'
            "def make_board(prefix):\n"
            '    app = Dash(__name__, requests_pathname_prefix=f"{prefix}/", routes_pathname_prefix="/")\n'
            "    app.layout = ...\n    return app.server",
            id="nothing that can be mounted",
        ),
    ],
)
def test_refusals(run, tmp_path, files, args, error):
    write(tmp_path, files)
    result = run("init", *args)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {error}\n")


def test_run_without_a_file_says_what_init_would_mount(run, tmp_path):
    write(tmp_path, {"storefront.py": FLASK, "admin.py": FLASK})
    result = run("run")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: no configuration: there is no multiserve.toml here, and no [tool.multiserve] in pyproject.toml\n"
        '    Run "multiserve init" to mount what is here: storefront:app (Flask), admin:app (Flask).\n'
        '    "multiserve run storefront:app" serves that one alone, without a file.\n'
    )


@pytest.mark.parametrize(
    ("command", "error"),
    [
        pytest.param("init", "closed cannot be read: Permission denied", id="init"),
        pytest.param(
            "run",
            "no configuration: there is no multiserve.toml here, and no [tool.multiserve] in pyproject.toml\n"
            "    Name a file with --config or MULTISERVE_CONFIG, or write a multiserve.toml:\n"
            '\n    [mounts]\n    "/" = "module:app"',
            id="run, without a hint",
        ),
    ],
)
def test_a_folder_that_cannot_be_read(run, monkeypatch, command, error):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", "closed")

    monkeypatch.setattr("multiserve.discovery.proposals.find_proposals", refuse)
    result = run(command)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {error}\n")


def check(folder):
    command = [sys.executable, "-m", "multiserve", "check"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=110)
    result.stderr = re.sub(r"^loading .* \.\.\.\n", "", result.stderr, flags=re.MULTILINE)  # on a slow machine
    return result


@pytest.mark.parametrize("name", ["three-frameworks", "mixed", "frontend-admin"])
def test_check_accepts_what_it_writes_for_the_examples(run, tmp_path, name):
    folder = shutil.copytree(EXAMPLES / name, tmp_path / name)
    (folder / "multiserve.toml").unlink()
    assert run("init", "--yes", name).exit_code == 0
    result = check(folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(mounts(folder)) == {"three-frameworks": 3, "mixed": 3, "frontend-admin": 2}[name]


PROJECTS = {
    "Flask": {"shop.py": FLASK},
    "FastAPI": {"app/__init__.py": "", "app/main.py": "from fastapi import FastAPI\napp = FastAPI()\n"},
    "Starlette": {"main.py": "from starlette.applications import Starlette\napp = Starlette()\n"},
    "Litestar": {"app.py": "from litestar import Litestar\napp = Litestar([])\n"},
    "Pyramid": {
        "site_pages/__init__.py": "from pyramid.config import Configurator\n\n\ndef main(global_config, **settings):\n"
        "    with Configurator(settings=settings) as config:\n        return config.make_wsgi_app()\n"
    },
}


@pytest.mark.parametrize("framework", PROJECTS)
def test_check_accepts_what_it_writes(run, tmp_path, framework):
    write(tmp_path, PROJECTS[framework])
    assert f"({framework})" in run("init").stdout
    result = check(tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("ok  /  ")


def test_check_accepts_what_it_writes_for_startproject(run, tmp_path):
    subprocess.run([sys.executable, "-m", "django", "startproject", "mysite"], cwd=tmp_path, check=True, timeout=100)
    assert run("init").exit_code == 0
    assert mounts(tmp_path) == {"/": "mysite.wsgi"}
    result = check(tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
