"""`multiserve run`: serve the mounts, for development or for production."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from multiserve.cli.messages import Messages, messages_for
from multiserve.cli.options import (
    common_options,
    find_env_files,
    find_source,
    hint_at_applications,
    note_what_is_not_read,
    only_group_option,
    only_option,
    options_of,
    targets_argument,
)
from multiserve.cli.output import paint, reported_errors
from multiserve.cli.settings import (
    PRODUCTION_OPTIONS,
    gunicorn_overrides,
    production_options,
    typed_options,
)
from multiserve.cli.verbosity import asked_level, verbosity_options
from multiserve.config.env_files import named_env_files
from multiserve.config.model import Config, Development, Server
from multiserve.config.mounts import Mount
from multiserve.errors import Problem, ServeError
from multiserve.servers.configuration import number_of
from multiserve.servers.groups.reading import Reading

if TYPE_CHECKING:
    from multiserve.servers.development.server import Started  # imported where used, so that --help stays fast

# Options of `run` that only one of the two servers has.
_DEVELOPMENT_ONLY = ("open", *(field.name for field in fields(Development)))


@click.command()
@common_options
@only_option
@only_group_option
@click.option(
    "--production", is_flag=True, envvar="MULTISERVE_PRODUCTION", show_envvar=True, help="Serve with gunicorn."
)
@click.option("--open", is_flag=True, help="Open the first page in the browser when the server is ready.")
@verbosity_options
@options_of(Server)
@options_of(Development)
@production_options
@click.option("--save", is_flag=True, help="Write a multiserve.toml for the targets and options, and serve nothing.")
@targets_argument
@click.pass_context
def run(
    ctx: click.Context, /, *, config: str | None, traceback: bool, save: bool, targets: tuple[str, ...], **values: Any
) -> None:
    """Serve the mounts, for development or for production.

    The mounts are those of the file, or targets, written as in the file: KEY=TARGET, or TARGET alone for "/". A folder
    is served as static files, or as a fleet of applications if it has Python files, a file as it is.
    http://localhost:5173, or unix:run/app.sock, is a server that requests are handed on to; to any other URL they are
    redirected. Anything else is written as a table, in single quotes: '/docs={ static = "site", fallback =
    "index.html" }'. Paths and modules start from the current folder.

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
    values["log_level"] = asked_level(ctx)
    with reported_errors(show_traceback=traceback):
        with hint_at_applications(config):
            source = find_source(config, targets).absolute()
        if save:
            from multiserve.cli.save import save_targets

            saved = save_targets(source, values, typed_options(ctx))
            click.echo(saved.said)
            if saved.left_out:
                click.echo(saved.left_out, err=True)
            return
        if not os.environ.get("WERKZEUG_RUN_MAIN"):  # the reloader's first process has printed it
            note_what_is_not_read(source, values["env_file"])

        named = named_env_files(values["env_file"])  # now: applications may change the working directory

        def find() -> Sequence[Path]:
            return named or find_env_files(source, ())

        reading = Reading(source=source, values=values, find_env_files=find)
        if values["production"]:
            _run_production(reading, values)
        else:
            _run_development(reading, values)


def _refuse_misplaced_options(ctx: click.Context, *, production: bool) -> None:
    """Refuse options of the other server; environment variables may be set for both."""
    names, reason = (
        (_DEVELOPMENT_ONLY, "is an option of the development server: leave out --production")
        if production
        else (PRODUCTION_OPTIONS, "needs --production")
    )
    given = typed_options(ctx).keys()
    if production and "https" in given:
        message = "--https is for development: for --production, set certfile and keyfile under [gunicorn]."
        raise click.UsageError(message, ctx)
    if not production and "only_group" in given:
        raise click.UsageError("--only-group needs --production.", ctx)
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


def _run_development(reading: Reading, values: dict[str, Any]) -> None:
    from multiserve.servers.development import server

    level = number_of(values["log_level"])
    messages = messages_for(reading, level)
    terminal = server.Terminal(
        announce=partial(_announce_started, messages, opens=values["open"]),
        tell=messages.say,
        progress=messages.progress,
        log_access=messages.log_access if level <= logging.INFO else None,
        level=level,
    )
    server.serve(reading, terminal, debugger=values["debugger"])


def _announce_started(messages: Messages, started: Started, *, opens: bool) -> None:
    """Print the mounts and their failures; at the first start also who can reach them, the PIN, and how to stop.

    How to trust the certificate is printed when HTTPS is new.
    """
    from multiserve.reports import text as report
    from multiserve.servers.addresses import origin
    from multiserve.tracebacks import format_cause

    for loaded in started.composition.failures:
        if loaded.error:
            messages.fail(format_cause(loaded.error))
    here = origin(*started.address, started.scheme)
    messages.say(report.summary(started.composition, here, paint))
    if len(started.composition.unserved) == len(started.composition.mounts):  # no mount has a URL above
        messages.say(f"Listening at {paint(f'{here}/', 'link')}")
    if not started.is_restart:
        _announce_access(messages, started)
    if started.certificate and started.is_https_new:
        messages.say(started.certificate.advice)
    if started.is_restart:
        return
    messages.say("Press CTRL+C to quit")
    if opens:
        from multiserve.cli.browser import open_browser

        open_browser(started.composition, here)


def _announce_access(messages: Messages, started: Started) -> None:
    from multiserve.servers.addresses import origins_for_others

    if others := origins_for_others(*started.address, started.scheme):
        messages.say(f"Others reach it at {', '.join(paint(f'{each}/', 'link') for each in others)}")
    if started.debugger:
        pin = started.debugger.pin
        protection = paint(pin, "strong") if pin else paint("off: anyone who reaches this server can run code", "bad")
        messages.say(f"Debugger PIN: {protection}")


def _run_production(reading: Reading, values: dict[str, Any]) -> None:
    try:
        from multiserve.servers.production import release

        release.check_release()
        from multiserve.servers.production import server
    except ImportError as error:
        _refuse_gunicorn(error)
    overrides = gunicorn_overrides(values)
    messages = messages_for(reading, number_of(values["log_level"]))
    server.serve(reading, overrides, partial(_announce_mounts, messages), messages.progress)


def _announce_mounts(messages: Messages, config: Config, origins: list[str], failed: list[Mount]) -> None:
    from multiserve.reports import text as report

    messages.say(report.announcement(config, origins, failed, paint))


def _refuse_gunicorn(error: ImportError) -> NoReturn:
    hint = (
        "Use another server: waitress-serve multiserve.wsgi:application if all mounts are WSGI, "
        "or uvicorn multiserve.asgi:application, which serves mounts of both kinds."
    )
    where = "gunicorn does not run on Windows" if os.name == "nt" else f"gunicorn cannot be imported: {error}"
    raise ServeError(Problem(message=where, hint=hint)) from error
