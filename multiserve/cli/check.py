"""`multiserve check`: load every mount, check every setting, and check the composition as a whole."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from multiserve.cli.options import common_options, only_option
from multiserve.cli.output import echo_failures, leave, reported_errors, stdout_is_stderr
from multiserve.config.file import find_config, load_config, select
from multiserve.errors import ConfigError, LoadError


def _explain(ctx: click.Context, _: click.Parameter, code: str | None) -> None:
    """Print the explanation of one check and exit."""
    if code is None:
        return
    from multiserve.checks import TOPICS
    from multiserve.config.tables import did_you_mean
    from multiserve.reports.check import explained

    found = TOPICS.get(code.upper())
    if found is None:
        raise click.BadParameter(f'there is no check "{code}". {did_you_mean(code.upper(), TOPICS)}'.rstrip(), ctx)
    click.echo(explained(found))
    ctx.exit()


@click.command()
@common_options
@only_option
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="For people, for machines, or for the annotations of GitHub Actions.",
)
@click.option("--production", is_flag=True, help="Check it as run --production would serve it.")
@click.option("--probe", is_flag=True, help="Request the root of each application, in process, and check the response.")
@click.option("--strict", is_flag=True, help="Exit with 1 if there are warnings, too.")
@click.option("--costs", is_flag=True, help="Show how long each mount took to load, and how much memory it took.")
@click.option(
    "--explain", metavar="CODE", is_eager=True, expose_value=False, callback=_explain, help="Explain one check."
)
def check(*, config: str | None, traceback: bool, only: tuple[str, ...], style: str, **flags: bool) -> None:
    """Load every mount, check every setting, and check the composition as a whole, without serving it.

    The exit code is 0 if all is well, 1 if the file or the composition is wrong, 3 if an application cannot be loaded.

    \b
    Examples:
        multiserve check
        multiserve check --only /admin
        multiserve check --production --strict
        multiserve check --probe
        multiserve check --explain MS102
        multiserve check --format json
    """  # noqa: D301 (click's mark is a control character)
    from multiserve.inspection import has_gunicorn, inspect, problems_of_settings
    from multiserve.reports import check as report

    with reported_errors(show_traceback=traceback):
        try:
            whole = load_config(find_config(config), check=problems_of_settings)
            selected = select(whole, only) if only else whole
            with stdout_is_stderr():
                found = inspect(selected, mounts=whole.mounts, production=flags["production"], probe=flags["probe"])
        except ConfigError as error:
            _refuse(error, style)
        if whole.gunicorn and not has_gunicorn():
            click.echo("Note: gunicorn cannot be imported here, so [gunicorn] is not checked.", err=True)
        styles = {"text": report.as_text, "json": report.as_json, "github": report.as_github}
        outcome = report.Outcome(
            found.composition, found.findings, found.effects, flags["costs"], found.probes, flags["strict"]
        )
        click.echo(styles[style](outcome))
        if traceback:
            echo_failures(found.composition)
        leave(LoadError.exit_code if found.composition.failures else ConfigError.exit_code if outcome.is_wrong else 0)


def _refuse(error: ConfigError, style: str) -> NoReturn:
    """Report what is wrong with the file in the format that was asked for, and exit."""
    from multiserve.reports import check as report

    refusals = {"json": report.refusal_as_json, "github": report.refusal_for_github}
    if style not in refusals:
        raise error
    click.echo(refusals[style](error))
    sys.exit(error.exit_code)
