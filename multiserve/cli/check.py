"""`multiserve check`: load every mount, check every setting, and check the composition as a whole."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click

from multiserve.cli.options import (
    common_options,
    find_env_files,
    find_source,
    note_what_is_not_read,
    only_option,
    targets_argument,
)
from multiserve.cli.output import echo_failures, leave, paint, reported_errors, say, stdout_is_stderr
from multiserve.cli.progress import Progress
from multiserve.config.file import find_config, load_config, select
from multiserve.config.model import ENGINES
from multiserve.config.source import Source
from multiserve.config.tables import did_you_mean
from multiserve.errors import ConfigError, LoadError
from multiserve.findings import Topic

if TYPE_CHECKING:  # imported where they are used, so that --help stays fast
    from multiserve.config.model import Config
    from multiserve.inspection import Inspection
    from multiserve.reports.check import CheckOutcome


@click.command(short_help="Load every mount, and report what is wrong.")
@common_options
@only_option
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "github", "sarif", "junit"]),
    default="text",
    help="For people, for machines, for GitHub Actions, for code scanning, or for reports of tests.",
)
@click.option("--production", is_flag=True, help="Check it as run --production would serve it.")
@click.option("--probe", is_flag=True, help="Request the root of each application, in process, and check the response.")
@click.option(
    "--alone", is_flag=True, help="With --probe, ask each application in a process of its own, too, and compare."
)
@click.option(
    "--for",
    "engine",
    type=click.Choice(ENGINES),
    help="Say what would break where an export runs the mounts, with --production.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if there are warnings, too.")
@click.option(
    "--select",
    "selected",
    metavar="CODE",
    multiple=True,
    help="Report only this code, or those that begin so, such as MS2; repeatable. In place of select in the file.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say where each code is documented.")
@click.option("--diff", is_flag=True, help="Print what --fix would change, as a diff, in place of the findings.")
@click.option("--fix", is_flag=True, help="Make the changes that cure findings by one exact edit, and check again.")
@click.option("--watch", is_flag=True, help="Check again whenever the file or a source changes, until Ctrl-C.")
@click.option("--costs", is_flag=True, help="Show how long each mount took to load, and how much memory it took.")
@click.option("--list", "lists", is_flag=True, help="List the codes of all checks, and do nothing else.")
@click.option("--explain", "code", metavar="CODE", help="Explain one check, and do nothing else.")
@targets_argument
@click.pass_context
def check(  # noqa: PLR0913 (one for each option)
    ctx: click.Context,
    /,
    *,
    config: str | None,
    traceback: bool,
    env_file: tuple[str, ...],
    only: tuple[str, ...],
    style: str,
    code: str | None,
    selected: tuple[str, ...],
    engine: str | None,
    targets: tuple[str, ...],
    **flags: bool,
) -> None:
    """Load every mount, check every setting, and check the composition as a whole, without serving it.

    With targets it checks what "multiserve run" with the same targets would serve.

    The exit code is 0 if all is well, 1 if the file or the composition is wrong, 3 if an application cannot be loaded.

    \b
    Examples:
        multiserve check
        multiserve check --only /admin
        multiserve check storefront:app /admin=backoffice:app
        multiserve check --production --strict
        multiserve check --probe
        multiserve check --probe --alone
        multiserve check --select MS2 --probe
        multiserve check --for kubernetes
        multiserve check --diff
        multiserve check --watch
        multiserve check --explain MS102
        multiserve check --list
        multiserve check --format json
    """  # noqa: D301 (click needs the control character)
    from multiserve.cli import mending, watching
    from multiserve.inspection import has_gunicorn, problems_of_settings
    from multiserve.reports import check as report
    from multiserve.reports import handbook

    with reported_errors(show_traceback=traceback):
        if flags["lists"]:
            click.echo(_listed(config, env_file))
            return
        if code is not None:
            click.echo(handbook.explained(_find_topic(ctx, code, config, env_file)))
            return
        if flags["watch"]:
            watching.watch(ctx, find_source(config, targets), env_file)
            return
        beginning = mending.Beginning()
        try:
            source = find_source(config, targets)
            if flags["diff"] or flags["fix"]:
                mending.refuse_targets(source)
            note_what_is_not_read(source, env_file)
            whole = load_config(source, check=problems_of_settings, env_files=find_env_files(source, env_file))
            codes = tuple(each.upper() for each in selected)
            whole = replace(whole, select=codes or whole.select, engine=engine or "")
            found = _inspect(whole, only, flags)
        except ConfigError as error:
            _refuse(error, style)
        if whole.gunicorn and not has_gunicorn():
            click.echo("Note: gunicorn cannot be imported here, so [gunicorn] is not checked.", err=True)
        outcome = report.CheckOutcome(
            found.composition,
            found.findings,
            found.effects,
            flags["costs"],
            found.probes,
            flags["strict"],
            flags["verbose"],
        )
        if flags["fix"] and mending.fix(found.findings, whole.source.path, beginning):
            leave(mending.check_again(ctx, beginning))
        if flags["diff"]:
            mending.show_diff(found.findings, whole.source.path, beginning)
        else:
            say(_in_style(outcome, style))
        if traceback:
            echo_failures(found.composition)
        leave(LoadError.exit_code if found.composition.failures else ConfigError.exit_code if outcome.is_wrong else 0)


def _inspect(whole: Config, only: Sequence[str], flags: Mapping[str, bool]) -> Inspection:
    """Load and check the mounts, by default all, while what they print goes to the standard error."""
    from multiserve.inspection import inspect

    selected = select(whole, only) if only else whole
    with stdout_is_stderr():
        looked_at = {name: flags[name] for name in ("production", "probe", "alone")}
        looked_at["production"] |= bool(whole.engine)
        return inspect(selected, mounts=whole.mounts, progress=Progress(), **looked_at)


def _in_style(outcome: CheckOutcome, style: str) -> str:
    from multiserve.checks import TOPICS
    from multiserve.reports import check as report
    from multiserve.reports import github, junit, sarif

    styles: dict[str, Callable[[CheckOutcome], str]] = {
        "text": partial(report.as_text, paint=paint),
        "json": report.as_json,
        "github": github.as_github,
        "sarif": partial(sarif.as_sarif, topics=TOPICS),
        "junit": junit.as_junit,
    }
    return styles[style](outcome)


def _find_topic(ctx: click.Context, code: str, config: str | None, env_file: Sequence[str]) -> Topic:
    """Return what is known about a code; only for one that is not built in are the plugins of the file imported."""
    from multiserve.checks import TOPICS

    wanted = code.upper()
    topics = dict(TOPICS)
    if wanted not in topics and not wanted.startswith("MS"):
        topics |= _checks_of_plugins(_read(config, env_file))
    if wanted not in topics:
        hint = did_you_mean(wanted, topics)
        raise click.BadParameter(f'there is no check "{code}". {hint}'.rstrip(), ctx, param_hint="'--explain'")
    return topics[wanted]


def _listed(config: str | None, env_file: Sequence[str]) -> str:
    """Return the codes of all checks, with the severities of the file if there is one, and it is right."""
    from multiserve.checks import TOPICS
    from multiserve.reports.handbook import listed

    topics, severity = dict(TOPICS), {}
    with contextlib.suppress(ConfigError):
        read = _read(config, env_file)
        topics |= _checks_of_plugins(read)
        severity = dict(read.severity) if read else {}
    return listed(topics.values(), severity)


def _read(config: str | None, env_file: Sequence[str]) -> Config | None:
    """Read the file; None if there is none, for the checks that are built in are explained anywhere."""
    try:
        source = Source(find_config(config))
    except ConfigError:
        return None
    return load_config(source, env_files=find_env_files(source, env_file))


def _checks_of_plugins(config: Config | None) -> Mapping[str, Topic]:
    from multiserve.plugins.loading import load_plugins

    if config is None:
        return {}
    with stdout_is_stderr():
        return load_plugins(config).checks


def _refuse(error: ConfigError, style: str) -> NoReturn:
    """Report what is wrong with the file in the format that was asked for, and exit."""
    from multiserve.reports import check as report
    from multiserve.reports import github, junit, sarif

    refusals = {
        "json": report.refusal_as_json,
        "github": github.refusal_for_github,
        "sarif": sarif.refusal_as_sarif,
        "junit": junit.refusal_as_junit,
    }
    if style not in refusals:
        raise error
    click.echo(refusals[style](error))
    sys.exit(error.exit_code)
