"""The configuration as a server reads it: the file, with what the command line and the environment say over it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from multiserve.config.file import load_config, select
from multiserve.config.manage_address import read_manage_address
from multiserve.config.model import Config
from multiserve.config.processes import for_group_alone
from multiserve.config.source import Source
from multiserve.errors import ConfigError, Problem
from multiserve.hosts import HIGHEST_PORT
from multiserve.servers.environment import refuse_script_name

T = TypeVar("T")

PORT = "PORT"


def read_config(source: Source, values: Mapping[str, Any], env_files: Sequence[Path]) -> Config:
    """Read the configuration; options of the command line and environment variables override it."""
    config = load_config(source, env_files=env_files)
    refuse_script_name(config)
    values = {**values, "extra_files": tuple(map(os.path.abspath, values["extra_files"]))}
    if values.get("manage"):
        values["manage"] = _manage_address(values["manage"])
    if values.get("only_group"):
        config = for_group_alone(config, values["only_group"])
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


def _manage_address(text: str) -> str:
    """Return the address of the management listener of the command line; a path is relative to the current folder.

    Raises:
        ConfigError: It is not one.
    """
    try:
        return read_manage_address(text, Path.cwd())
    except ValueError as error:
        hint = "Write --manage 127.0.0.1:9000, or --manage unix:run/manage.sock."
        raise ConfigError(Problem(key="--manage", message=str(error), hint=hint)) from None


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


def override(settings: T, values: Mapping[str, Any]) -> T:
    """Replace the fields of a dataclass for which the command line, or the environment, has a value."""
    names = {field.name for field in fields(settings)}  # type: ignore[arg-type]
    given = {name: value for name, value in values.items() if name in names and value not in (None, ())}
    return replace(settings, **given)  # type: ignore[type-var]


def number_of(level: str | None) -> int:
    """Return a level as the module logging has it; info by default."""
    return logging.getLevelNamesMapping()[(level or "info").upper()]
