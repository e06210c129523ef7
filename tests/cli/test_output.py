"""What all commands write: errors, and answers apart from what applications write."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from multiserve import cli
from multiserve.cli import output

APPS = Path(__file__).parents[1] / "apps"
ARGUMENTS = {
    "export": ("export", "nginx"),
    "maintenance": ("maintenance", "/shop", "on"),
    "restart": ("restart", "legacy"),
}
READERS = [name for name in cli.COMMANDS if name not in ("schema", "init", "import")]


@pytest.mark.parametrize("command", [["run"], ["run", "--production"], ["check"], ["routes"]], ids=" ".join)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            None,
            "no configuration: there is no multiserve.toml here, and no [tool.multiserve] in pyproject.toml\n"
            "    Name a file with --config or MULTISERVE_CONFIG, or write a multiserve.toml:\n"
            '\n    [mounts]\n    "/" = "module:app"',
            id="no file",
        ),
        pytest.param(
            "[mounts]\nadmin = 'a:'\n[sevrer]",
            "{file}:\n"
            'sevrer: no such key\n    Did you mean "server"?\n'
            'mounts.admin: "admin" is neither a path nor a host\n'
            '    Did you mean "/admin"? A host has a dot or a port.\n'
            'mounts.admin: "" is neither an attribute nor one call of a factory\n'
            '    Write "module:attribute", "module:factory(...)" or "path/to/file.py:attribute".',
            id="three mistakes",
        ),
        pytest.param(
            "[mounts",
            "{file}:1:8: not TOML: the name of a table has no ] at its end\n"
            "    1 | [mounts\n      |        ^\n"
            "    Write [mounts].",
            id="no TOML",
        ),
    ],
)
def test_every_command_tells_all_mistakes_of_the_file(run, write_config, command, text, message):
    path = Path("multiserve.toml")
    if text is not None:
        write_config(text)
    code, out, err = run(*command)
    file = path.absolute() if command[0] == "run" else path
    assert (code, out, err) == (1, "", f"Error: {message.format(file=file)}\n")


@pytest.mark.parametrize("command", READERS)
def test_a_file_that_is_not_there_is_told(run, tmp_path, command):
    file = tmp_path / "no.toml"
    message = f"Error: {file}:\nno such file\n    Check the path given by --config or MULTISERVE_CONFIG.\n"
    assert run(*ARGUMENTS.get(command, (command,)), "-c", str(file)) == (1, "", message)


@pytest.mark.parametrize("command", READERS)
def test_a_variable_that_points_nowhere_is_named(run, monkeypatch, command):
    monkeypatch.setenv("MULTISERVE_CONFIG", "no.toml")
    message = (
        'Error: MULTISERVE_CONFIG: there is no file "no.toml"\n'
        "    Correct the variable, unset it, or name a file with --config.\n"
    )
    assert run(*ARGUMENTS.get(command, (command,))) == (1, "", message)


@pytest.mark.parametrize("command", ["check", "reload", "routes", "run"])
def test_traceback_shows_where_an_error_comes_from_and_keeps_the_exit_code(run, write_config, command):
    code, out, err = run(command, "-c", str(write_config("[mounts]")), "--traceback")
    assert (code, out) == (1, "")
    assert err.startswith("Traceback (most recent call last):\n")
    assert "multiserve.errors.ConfigError: " in err
    assert err.endswith('mounts: there are no mounts\n    Write at least one, such as "/" = "module:app".\n')


@pytest.mark.usefixtures("clean_process")
def test_what_applications_print_is_not_part_of_the_answer(run, write_config):
    write_config(f'pythonpath = ["{APPS}"]\n[mounts]\n"/" = "prints"')
    code, out, err = run("check", "--format", "json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    assert err == "hello from the import\nhello from the factory\n"


@pytest.mark.usefixtures("clean_process")
def test_what_applications_write_past_python_is_not_part_of_the_answer(tmp_path, write_config):
    (tmp_path / "writes.py").write_text("import os\nos.write(1, b'noise')\ndef app(environ, start_response): ...\n")
    path = write_config('[mounts]\n"/" = "writes:app"')
    command = [sys.executable, "-m", "multiserve", "check", "-c", str(path), "--format", "json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout)["ok"]
    assert result.stderr == "noise"


LEAVES = """
import atexit, threading, time
atexit.register(lambda: print("bye"))
threading.Thread(target=lambda: time.sleep(60), name="endless").start()
def app(environ, start_response): ...
"""


@pytest.mark.parametrize("command", [("check",), ("routes", "--all")], ids=" ".join)
def test_what_applications_leave_running_is_not_waited_for_and_does_not_get_into_the_answer(write_config, command):
    path = write_config('[mounts]\n"/" = "leaves:app"')
    (path.parent / "leaves.py").write_text(LEAVES)
    whole = [sys.executable, "-m", "multiserve", *command, "--format", "json"]
    done = subprocess.run(whole, cwd=path.parent, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0
    assert json.loads(done.stdout)["mounts"][0]["mount"] == "/"


def test_check_answers_even_if_nobody_listens(write_config):
    path = write_config('[mounts]\n"/" = "plain:app"')
    (path.parent / "plain.py").write_text("def app(environ, start_response): ...")
    command = f"{sys.executable} -m multiserve check >&-"
    done = subprocess.run(command, shell=True, cwd=path.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("variables", "is_terminal", "painted"),
    [
        pytest.param({}, True, True, id="on a terminal"),
        pytest.param({}, False, False, id="in a pipe"),
        pytest.param({"NO_COLOR": "1"}, True, False, id="NO_COLOR"),
        pytest.param({"NO_COLOR": ""}, True, True, id="NO_COLOR is empty"),
        pytest.param({"FORCE_COLOR": "1"}, False, True, id="FORCE_COLOR"),
        pytest.param({"FORCE_COLOR": ""}, False, False, id="FORCE_COLOR is empty"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False, id="both"),
        pytest.param({"TERM": "dumb"}, True, False, id="a terminal without colours"),
    ],
)
def test_colours_are_for_terminals_unless_the_environment_says_otherwise(monkeypatch, variables, is_terminal, painted):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal
    monkeypatch.setattr(sys, "stdout", stream)
    output.say(f"{output.paint('FAILED', 'bad')} /admin")
    assert stream.getvalue() == ("\x1b[31m\x1b[1mFAILED\x1b[0m /admin\n" if painted else "FAILED /admin\n")


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        pytest.param(["check"], "\x1b[31m\x1b[1mFAILED\x1b[0m", id="check"),
        pytest.param(["routes"], "\x1b[2mPREFIX\x1b[0m", id="routes"),
        pytest.param(["routes", "--all"], "\x1b[31m\x1b[1mFAILED\x1b[0m", id="routes --all"),
        pytest.param(["routes", "--explain", "/x"], "\x1b[2mbecause\x1b[0m", id="routes --explain"),
    ],
)
def test_commands_paint_what_they_print(run, write_config, monkeypatch, command, shown):
    write_config('[mounts]\n"/" = "there_is_none:app"')
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert shown in run(*command)[1]
    monkeypatch.delenv("FORCE_COLOR")
    assert "\x1b" not in run(*command)[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in run(*command, "--format", "json")[1]
