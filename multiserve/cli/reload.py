"""`multiserve reload`: let the production server take the file and the code as they are now."""

from __future__ import annotations

import click

from multiserve.cli.options import common_options
from multiserve.cli.output import reported_errors
from multiserve.config.file import find_config, load_config


@click.command()
@common_options
@click.option("--pid", metavar="FILE", help="The pid file of the server. [default: pidfile under [gunicorn]]")
def reload(*, config: str | None, traceback: bool, pid: str | None) -> None:
    """Let the production server take the file and the code as they are now, and tell what became of it.

    \b
    Examples:
        multiserve reload
        multiserve reload --pid /run/shop.pid
    """  # noqa: D301 (click's mark is a control character)
    from multiserve.servers.production import pid_file

    with reported_errors(show_traceback=traceback):
        click.echo(pid_file.reload(pid or pid_file.named_in(load_config(find_config(config)))))
