"""`multiserve import`: print the multiserve.toml that does what a file of another tool does."""

from __future__ import annotations

from pathlib import Path

import click

from multiserve.cli.output import reported_errors


@click.command("import", short_help="Print the multiserve.toml for the file of another tool.")
@click.option("--traceback", is_flag=True, envvar="MULTISERVE_TRACEBACK", help="Show the traceback of an error.")
@click.argument("file", type=click.Path(path_type=Path))
def import_(*, file: Path, traceback: bool) -> None:
    """Print the multiserve.toml that does what FILE, of another tool, does.

    FILE is a Python file with DispatcherMiddleware, or with Starlette's mounts, an INI file of PasteDeploy or of uWSGI,
    a JSON file of NGINX Unit, or a Procfile. It is read, and neither imported nor executed. What could not be carried
    over is in comments at the end, with its line and the reason.

    \b
    Examples:
        multiserve import run_both.py
        multiserve import development.ini
        multiserve import Procfile
    """  # noqa: D301 (click's mark is a control character)
    from multiserve.drafts import to_toml
    from multiserve.importers.formats import read_file

    with reported_errors(show_traceback=traceback):
        click.echo(to_toml(read_file(file)), nl=False)
