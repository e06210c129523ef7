"""`multiserve reload`: reload the configuration and the code in the running production server."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from multiserve.cli.options import common_options, find_env_files, format_option
from multiserve.cli.output import paint, reported_errors, say
from multiserve.config.file import CONFIG_VARIABLE, find_config, load_config
from multiserve.config.source import Source
from multiserve.errors import ConfigError, Problem

F = TypeVar("F", bound=Callable[..., Any])


def pid_option(command: F) -> F:
    """Decorate a command with the option that names the server."""
    text = "The pid file of the server. [default: pidfile under [gunicorn]]"
    return click.option("--pid", "--pidfile", metavar="FILE", help=text)(command)


@click.command(short_help="Reload the running production server.")
@common_options
@format_option
@pid_option
@click.option("--plan", is_flag=True, help="Show what a reload would change, and do not reload.")
@click.argument("group", required=False)
@click.pass_context
def reload(ctx: click.Context, /, *, traceback: bool, plan: bool, style: str, group: str | None, **server: Any) -> None:
    """Reload the configuration and the code in the running production server, and report the outcome.

    With the name of a group, only that group is reloaded.

    The exit code is 0 if it has reloaded, and 3 if it could not; then it serves as before.

    With --plan nothing is reloaded and no application is loaded: the server compares what it runs with what the file
    says now. The exit code is 0 whether or not anything would change, and 1 if the file is wrong.

    \b
    Examples:
        multiserve reload
        multiserve reload legacy              # one group
        multiserve reload --plan              # what would change
        multiserve reload --pid /run/shop.pid
    """  # noqa: D301 (click needs the control character)
    from multiserve.servers.production import pid_file

    if plan and group is not None:
        raise click.UsageError("--plan shows all that would change: leave out the group.", ctx)
    if style == "json" and not plan:
        raise click.UsageError("--format json needs --plan.", ctx)
    with reported_errors(show_traceback=traceback):
        path = server["pid"] or find_pid_file(server["config"], server["env_file"])
        if plan:
            _show_plan(pid_file.ask(path, "plan"), style)
        elif group is None:
            click.echo(pid_file.reload(path))
        else:
            click.echo(tell_group(group, "has reloaded", pid_file.ask(path, "reload", group)))


def _show_plan(answer: dict[str, Any], style: str) -> None:
    """Print what a server says that a reload would change.

    Raises:
        ConfigError: The file is wrong.
    """
    from multiserve.reports import plan as report

    if wrong := answer.get("wrong"):
        raise ConfigError(*(Problem(**each) for each in wrong["problems"]), source=wrong["source"])
    found = answer["plan"]
    say(json.dumps(found, indent=2) if style == "json" else report.text(found, paint))


def tell_group(group: str, what: str, broken: Sequence[str]) -> str:
    """Return what became of a group, as one line."""
    rest = f"; it answers 503 for {', '.join(broken)}: see its log" if broken else ""
    return f"The group {group} {what}{rest}."


def find_pid_file(config: str | None, env_file: Sequence[str]) -> Path:
    """Return the pid file that the configuration names.

    Raises:
        ConfigError: It names none, or there is no configuration.
    """
    from multiserve.servers.production import pid_file

    with _hint_at_pid():
        source = Source(find_config(config))
    return pid_file.named_in(load_config(source, env_files=find_env_files(source, env_file)))


@contextlib.contextmanager
def _hint_at_pid() -> Iterator[None]:
    """Where there is no file, the server may have been started with targets: add to the error how it is reached."""
    try:
        yield
    except ConfigError as error:
        if os.environ.get(CONFIG_VARIABLE):
            raise
        hint = 'A server without a file is reached by "multiserve reload --pid FILE", if it runs with --pidfile FILE.'
        problems = (replace(each, hint=f"{hint}\n    {each.hint}") for each in error.problems)
        raise ConfigError(*problems) from None
