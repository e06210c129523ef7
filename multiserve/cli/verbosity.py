"""How much `run` prints: `-q`, `-v` and `--log-level`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

LEVELS = ("critical", "error", "warning", "info", "debug")


def verbosity_options(command: F) -> F:
    """Decorate a command with `--log-level` and its two short forms."""
    command = click.option(
        "--log-level",
        type=click.Choice(LEVELS, case_sensitive=False),
        envvar="MULTISERVE_LOG_LEVEL",
        show_envvar=True,
        help="The least severe messages to print; the line of each request is info. With --production it is gunicorn's "
        "loglevel. [default: info]",
    )(command)
    command = click.option(
        "-v", "--verbose", is_flag=True, help="As --log-level debug: also how long each mount took to load."
    )(command)
    return click.option(
        "-q",
        "--quiet",
        is_flag=True,
        help="As --log-level warning: no line for each request, no progress; addresses and failures stay.",
    )(command)


def asked_level(ctx: click.Context) -> str | None:
    """Return the level that the command line or the environment asks for; None if none does.

    Raises:
        click.UsageError: Two options ask for one.
    """
    named = {"--quiet": "warning", "--verbose": "debug"}
    given = {option: level for option, level in named.items() if ctx.params[option.removeprefix("--")]}
    source = ctx.get_parameter_source("log_level")
    if source is click.core.ParameterSource.COMMANDLINE or (ctx.params["log_level"] and not given):
        given["--log-level"] = ctx.params["log_level"]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} exclude each other: keep one.", ctx)
    return next(iter(given.values()), None)
