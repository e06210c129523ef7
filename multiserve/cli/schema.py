"""`multiserve schema`: print a JSON Schema of the file."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print a JSON Schema of the file, for editors that check while one types.

    \b
    Examples:
        multiserve schema    # save it, and name it in the first line of the file: #:schema multiserve.schema.json
    """  # noqa: D301 (click's mark is a control character)
    import json

    from multiserve.config.schema import make_schema

    click.echo(json.dumps(make_schema(), indent=2))
