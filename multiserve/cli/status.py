"""`multiserve status`: what the running production server says of itself."""

from __future__ import annotations

import json

import click

from multiserve.cli.options import common_options, format_option
from multiserve.cli.output import paint, reported_errors
from multiserve.cli.reload import find_pid_file, pid_option


@click.command(short_help="Show the processes and mounts of the running production server.")
@common_options
@format_option
@pid_option
def status(*, config: str | None, traceback: bool, env_file: tuple[str, ...], style: str, pid: str | None) -> None:
    """Show the processes, the groups and the mounts of the running production server, and the last failures.

    The exit code is 0 if it answers, whatever it says, and 3 if there is none.

    \b
    Examples:
        multiserve status
        multiserve status --format json
    """  # noqa: D301 (click needs the control character)
    from multiserve.reports import status as report
    from multiserve.servers.production import pid_file

    with reported_errors(show_traceback=traceback):
        found = pid_file.ask(pid or find_pid_file(config, env_file), "status")
        click.echo(json.dumps(found, indent=2) if style == "json" else report.text(found, paint))
