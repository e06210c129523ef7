"""`multiserve run`: serve the mounts, for development or for production."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import click

from multiserve.cli.options import (
    common_options,
    find_source,
    hint_at_applications,
    note_left_aside,
    only_option,
    options_of,
    override,
    targets_argument,
)
from multiserve.cli.output import echo_failures, reported_errors
from multiserve.config.file import load_config, select
from multiserve.config.model import Config, Development, Server
from multiserve.config.mounts import Mount
from multiserve.config.source import Source
from multiserve.errors import Problem, ServeError
from multiserve.servers.environment import refuse_script_name

if TYPE_CHECKING:
    from multiserve.composition import Composition  # imported where it is used, so that --help stays fast

# Options of `run` that only one of the two servers has.
_DEVELOPMENT_ONLY = ("reload", "debugger", "threaded", "extra_files", "exclude_patterns")
_PRODUCTION_ONLY = ("bind", "workers", "threads", "pidfile")


@click.command()
@common_options
@only_option
@click.option(
    "--production", is_flag=True, envvar="MULTISERVE_PRODUCTION", show_envvar=True, help="Serve with gunicorn."
)
@options_of(Server)
@options_of(Development)
@click.option(
    "--bind",
    multiple=True,
    metavar="ADDRESS",
    envvar="MULTISERVE_BIND",
    show_envvar=True,
    help="With --production: HOST:PORT or unix:PATH to listen on; repeatable.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    envvar="MULTISERVE_WORKERS",
    show_envvar=True,
    help="With --production: worker processes. [default: the cores, 4 at most]",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    envvar="MULTISERVE_THREADS",
    show_envvar=True,
    help="With --production and worker_class gthread: threads in each worker. [default: 4]",
)
@click.option(
    "--pidfile",
    metavar="FILE",
    envvar="MULTISERVE_PIDFILE",
    show_envvar=True,
    help="With --production: the file for the process id, which multiserve reload reads.",
)
@click.option("--save", is_flag=True, help="Write a multiserve.toml for the targets and options, and serve nothing.")
@targets_argument
@click.pass_context
def run(
    ctx: click.Context, /, *, config: str | None, traceback: bool, save: bool, targets: tuple[str, ...], **values: Any
) -> None:
    """Serve the mounts, for development or for production.

    The mounts are those of the file, or targets, written as in the file: KEY=TARGET, or TARGET alone for "/". A folder
    is served as static files, or as a fleet of applications if it has Python files, a file as it is, a URL is
    redirected to, and anything else is written as a table, in single quotes:
    '/docs={ static = "site", fallback = "index.html" }'. Paths and modules start from the current folder.

    \b
    Examples:
        multiserve run                        # development: reloader and debugger
        multiserve run storefront:app /admin=backoffice:app /static=./static
        multiserve run storefront:app /admin=backoffice:app --save
        multiserve run reports/               # every application in a folder
        multiserve run --port 5000 --only /admin
        multiserve run --production           # gunicorn, for real users
        multiserve run --production --bind unix:/run/shop.sock --workers 4
    """  # noqa: D301 (click needs the control character)
    _refuse_misplaced_options(ctx, production=values["production"])
    if save:
        _refuse_save(ctx, targets, values)
    with reported_errors(show_traceback=traceback):
        with hint_at_applications(config):
            source = find_source(config, targets).absolute()
        if save:
            from multiserve.cli.save import save_targets

            given = {name: value for name, value in values.items() if _is_typed(ctx, name)}
            click.echo(save_targets(source, given, _PRODUCTION_ONLY))
            return
        if not os.environ.get("WERKZEUG_RUN_MAIN"):  # the process that the reloader starts need not say it again
            note_left_aside(source)
        read = partial(_read, source, values)
        if values["production"]:
            _run_production(read, values)
        else:
            _run_development(read, values)


def _refuse_misplaced_options(ctx: click.Context, *, production: bool) -> None:
    """Refuse options of the other server; environment variables may be set for both."""
    names, reason = (
        (_DEVELOPMENT_ONLY, "is an option of the development server: leave out --production")
        if production
        else (_PRODUCTION_ONLY, "needs --production")
    )
    given = {name for name in ctx.params if _is_typed(ctx, name)}
    for name in names:
        if name in given:
            raise click.UsageError(f"--{name.replace('_', '-')} {reason}.", ctx)
    if "bind" in given and given & {"host", "port"}:
        raise click.UsageError("--bind replaces --host and --port: leave them out.", ctx)


def _refuse_save(ctx: click.Context, targets: tuple[str, ...], values: dict[str, Any]) -> None:
    if not targets:
        raise click.UsageError("--save writes targets into a file: name one, such as module:app.", ctx)
    if values["only"]:
        raise click.UsageError("--save writes all mounts: leave out --only.", ctx)


def _is_typed(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _read(source: Source, values: dict[str, Any]) -> Config:
    """Read the configuration; options of the command line and environment variables override it."""
    config = load_config(source)
    refuse_script_name(config)
    values = {**values, "extra_files": tuple(map(os.path.abspath, values["extra_files"]))}
    if values["only"]:
        config = select(config, values["only"])
    gunicorn = dict(config.gunicorn)
    if values["host"] is not None or values["port"] is not None:
        gunicorn.pop("bind", None)
    return replace(
        config,
        server=override(config.server, values),
        development=override(config.development, values),
        gunicorn=gunicorn,
    )


def _run_development(read: Callable[[], Config], values: dict[str, Any]) -> None:
    from multiserve.servers.development import server

    tell = partial(click.echo, err=True)
    server.serve(read, _announce_loaded, tell, debugger=values["debugger"])


def _announce_loaded(composition: Composition, origin: str) -> None:
    from multiserve.reports import text as report

    echo_failures(composition)
    click.echo(report.summary(composition, origin), err=True)


def _run_production(read: Callable[[], Config], values: dict[str, Any]) -> None:
    try:
        from multiserve.servers.production import release

        release.check_release()
        from multiserve.servers.production import server
    except ImportError as error:
        _refuse_gunicorn(error)
    overrides = {name: values[name] for name in _PRODUCTION_ONLY if values[name]}
    if "bind" in overrides:
        overrides["bind"] = list(overrides["bind"])
    server.serve(read, overrides, _announce_mounts)


def _announce_mounts(config: Config, origins: list[str], failed: list[Mount]) -> None:
    from multiserve.reports import text as report

    click.echo(report.announcement(config, origins, failed), err=True)


def _refuse_gunicorn(error: ImportError) -> NoReturn:
    hint = (
        "Use another server: waitress-serve multiserve.wsgi:application if all mounts are WSGI, "
        "or uvicorn multiserve.asgi:application, which serves mounts of both kinds."
    )
    where = "gunicorn does not run on Windows" if os.name == "nt" else f"gunicorn cannot be imported: {error}"
    raise ServeError(Problem(message=where, hint=hint)) from error
