"""The options of `run` and `config` for the production server alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OF_PRODUCTION: dict[str, dict[str, Any]] = {
    "bind": {
        "multiple": True,
        "metavar": "ADDRESS",
        "help": "With --production: HOST:PORT or unix:PATH to listen on; repeatable.",
    },
    "workers": {
        "type": click.IntRange(1),
        "help": "With --production: worker processes. [default: the cores, 4 at most]",
    },
    "threads": {
        "type": click.IntRange(1),
        "help": "With --production and worker_class gthread: threads in each worker. [default: 4]",
    },
    "pidfile": {
        "metavar": "FILE",
        "help": "With --production: the file for the process id, which multiserve reload reads.",
    },
}
PRODUCTION_OPTIONS = tuple(_OF_PRODUCTION)


def production_options(command: F) -> F:
    """Decorate a command with the options of the production server alone."""
    for name, attributes in reversed(_OF_PRODUCTION.items()):  # click lists the last one first
        variable = f"MULTISERVE_{name.upper()}"
        command = click.option(f"--{name}", envvar=variable, show_envvar=True, **attributes)(command)
    return command


def gunicorn_overrides(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of gunicorn that the command line, or the environment, has a value for."""
    overrides = {name: values[name] for name in PRODUCTION_OPTIONS if values[name]}
    if values.get("log_level"):
        overrides["loglevel"] = values["log_level"]
    if "bind" in overrides:
        overrides["bind"] = list(overrides["bind"])
    return overrides


def typed_options(ctx: click.Context) -> dict[str, str]:
    """Return the names of the options that were typed, each with the longest way to spell what was."""
    found = {}
    for parameter in ctx.command.params:
        name = str(parameter.name)
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            is_off = parameter.secondary_opts and ctx.params[name] is False
            found[name] = max(parameter.secondary_opts if is_off else parameter.opts, key=len)
    return found
