"""`multiserve check`: load every mount, check every setting, and look at the composition as a whole."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from multiserve._types import Interface
from multiserve.cli.options import common_options, only_option
from multiserve.cli.output import echo_failures, leave, reported_errors, stdout_is_stderr
from multiserve.config.file import Config, find_config, load_config, select
from multiserve.errors import ConfigError, LoadError, Problem, raise_for

if TYPE_CHECKING:
    from multiserve.composition import Composition
    from multiserve.frameworks import Inspector
    from multiserve.probing import ProbeResult  # whoever does not ask for it need not wait for it


def _explain(ctx: click.Context, _: click.Parameter, code: str | None) -> None:
    """Tell more about one check, and do nothing else."""
    if code is None:
        return
    from multiserve.checks import TOPICS
    from multiserve.config.tables import did_you_mean
    from multiserve.reports.handbook import explained

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
@click.option("--production", is_flag=True, help="Look at it as run --production would serve it.")
@click.option("--probe", is_flag=True, help="Ask each application for its root, in process, and look at the answer.")
@click.option("--strict", is_flag=True, help="Let warnings fail, too.")
@click.option("--costs", is_flag=True, help="Show how long each mount took to load, and how much memory it took.")
@click.option(
    "--explain", metavar="CODE", is_eager=True, expose_value=False, callback=_explain, help="Tell more about a check."
)
def check(*, config: str | None, traceback: bool, only: tuple[str, ...], style: str, **look: bool) -> None:
    """Load every mount, check every setting, and look at the composition as a whole, without serving.

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
    from multiserve.checks import find_all, look_at, settle
    from multiserve.composition import compose
    from multiserve.frameworks import Inspector
    from multiserve.loading.side_effects import Recorder
    from multiserve.reports import check as report
    from multiserve.reports import github

    with reported_errors(show_traceback=traceback):
        recorder, inspector = Recorder(), Inspector()
        try:
            whole = load_config(find_config(config), check=_problems_of_servers)
            configuration = select(whole, only) if only else whole
            with stdout_is_stderr():
                composition = compose(configuration, observe=recorder.watch)
                settings = _gunicorn_settings(configuration, composition.interface)
                subject = look_at(
                    composition,
                    recorder.effects,
                    observe=recorder.watch,
                    mounts=whole.mounts,
                    gunicorn=settings,
                    is_production=look["production"],
                    inspector=inspector,
                )
                findings = find_all(subject)
                probes = _probe(composition, inspector) if look["probe"] else None
                findings += [finding for result in probes or () for finding in result.findings]
            if composition.interface == "asgi":  # not every worker can serve it
                raise_for(_problems_of_gunicorn(configuration, "asgi"), source=str(configuration.path))
        except ConfigError as error:
            refusals = {"json": report.refusal_as_json, "github": github.refusal_for_github}
            if style not in refusals:
                raise
            click.echo(refusals[style](error))
            sys.exit(error.exit_code)
        styles = {"text": report.as_text, "json": report.as_json, "github": github.as_github}
        outcome = report.CheckOutcome(
            composition, settle(findings, configuration), recorder.effects, look["costs"], probes, look["strict"]
        )
        click.echo(styles[style](outcome))
        if traceback:
            echo_failures(composition)
        leave(LoadError.exit_code if composition.failures else ConfigError.exit_code if outcome.is_wrong else 0)


def _probe(composition: Composition, inspector: Inspector) -> Sequence[ProbeResult]:
    from multiserve.probing import probe

    return probe(composition, f"http://localhost:{composition.config.server.port or 8000}", inspector)


def _problems_of_servers(config: Config) -> Iterator[Problem]:
    """Find what `run` would refuse, in development and in production."""
    from multiserve.servers.development.server import use_debugger

    try:
        use_debugger(config, asked=None)
    except ConfigError as error:
        yield from error.problems
    yield from _problems_of_gunicorn(config)


def _problems_of_gunicorn(config: Config, interface: Interface = "wsgi") -> list[Problem]:
    try:
        from multiserve.servers.production.application import problems_of_settings
    except ImportError:
        if config.gunicorn and interface == "wsgi":
            click.echo("Note: gunicorn cannot be imported here, so [gunicorn] is not checked.", err=True)
    else:
        return problems_of_settings(config, interface)
    return []


def _gunicorn_settings(config: Config, interface: Interface) -> Mapping[str, Any]:
    """Give gunicorn's settings as production would have them; none where gunicorn is not there."""
    try:
        from multiserve.servers.production.settings import configure
    except ImportError:
        return {}
    settings, _ = configure(config, {}, interface)
    return {name: setting.get() for name, setting in settings.settings.items()}
