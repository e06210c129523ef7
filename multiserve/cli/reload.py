"""`multiserve reload`: reload the configuration and the code in the running production server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from multiserve.cli.options import common_options, find_env_files
from multiserve.cli.output import reported_errors
from multiserve.config.file import find_config, load_config


@click.command(short_help="Reload the running production server.")
@common_options
@click.option("--pid", metavar="FILE", help="The pid file of the server. [default: pidfile under [gunicorn]]")
def reload(*, config: str | None, traceback: bool, env_file: tuple[str, ...], pid: str | None) -> None:
    """Reload the configuration and the code in the running production server, and report the outcome.

    The exit code is 0 if it has reloaded, and 3 if it could not; then it serves as before.

    \b
    Examples:
        multiserve reload
        multiserve reload --pid /run/shop.pid
    """  # noqa: D301 (click needs the control character)
    from multiserve.servers.production import pid_file

    with reported_errors(show_traceback=traceback):
        click.echo(pid_file.reload(pid or _named_in_file(config, env_file)))


def _named_in_file(config: str | None, env_file: Sequence[str]) -> Path:
    from multiserve.servers.production import pid_file

    path = find_config(config)
    return pid_file.named_in(load_config(path, env_files=find_env_files(path, env_file)))
