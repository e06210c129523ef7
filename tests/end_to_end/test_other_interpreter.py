"""The production server runs by the interpreter of another environment, where nothing of multiserve is installed."""

from __future__ import annotations

import os
import signal
import sys
import venv
from pathlib import Path

import pytest

from multiserve.interpreters.command import command, environment
from multiserve.interpreters.interpreter import find_interpreter

SERVING = """
import sys

def main():
    from pathlib import Path
    from multiserve.config.source import Source
    from multiserve.servers.groups.reading import Reading
    from multiserve.servers.production.server import serve

    def announce(config, origins, failed):
        print(*(f"{origin}/" for origin in origins))

    settings = {"bind": ["127.0.0.1:0"], "workers": 1, "pidfile": sys.argv[2]}
    values = {"only": (), "host": None, "port": None, "extra_files": ()}
    serve(Reading(source=Source(Path(sys.argv[1])), values=values), settings, announce)
"""
BLOG = """
import os, flask
from importlib import util

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    found = [name for name in ("django", "h11", "pytest") if util.find_spec(name)]
    return [f"flask {flask.__version__} of {os.getppid()}, {found}".encode()]
"""


@pytest.fixture
def serving(start, write, tmp_path):
    """Start the server in an environment with another Flask, on a free port."""
    folder = tmp_path / "theirs"
    venv.create(folder, symlinks=True)
    site = "theirs/lib/python{}.{}/site-packages".format(*sys.version_info)
    write(f"{site}/flask.py", "__version__ = '0.12'\n")
    write(f"{site}/serving.py", SERVING)
    write("blog.py", BLOG)
    config = write("multiserve.toml", '[mounts]\n"/" = "blog:app"\n')
    interpreter = find_interpreter(folder)
    words = command(interpreter, "serving:main", [str(config), str(tmp_path / "pid")])
    return start(command=words, cwd=tmp_path, env=environment(interpreter, os.environ)).ready()


def test_the_application_has_its_own_packages(serving):
    assert serving.get("/").text == f"flask 0.12 of {serving.pid}, []"


def test_sigusr2_runs_the_same_command_by_the_same_interpreter(serving, tmp_path):
    serving.signal("SIGUSR2")
    second_file = Path(tmp_path / "pid.2")
    serving.until(second_file.exists, "a second pid file")
    second = int(second_file.read_text())
    serving.until(lambda: serving.get("/").text == f"flask 0.12 of {second}, []", "an answer of the second master")
    serving.signal("SIGTERM")
    assert serving.wait() == 0
    assert serving.get("/").text == f"flask 0.12 of {second}, []"
    os.kill(second, signal.SIGTERM)
    serving.until(lambda: not serving.members(), "the end of all processes")
