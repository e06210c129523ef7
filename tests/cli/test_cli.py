"""The command as a whole: version, help and usage."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from multiserve import __version__, cli


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_told(run, option):
    assert run(option) == (0, f"multiserve, version {__version__}\n", "")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_shows_a_first_file_and_the_commands(run, option):
    code, out, err = run(option)
    assert (code, err) == (0, "")
    assert '      [mounts]\n      "/"      = "storefront:app"\n      "/admin" =' in out
    commands = [line.split()[0] for line in out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()]
    names = "check config export import init maintenance reload restart routes run schema status"
    assert commands == names.split()


def test_the_help_says_where_agents_read_on(run):
    [path] = re.findall("^ *For coding agents: (.*)$", run("--help")[1], re.MULTILINE)
    assert Path(path).read_text("utf-8").startswith("---\nname: multiserve\n")


def command_of(name):
    command = cli.main.get_command(click.Context(cli.main), name)
    assert command is not None
    return command


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_help_of_all_says_of_each_what_that_says_itself(name):
    assert command_of(name).get_short_help_str(200).startswith(cli.COMMANDS[name].rstrip("."))


@pytest.mark.parametrize("command", cli.COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_of_every_command_has_examples_that_it_understands(run, command, option):
    code, out, err = run(command, option)
    assert (code, err) == (0, "")
    examples = [line.partition("#")[0].split() for line in out.splitlines() if line.strip().startswith("multiserve ")]
    assert examples
    for name, subcommand, *args in examples:
        assert (name, subcommand) == ("multiserve", command)
        with contextlib.suppress(click.exceptions.Exit):  # of an option that answers by itself
            command_of(command).make_context(command, args).close()


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_option_is_explained(command):
    for option in (each for each in command_of(command).params if isinstance(each, click.Option)):
        assert option.help
        assert option.help[0].isupper()
        assert option.help.endswith((".", "]"))


def test_an_unknown_command_is_wrong_usage(run):
    code, out, err = run("serve")
    assert (code, out) == (2, "")
    assert "No such command 'serve'." in err


def test_no_command_shows_the_help(run):
    code, out, err = run()
    assert code in (0, 2)  # click's own opinion changed between two versions
    assert "Usage: multiserve [OPTIONS] COMMAND" in out + err


def test_the_package_runs_as_a_module_and_imports_neither_click_nor_a_server():
    command = [sys.executable, "-m", "multiserve", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.endswith(f"{__version__}\n")
    code = "import sys, multiserve; print(sorted({'click', 'gunicorn', 'werkzeug'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
