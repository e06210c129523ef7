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
@click.option("--page", is_flag=True, help="Print the URL of its page, with the token that lets it change something.")
def status(
    *, config: str | None, traceback: bool, env_file: tuple[str, ...], style: str, pid: str | None, page: bool
) -> None:
    """Show the processes, the groups and the mounts of the running production server, and the last failures.

    The exit code is 0 if it answers, whatever it says, and 3 if there is none.

    \b
    Examples:
        multiserve status
        multiserve status --format json
        multiserve status --page
    """  # noqa: D301 (click needs the control character)
    from multiserve.reports import status as report
    from multiserve.servers.production import pid_file

    with reported_errors(show_traceback=traceback):
        path = pid or find_pid_file(config, env_file)
        if page:
            found = pid_file.ask(path, "page")
            click.echo(json.dumps(found, indent=2) if style == "json" else _page_url(**found))
            return
        found = pid_file.ask(path, "status")
        click.echo(json.dumps(found, indent=2) if style == "json" else report.text(found, paint))


def _page_url(address: str, token: str) -> str:
    """Return the URL of the page; the fragment is sent to no server."""
    if not address.startswith("unix:"):
        return f"{address}#token={token}"
    path = address.removeprefix("unix:")
    return f"http://127.0.0.1:9000/#token={token}, once the socket is there: ssh -N -L 9000:{path} HOST"
