"""What a running server says that a reload would change, and that asking changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from jsonschema import Draft7Validator

from multiserve.reports.schemas import output_schema

pytest.importorskip("aiohttp", reason="groups need multiserve[proxy]")

APP = """\
import pathlib

(pathlib.Path(__file__).parent / "loads").open("a").write(__name__ + "\\n")

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
BEFORE = """\
[mounts]
"/" = "front:app"
"/old" = { app = "old:app", group = "old" }
"/new" = { app = "new:app", group = "new" }
"/moved" = { app = "moved:app", group = "new" }
[groups.old]
[groups.new]
[groups.new.env]
KEY = "a secret"
[env]
PLAN_KEY = "a secret"
[gunicorn]
workers = 1
pidfile = "pid"
"""
AFTER = """\
[mounts]
"/" = { app = "front:app", required = true }
"/old" = { app = "old:app", group = "old" }
"/new" = { app = "new:app", group = "new" }
"/moved" = "moved:app"
[groups.old]
max_open_files = 500
[groups.new]
[groups.new.env]
KEY = "another secret"
[env]
PLAN_KEY = "another secret"
[server]
port = 1
[gunicorn]
workers = 2
backlog = 64
pidfile = "pid"
"""
TEXT = """\
A reload would change:

Mounts:
  ~ /  front:app
      required: not set -> true
  ~ /moved  moved:app, moved from the group new to the process in front

Groups:
  ~ old: another process takes the place of the one that serves
      max_open_files: not set -> 500
  ~ new: another process takes the place of the one that serves
      env.KEY: changed (not shown)

Settings:
  + server.port: not set -> 1 (without effect on this server)
  ~ gunicorn.workers: 1 -> 2
  + gunicorn.backlog: not set -> 64 (takes effect when the server is restarted, not at a reload)
  ~ env.PLAN_KEY: changed (not shown)

The code is loaded anew in any case.
"""


@pytest.fixture
def multiserve(tmp_path):
    """Run a command of multiserve in the folder of the test."""

    def multiserve(*arguments):
        command = [sys.executable, "-m", "multiserve", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout, done.stderr

    return multiserve


def test_a_plan_comes_true(start, tmp_path, multiserve):
    for name in ("front", "old", "new", "moved"):
        (tmp_path / f"{name}.py").write_text(APP)
    file = tmp_path / "multiserve.toml"
    file.write_text(BEFORE)
    start("run", "--production", "--port", "0", cwd=tmp_path).ready()
    nothing = "Nothing would change. The code is loaded anew in any case.\n"
    assert multiserve("reload", "--plan") == (0, nothing, "")
    before, loads = processes(multiserve), (tmp_path / "loads").read_text()

    file.write_text(AFTER)
    assert multiserve("reload", "--plan") == (0, TEXT, "")
    code, out, err = multiserve("reload", "--plan", "--format", "json")
    found = json.loads(out)
    assert (code, err, found["is_changed"]) == (0, "", True)
    assert [each.message for each in Draft7Validator(output_schema("plan")).iter_errors(found)] == []
    assert "secret" not in out

    file.write_text(AFTER.replace("port = 1", 'port = "x"'))
    problem = "server.port: expected a whole number, found a text\n    Write it without quotes.\n"
    assert multiserve("reload", "--plan") == (1, "", f"Error: multiserve.toml:\n{problem}")
    assert multiserve("reload", "--plan", "--pid", "pid") == (1, "", f"Error: {file}:\n{problem}")
    assert (processes(multiserve), (tmp_path / "loads").read_text()) == (before, loads)

    file.write_text(AFTER)
    code, out, err = multiserve("reload")
    assert (code, err) == (0, "")
    after = processes(multiserve)
    assert after["old"] != before["old"]
    assert after["new"] != before["new"]
    assert multiserve("reload", "--plan") == (0, nothing, "")


def processes(multiserve):
    """Return the process id of each group."""
    code, out, err = multiserve("status", "--pid", "pid", "--format", "json")
    assert (code, err) == (0, "")
    return {each["name"]: each["process"]["pid"] for each in json.loads(out)["groups"]}
