"""`multiserve restart`: start the process of a group anew in the running production server."""

from __future__ import annotations

import click

from multiserve.cli.options import common_options
from multiserve.cli.output import reported_errors
from multiserve.cli.reload import find_pid_file, pid_option, tell_group


@click.command(short_help="Start the process of a group anew.")
@common_options
@pid_option
@click.argument("group")
def restart(*, config: str | None, traceback: bool, env_file: tuple[str, ...], pid: str | None, group: str) -> None:
    """Start a new process of a group, which takes the place of the one that serves once it can serve as much.

    No request is lost. The exit code is 0 if the new process serves, and 3 if it could not; then the group serves as
    before.

    \b
    Examples:
        multiserve restart legacy
    """  # noqa: D301 (click needs the control character)
    from multiserve.servers.production import pid_file

    with reported_errors(show_traceback=traceback):
        broken = pid_file.ask(pid or find_pid_file(config, env_file), "restart", group)
        click.echo(tell_group(group, "runs in a new process", broken))
