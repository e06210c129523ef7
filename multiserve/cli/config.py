"""`multiserve config`: print the effective configuration, with where each value comes from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from multiserve.cli.options import (
    common_options,
    find_env_files,
    find_source,
    format_option,
    note_what_is_not_read,
    only_group_option,
    only_option,
    options_of,
    targets_argument,
)
from multiserve.cli.output import paint, reported_errors, say
from multiserve.cli.settings import gunicorn_overrides, production_options, typed_options
from multiserve.config.model import Config, Development, Server
from multiserve.config.tables import quote_key
from multiserve.servers.configuration import PORT, platform_port, read_config

if TYPE_CHECKING:
    from multiserve.reports.settings import Value


@click.command(short_help="Print the effective configuration.")
@common_options
@format_option
@only_option
@only_group_option
@options_of(Server)
@options_of(Development)
@production_options
@targets_argument
@click.pass_context
def config(
    ctx: click.Context, /, *, config: str | None, traceback: bool, style: str, targets: tuple[str, ...], **values: Any
) -> None:
    """Print every value of the configuration, with where it comes from; no application is imported.

    That is the file, an environment variable, the command line, or the default; the options are those of run. The
    values of environment variables are not shown, as they may be secrets; for each one there is what sets it.

    \b
    Examples:
        multiserve config
        multiserve config --port 5000
        multiserve config storefront:app /admin=backoffice:app
        multiserve config --format json
    """  # noqa: D301 (click needs the control character)
    from multiserve.reports import settings as report

    with reported_errors(show_traceback=traceback):
        source = find_source(config, targets).absolute()
        note_what_is_not_read(source, values["env_file"])
        found = read_config(source, values, find_env_files(source, values["env_file"]))
        given = _given(ctx)
        effective = report.effective_values(found, given, _gunicorn(found, gunicorn_overrides(values), given))
        if style == "json":
            say(json.dumps(report.values_as_json(found, effective), indent=2))
        else:
            say(report.values_as_text(found, effective, paint))


def _given(ctx: click.Context) -> dict[str, str]:
    """Return each option that was given, with what has given it: an option, or an environment variable."""
    variables = {
        str(parameter.name): str(parameter.envvar)
        for parameter in ctx.command.params
        if ctx.get_parameter_source(str(parameter.name)) is click.core.ParameterSource.ENVIRONMENT
    }
    platform = {"port": PORT} if ctx.params["port"] is None and platform_port() is not None else {}
    return {**typed_options(ctx), **variables, **platform}


def _gunicorn(config: Config, overrides: dict[str, Any], given: dict[str, str]) -> list[Value]:
    """Return gunicorn's settings where they are not gunicorn's own defaults; none where it cannot be imported."""
    from multiserve.inspection import has_gunicorn
    from multiserve.reports.settings import Value

    root = f"{config.root}.gunicorn" if config.root else "gunicorn"
    written = {name: config.written.get(f"{root}.{quote_key(name)}", value) for name, value in config.gunicorn.items()}
    in_file = {name: (value, str(config.source)) for name, value in written.items()}
    found = in_file
    if has_gunicorn():
        from multiserve.servers.production.settings import concurrency, configure, defaults

        known = configure(config, {})[0].settings  # an older gunicorn lacks some
        found = {name: (value, "default") for name, value in defaults(config).items() if name in known}
        if "host" in given or "port" in given or {"server.host", "server.port"} & config.written.keys():
            found["bind"] = (found["bind"][0], "server.host and server.port")
        found |= {name: (value, "WEB_CONCURRENCY") for name, value in concurrency().items()}
        found |= in_file
    if given.get("port") == PORT and "bind" in config.gunicorn:
        found["bind"] = (config.gunicorn["bind"], PORT)
    found |= {name: (value, given.get(name, "command line")) for name, value in overrides.items()}
    return [Value(f"{root}.{name}", value, origin) for name, (value, origin) in found.items()]
