"""What the options of `run` and `config` say: those of the production server, and how they override the file."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from multiserve.cli.options import override
from multiserve.cli.verbosity import number_of
from multiserve.config.file import load_config, select
from multiserve.config.model import Config
from multiserve.config.source import Source
from multiserve.errors import ConfigError, Problem
from multiserve.hosts import HIGHEST_PORT
from multiserve.servers.environment import refuse_script_name

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


def read_config(source: Source, values: Mapping[str, Any], env_files: Sequence[Path]) -> Config:
    """Read the configuration; options of the command line and environment variables override it."""
    config = load_config(source, env_files=env_files)
    refuse_script_name(config)
    values = {**values, "extra_files": tuple(map(os.path.abspath, values["extra_files"]))}
    if values["only"]:
        config = select(config, values["only"])
    gunicorn = dict(config.gunicorn)
    if values["host"] is not None or values["port"] is not None:
        gunicorn.pop("bind", None)
    if values["port"] is None and (port := platform_port()) is not None:
        values["port"] = port
        if "bind" in gunicorn:
            gunicorn["bind"] = _with_port(gunicorn["bind"], port)
    if number_of(values.get("log_level")) > logging.INFO and gunicorn.get("accesslog") == "-":
        del gunicorn["accesslog"]
    return replace(
        config,
        server=override(config.server, values),
        development=override(config.development, values),
        gunicorn=gunicorn,
    )


PORT = "PORT"


def platform_port() -> int | None:
    """Return the port that a platform for containers wants, as they say it in an environment variable; None without.

    Raises:
        ConfigError: It is not a port.
    """
    text = os.environ.get(PORT, "")
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= len(str(HIGHEST_PORT)) and int(text) <= HIGHEST_PORT:
        return int(text)
    hint = f"Write a number from 0 to {HIGHEST_PORT}, or set MULTISERVE_PORT, which counts first."
    raise ConfigError(Problem(key=PORT, message=f"the environment variable is not a port: {text[:40]!r}", hint=hint))


def _with_port(addresses: Any, port: int) -> Any:
    """Replace the port of each address that has one, and keep each once; whatever is no text is left to be refused."""
    if isinstance(addresses, list | tuple):
        replaced = [_with_port(each, port) for each in addresses]
        return [each for index, each in enumerate(replaced) if each not in replaced[:index]]  # some are not hashable
    if not isinstance(addresses, str) or addresses.startswith(("unix:", "fd://")):
        return addresses
    host, colon, last = addresses.rpartition(":")
    return f"{host if colon and last.isdigit() else addresses}:{port}"


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
