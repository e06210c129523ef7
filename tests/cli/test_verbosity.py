"""-q, -v and --log-level of `run`."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from multiserve.cli.verbosity import asked_level, verbosity_options


@click.command()
@verbosity_options
@click.pass_context
def command(ctx, **_values):
    click.echo(str(asked_level(ctx)))


@pytest.mark.parametrize(
    ("args", "variable", "level"),
    [
        pytest.param([], None, "None", id="nothing"),
        pytest.param(["-q"], None, "warning", id="quiet"),
        pytest.param(["--verbose"], None, "debug", id="verbose"),
        pytest.param(["--log-level", "ERROR"], None, "error", id="a level"),
        pytest.param([], "critical", "critical", id="the variable"),
        pytest.param(["-v"], "critical", "debug", id="an option beats the variable"),
    ],
)
def test_one_of_them_sets_the_level(args, variable, level):
    environment = {"MULTISERVE_LOG_LEVEL": variable}
    assert CliRunner().invoke(command, args, env=environment).output == f"{level}\n"


@pytest.mark.parametrize(
    ("args", "names"),
    [
        pytest.param(["-q", "-v"], "--quiet and --verbose", id="quiet and verbose"),
        pytest.param(["-q", "--log-level", "info"], "--quiet and --log-level", id="quiet and a level"),
    ],
)
def test_two_of_them_are_wrong_usage(args, names):
    result = CliRunner().invoke(command, args)
    assert result.exit_code == 2
    assert result.output.endswith(f"Error: {names} exclude each other: keep one.\n")
