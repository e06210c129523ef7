"""The command line: the only place that prints, exits or reads options."""

from __future__ import annotations

from pathlib import Path

import click

from multiserve import __version__
from multiserve.cli.check import check
from multiserve.cli.config import config
from multiserve.cli.import_ import import_
from multiserve.cli.init import init
from multiserve.cli.reload import reload
from multiserve.cli.routes import routes
from multiserve.cli.run import run
from multiserve.cli.schema import schema

_SKILL = Path(__file__).parent.parent / "SKILL.md"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"\b\nFor coding agents: {_SKILL}",
)
@click.version_option(__version__, "-V", "--version", package_name="multiserve", prog_name="multiserve")
def main() -> None:
    """Compose Python web applications from a TOML file and serve them on one origin.

    \b
    A first multiserve.toml:
        [mounts]
        "/"      = "storefront:app"
        "/admin" = "backoffice:create_app()"

    \b
    The same without a file:
        multiserve run storefront:app '/admin=backoffice:create_app()'

    \b
    multiserve init      write a multiserve.toml for what is in this folder
    multiserve import    print the multiserve.toml for the file of another tool
    multiserve check     does everything load, and is anything wrong?
    multiserve routes    which mount answers which URL?
    multiserve run       serve the mounts
    multiserve config    which value does every option have, and where does it come from?
    multiserve reload    reload the production server
    """  # noqa: D301 (click needs the control character)


for command in (run, check, routes, config, reload, schema, init, import_):
    main.add_command(command)
