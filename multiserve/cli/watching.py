"""`multiserve check --watch`: check again, in a new process, whenever the file or a source changes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from multiserve.cli.options import find_env_files
from multiserve.cli.output import paint, say
from multiserve.config.file import load_config
from multiserve.config.model import Config, Development, Server
from multiserve.config.source import Source
from multiserve.errors import ConfigError
from multiserve.servers.development.watching import Watch

_PAUSE = 0.3  # seconds between two looks at the files


def same_command(ctx: click.Context, *, without: str) -> list[str]:
    """Return the command line of the running command in a new process, without one of its options."""
    options = [*_options(ctx, without)]
    return [sys.executable, "-P", "-m", "multiserve", ctx.info_name or "", *options, *ctx.params.get("targets", ())]


def _options(ctx: click.Context, without: str) -> Iterator[str]:
    """Yield the options of a command as they would be typed."""
    for parameter in ctx.command.params:
        value: Any = ctx.params.get(parameter.name or "")
        if parameter.name == without or not isinstance(parameter, click.Option) or not value:
            continue
        if parameter.is_flag:
            yield parameter.opts[-1]
        else:
            values = value if isinstance(value, tuple) else (value,)
            yield from (f"{parameter.opts[-1]}={each}" for each in values)


def watch(ctx: click.Context, source: Source, env_file: tuple[str, ...]) -> None:
    """Check now and after each change, until the user presses Ctrl-C."""
    command = same_command(ctx, without="watch")
    with contextlib.suppress(KeyboardInterrupt):
        changed = ""
        while True:
            files = Watch(_configuration(source, env_file))  # before the check: what is saved meanwhile has changed
            click.clear()
            reason = f"{changed} has changed." if changed else "Checking."
            say(paint(f"{time.strftime('%H:%M:%S')} {reason}", "strong"))
            sys.stdout.flush()  # before what the other process writes
            subprocess.run(command, check=False)  # noqa: S603 (this very command)
            say(paint("Waiting for a change. Ctrl-C ends.", "faint"))
            sys.stdout.flush()
            while not (changed := files.look()):
                time.sleep(_PAUSE)


def _configuration(source: Source, env_file: tuple[str, ...]) -> Config:
    """Read the file; while it is wrong, watch what is in its folder."""
    with contextlib.suppress(ConfigError):
        return load_config(source, env_files=find_env_files(source, env_file))
    whole = source.absolute()
    none = MappingProxyType[str, Any]({})
    folders: tuple[Path, ...] = (whole.folder,)
    return Config(
        source=whole, mounts=(), env=none, server=Server(), development=Development(), gunicorn=none, pythonpath=folders
    )
