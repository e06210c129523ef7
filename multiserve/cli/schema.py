"""`multiserve schema`: print a JSON Schema of the configuration file."""

from __future__ import annotations

import click


@click.command(short_help="Print a JSON Schema of the configuration file.")
def schema() -> None:
    """Print a JSON Schema of the configuration file, for editors that check it while you type.

    \b
    Examples:
        multiserve schema    # save it, and name it in the first line of the file: #:schema multiserve.schema.json
    """  # noqa: D301 (click needs the control character)
    import json

    from multiserve.config.schema import make_schema

    click.echo(json.dumps(make_schema(), indent=2))
