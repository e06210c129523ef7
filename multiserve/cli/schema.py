"""`multiserve schema`: print a JSON Schema of the configuration file, or of what a command prints as JSON."""

from __future__ import annotations

import click

# Those of `multiserve.reports.schemas`.
_OUTPUTS = ("check", "routes", "routes-all", "explain", "status", "plan", "config")


@click.command(short_help="Print a JSON Schema of the file, or of a command's JSON.")
@click.argument("what", type=click.Choice(["file", *_OUTPUTS]), default="file")
def schema(*, what: str) -> None:
    """Print a JSON Schema of the configuration file, for editors that check it while you type.

    Another word than file prints the schema of what a command prints with --format json: check, routes, routes-all
    (with --all), explain (routes --explain URL), config, status, plan (reload --plan).

    \b
    Examples:
        multiserve schema    # save it, and name it in the first line of the file: #:schema multiserve.schema.json
        multiserve schema check
    """  # noqa: D301 (click needs the control character)
    import json

    if what == "file":
        from multiserve.config.schema import make_schema

        found = make_schema()
    else:
        from multiserve.reports.schemas import output_schema

        found = output_schema(what)
    click.echo(json.dumps(found, indent=2))
