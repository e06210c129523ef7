"""The click group and its commands: the only place that prints, exits or reads options."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from traceback import format_exception
from typing import Any, NoReturn

import click

from multiserve import __version__, report
from multiserve._types import Interface
from multiserve.assembly import Assembly, assemble
from multiserve.config import Config, Development, Server, find_config, load_config, select
from multiserve.errors import ConfigError, LoadError, MultiserveError, Problem, ServeError, raise_for
from multiserve.explain import explain
from multiserve.loader import format_cause
from multiserve.options import common_options, format_option, only_option, options_of, override

# Options of `run` that only one of the two servers has.
_DEVELOPMENT_ONLY = ("reload", "debugger", "threaded", "extra_files", "exclude_patterns")
_PRODUCTION_ONLY = ("bind", "workers", "threads")


@contextlib.contextmanager
def _reported_errors(*, show_traceback: bool) -> Iterator[None]:
    """Turn errors into text on stderr and an exit code."""
    try:
        yield
    except MultiserveError as error:
        if show_traceback:
            click.echo(error.details or "".join(format_exception(error)).rstrip(), err=True)
        else:
            click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", package_name="multiserve", prog_name="multiserve")
def main() -> None:
    """Compose Python web applications from a TOML file and serve them on one origin.

    \b
    A first multiserve.toml:
        [mounts]
        "/"      = "storefront:app"
        "/admin" = "backoffice:create_app()"

    \b
    multiserve check     does everything load?
    multiserve routes    which URL goes where?
    multiserve run       serve it
    """  # noqa: D301 (click's mark is a control character)


@main.command()
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
    help="With --production: threads in each worker, if all mounts are WSGI. [default: 4]",
)
@click.pass_context
def run(ctx: click.Context, /, *, config: str | None, traceback: bool, **values: Any) -> None:
    """Serve the mounts, for development or for production.

    \b
    Examples:
        multiserve run                        # development: reloader and debugger
        multiserve run --port 5000 --only /admin
        multiserve run --production           # gunicorn, for real users
        multiserve run --production --bind unix:/run/shop.sock --workers 4
    """  # noqa: D301 (click's mark is a control character)
    _refuse_misplaced_options(ctx, production=values["production"])
    with _reported_errors(show_traceback=traceback):
        path = find_config(config).absolute()
        read = partial(_read, path, values)
        if values["production"]:
            _run_production(read, values)
        else:
            _run_development(read, values)


def _refuse_misplaced_options(ctx: click.Context, *, production: bool) -> None:
    """Refuse options of the other server; environment variables may stay set for both."""
    names, reason = (
        (_DEVELOPMENT_ONLY, "is an option of the development server: leave out --production")
        if production
        else (_PRODUCTION_ONLY, "needs --production")
    )
    given = {name for name in ctx.params if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE}
    for name in names:
        if name in given:
            raise click.UsageError(f"--{name.replace('_', '-')} {reason}.", ctx)
    if "bind" in given and given & {"host", "port"}:
        raise click.UsageError("--bind says it all: leave out --host and --port.", ctx)


def _read(path: os.PathLike[str], values: dict[str, Any]) -> Config:
    """Read the file, and let the command line and the environment have the last word."""
    config = load_config(path)
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
    from multiserve.servers import development, reloading

    supervised = reloading.is_supervised()
    try:
        development.serve(read(), assemble, _announce_loaded, debugger=values["debugger"])
    except ConfigError as error:
        if supervised:  # the process above waits for the file to be mended
            error.exit_code = reloading.WRONG_CONFIGURATION
        raise


def _announce_loaded(assembly: Assembly, origin: str) -> None:
    _echo_failures(assembly)
    click.echo(report.summary(assembly, origin), err=True)


def _echo_failures(assembly: Assembly) -> None:
    for loaded in assembly.failures:
        if loaded.error:
            click.echo(f"{format_cause(loaded.error)}\n", err=True)


def _run_production(read: Callable[[], Config], values: dict[str, Any]) -> None:
    try:
        from multiserve.servers import gunicorn
    except ImportError as error:
        _refuse_gunicorn(error)
    overrides = {name: values[name] for name in _PRODUCTION_ONLY if values[name]}
    if "bind" in overrides:
        overrides["bind"] = list(overrides["bind"])
    gunicorn.serve(read, assemble, overrides, _announce_mounts)


def _announce_mounts(config: Config, origins: list[str]) -> None:
    click.echo(report.announcement(config, origins), err=True)


def _refuse_gunicorn(error: ImportError) -> NoReturn:
    hint = (
        "Use another server: waitress-serve multiserve.wsgi:application, "
        "or uvicorn multiserve.asgi:application if any mount is ASGI."
    )
    where = "gunicorn does not run on Windows" if os.name == "nt" else f"gunicorn cannot be imported: {error}"
    raise ServeError(Problem(message=where, hint=hint)) from error


@main.command()
@common_options
@only_option
@format_option
def check(*, config: str | None, traceback: bool, only: tuple[str, ...], style: str) -> None:
    """Load every mount and check every setting, without serving.

    The exit code is 0 if all is well, 1 if the file is wrong, 3 if an application cannot be loaded.

    \b
    Examples:
        multiserve check
        multiserve check --only /admin
        multiserve check --format json
    """  # noqa: D301 (click's mark is a control character)
    with _reported_errors(show_traceback=traceback):
        try:
            configuration = load_config(find_config(config), check=_problems_of_servers)
            configuration = select(configuration, only) if only else configuration
            with _stdout_is_stderr():
                assembly = assemble(configuration)
            if assembly.interface == "asgi":  # not every worker can serve it
                raise_for(_problems_of_gunicorn(configuration, "asgi"), source=str(configuration.path))
        except ConfigError as error:
            if style == "json":
                click.echo(json.dumps({"ok": False, "problems": report.problems_as_json(error.problems), "mounts": []}))
                sys.exit(error.exit_code)
            raise
        if style == "json":
            mounts = report.outcomes_as_json(assembly)
            click.echo(json.dumps({"ok": not assembly.failures, "problems": [], "mounts": mounts}, indent=2))
        else:
            click.echo(report.outcomes(assembly))
            if traceback:
                _echo_failures(assembly)
        sys.exit(LoadError.exit_code if assembly.failures else 0)


@contextlib.contextmanager
def _stdout_is_stderr() -> Iterator[None]:
    """Keep what applications write, even past Python, out of our answer."""
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def _problems_of_servers(config: Config) -> Iterator[Problem]:
    """Find what `run` would refuse, in development and in production."""
    from multiserve.servers.development import use_debugger

    try:
        use_debugger(config, asked=None)
    except ConfigError as error:
        yield from error.problems
    yield from _problems_of_gunicorn(config)


def _problems_of_gunicorn(config: Config, interface: Interface = "wsgi") -> list[Problem]:
    try:
        from multiserve.servers.gunicorn import problems_of_settings
    except ImportError:
        if config.gunicorn and interface == "wsgi":
            click.echo("Note: gunicorn cannot be imported here, so [gunicorn] is not checked.", err=True)
    else:
        return problems_of_settings(config, interface)
    return []


@main.command()
@common_options
@format_option
@click.option("--explain", "url", metavar="URL", help="Tell which mount answers this URL, and why.")
def routes(*, config: str | None, traceback: bool, style: str, url: str | None) -> None:
    """List the mounts in the order in which a request tries them; no application is imported.

    \b
    Examples:
        multiserve routes
        multiserve routes --explain /admin/users
        multiserve routes --explain https://api.example.com/v1
    """  # noqa: D301 (click's mark is a control character)
    with _reported_errors(show_traceback=traceback):
        configuration = load_config(find_config(config))
        if url is not None:
            result = explain(configuration, url)
            as_text, as_json = report.explanation(result), report.explanation_as_json(result)
        else:
            mounts = [report.mount_as_json(mount) for mount in report.ordered(configuration)]
            as_text, as_json = report.routes(configuration), {"mounts": mounts}
        click.echo(json.dumps(as_json, indent=2) if style == "json" else as_text)
