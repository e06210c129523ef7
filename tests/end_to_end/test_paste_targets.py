"""Targets of PasteDeploy at the command line: served, checked, listed, and served again when the file is saved."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("paste.deploy", reason="PasteDeploy is not installed")

INI = "[DEFAULT]\nword = {word}\n\n[app:main]\nuse = call:parts:make_app\n"
PARTS = """\
def make_app(global_conf, **settings):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [f"{global_conf['word']} at {environ['SCRIPT_NAME']}".encode()]
    return app
"""


@pytest.fixture
def site(write):
    write("parts.py", PARTS)
    write("development.ini", INI.format(word="one"))


@pytest.mark.usefixtures("site")
def test_it_is_served_and_its_file_is_watched(start, tmp_path, write):
    server = start("run", "/shop=paste:development.ini", "--port", "0", cwd=tmp_path).ready()
    assert server.get("/shop").text == "one at /shop"
    write("development.ini", INI.format(word="two"))
    server.until(lambda: server.get("/shop").text == "two at /shop", "the saved file")


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("check", "ok  /  paste:development.ini#main  WSGI"),
        ("routes", "any   /       app   auto       paste:development.ini#main"),
    ],
)
def test_commands_take_it_as_a_target(tmp_path, command, shown):
    arguments = [sys.executable, "-m", "multiserve", command, "paste:development.ini#main"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout.splitlines()
