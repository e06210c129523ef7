"""`multiserve reload`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from multiserve.servers.production import pid_file

GOOD = """
[mounts]
"/" = "good:app"
"""


def test_reload_tells_what_became_of_it(run, tmp_path, write_config):
    write_config(GOOD + '[gunicorn]\npidfile = "pid"')
    path = tmp_path / "pid"
    command = [sys.executable, "-c", LIKE_A_SERVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        path.write_text(server.stdout.readline())
        assert run("reload") == (0, f"Process {server.pid} has reloaded.\n", "")
        refusal = "Error: the reload is refused\n"
        assert run("reload", "--pid", str(path)) == (3, "", refusal)


LIKE_A_SERVER = """
import os, pathlib, signal, sys
from multiserve.servers.production import pid_file

path = pathlib.Path(sys.argv[1])
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
pid_file.record(path, 0, "")
print(os.getpid(), flush=True)
for count, refusal in ((1, ""), (2, "the reload is refused")):
    signal.sigwait({signal.SIGHUP})
    pid_file.record(path, count, refusal)
"""


def test_reload_without_a_pid_file_says_what_to_write(run, write_config):
    path = write_config(GOOD)
    assert run("reload") == (
        1,
        "",
        (
            f"Error: {path}:\n"
            "gunicorn.pidfile: not set, so nothing tells which process to signal\n"
            '    Write pidfile = "multiserve.pid" under [gunicorn] and restart the server, or say --pid FILE.\n'
        ),
    )


def test_reload_with_a_pid_file_needs_no_configuration(run, tmp_path):
    path = tmp_path / "pid"
    assert run("reload", "--pid", str(path)) == (
        3,
        "",
        (
            f"Error: there is no pid file {path}\n"
            "    Is the server running? It writes the file when it starts with this pidfile setting.\n"
        ),
    )


def test_reload_without_a_file_says_how_a_server_without_one_is_reached(run):
    code, out, err = run("reload")
    assert (code, out) == (1, "")
    assert err.startswith(
        "Error: no configuration: there is no multiserve.toml here, and no [tool.multiserve] in pyproject.toml\n"
        '    A server without a file is reached by "multiserve reload --pid FILE", if it runs with --pidfile FILE.\n'
        "    Name a file with --config or MULTISERVE_CONFIG, or write a multiserve.toml:\n"
    )


PLAN = {
    "is_changed": True, "mounts": [], "groups": [], "code": "loaded",
    "settings": [
        {"key": "server.strict", "change": "added", "before": None, "after": True, "effect": "reload"},
    ],
}  # fmt: skip


@pytest.fixture
def answer(monkeypatch):
    """Set what a server answers, and note what it is asked."""
    questions = []

    def answer(value):
        monkeypatch.setattr(pid_file, "ask", lambda path, *question: questions.append((str(path), *question)) or value)
        return questions

    return answer


def test_plan_shows_what_would_change(run, answer):
    questions = answer({"plan": PLAN})
    text = "A reload would change:\n\nSettings:\n  + server.strict: not set -> true\n\n"
    assert run("reload", "--plan", "--pid", "there") == (0, f"{text}The code is loaded anew in any case.\n", "")
    assert questions == [("there", "plan")]


def test_plan_has_json(run, answer, write_config, tmp_path):
    write_config(GOOD + '[gunicorn]\npidfile = "pid"')
    questions = answer({"plan": PLAN})
    code, out, err = run("reload", "--plan", "--format", "json")
    assert (code, json.loads(out), err) == (0, PLAN, "")
    assert questions == [(str(tmp_path / "pid"), "plan")]


def test_plan_of_a_wrong_file_has_its_mistakes(run, answer):
    problem = {"key": "server.port", "message": "too large", "hint": "Write less.", "excerpt": ""}
    answer({"wrong": {"source": "/a/multiserve.toml", "problems": [problem]}})
    error = "Error: /a/multiserve.toml:\nserver.port: too large\n    Write less.\n"
    assert run("reload", "--plan", "--pid", "there") == (1, "", error)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--plan", "blog"), "--plan shows all that would change: leave out the group."),
        (("--format", "json"), "--format json needs --plan."),
    ],
    ids=["a group", "a format"],
)
def test_what_does_not_go_together(run, arguments, message):
    code, out, err = run("reload", *arguments)
    assert (code, out) == (2, "")
    assert err.endswith(f"Error: {message}\n")
