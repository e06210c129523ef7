"""`multiserve routes`: list the mounts and the routes inside them, and explain which one answers a URL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from multiserve.cli.options import (
    TARGETS,
    common_options,
    find_env_files,
    find_source,
    format_option,
    note_what_is_not_read,
)
from multiserve.cli.output import echo_failures, leave, paint, reported_errors, say, stdout_is_stderr
from multiserve.cli.progress import Progress
from multiserve.config.arguments import is_target
from multiserve.config.file import load_config
from multiserve.config.model import Config

if TYPE_CHECKING:
    from multiserve.composition import Composition  # imported where it is used, so that the plain command stays fast
    from multiserve.frameworks import Framework


@click.command(short_help="List the mounts, or explain which answers a URL.")
@common_options
@format_option
@click.option("--all", "loads", is_flag=True, help="Load the applications, and list the routes inside.")
@click.option("--explain", "url", metavar="URL", help="Explain which mount answers this URL, and why.")
@click.option(
    "--method",
    metavar="METHOD",
    help="The method of the request to explain; WEBSOCKET for a WebSocket. [default: GET]",
)
@click.argument("arguments", nargs=-1, metavar=f"{TARGETS} [TEXT]")
@click.pass_context
def routes(  # noqa: PLR0913 (one for each option)
    ctx: click.Context,
    *,
    config: str | None,
    traceback: bool,
    env_file: tuple[str, ...],
    style: str,
    loads: bool,
    url: str | None,
    method: str | None,
    arguments: tuple[str, ...],
) -> None:
    """List the mounts in the order in which a request tries them; without --all no application is imported.

    With --all the applications are loaded, and the routes inside them are listed as well, each with its whole URL, its
    methods, its name and its view. TEXT is a filter, without regard to case: it keeps the mounts whose key or target
    contains it, and the routes whose URL, name or view does.

    Targets are those of "multiserve run", in place of a file: what has a "=", or looks like module:name, file.py,
    ./folder or folder/. Anything else is TEXT; a module alone is written with its key, /=storefront.

    With --explain, only the mount that answers a URL is shown, and why it does; with --all also the route inside the
    application, its view, and the line that defines it. No view is called.

    A mount that cannot be loaded is shown as FAILED, and the exit code stays 0; that of check is 3 then.

    \b
    Examples:
        multiserve routes
        multiserve routes --all
        multiserve routes --all login
        multiserve routes --explain https://api.example.com/v1
        multiserve routes storefront:app /admin=backoffice:app --explain /admin/users
        multiserve routes --all --explain /admin/users --method POST
    """  # noqa: D301 (click needs the control character)
    targets = [argument for argument in arguments if is_target(argument)]
    text = _find_text(ctx, [argument for argument in arguments if not is_target(argument)])
    _refuse_what_does_not_fit(ctx, url, method, text)
    with reported_errors(show_traceback=traceback):
        source = find_source(config, targets)
        note_what_is_not_read(source, env_file)
        configuration = load_config(source, env_files=find_env_files(source, env_file))
        if url is not None:
            as_text, as_json = _explained(configuration, url, method or "", loads=loads, traceback=traceback)
        elif loads:
            as_text, as_json = _contents(configuration, text or "", traceback=traceback)
        else:
            as_text, as_json = _listed(configuration, text or "")
        say(_dump(as_json) if style == "json" else as_text)
        if loads:
            leave(0)


def _dump(value: Mapping[str, object]) -> str:
    import json

    return json.dumps(value, indent=2)


def _find_text(ctx: click.Context, words: Sequence[str]) -> str | None:
    """Return what to filter by, which is the one argument that is no target."""
    if len(words) > 1:
        message = f"there is one TEXT to filter by, and not {' and '.join(words)}: a target has a key or a colon."
        raise click.UsageError(message, ctx)
    return words[0] if words else None


def _refuse_what_does_not_fit(ctx: click.Context, url: str | None, method: str | None, text: str | None) -> None:
    if url is None and method is not None:
        raise click.UsageError("--method needs --explain.", ctx)
    if url is not None and text is not None:
        raise click.UsageError("--explain takes one URL and nothing to filter: leave out TEXT.", ctx)


def _listed(config: Config, text: str) -> tuple[str, Mapping[str, object]]:
    """List the mounts, as text and as JSON values."""
    from multiserve.reports import routes as report
    from multiserve.reports.text import ordered

    mounts = [mount for mount in ordered(config) if mount.mentions(text)]
    return report.mounts_as_text(mounts, paint), report.mounts_as_json(mounts)


def _contents(config: Config, text: str, *, traceback: bool) -> tuple[str, Mapping[str, object]]:
    """Load the mounts and list the routes inside, as text and as JSON values."""
    # What reads the frameworks takes long to import, and the plain command does not need it.
    from multiserve.reports import inside
    from multiserve.routes.inside import read_contents, select_contents

    # Reading the routes can make an application import more of itself, which may print.
    with stdout_is_stderr(), _composed(config, traceback=traceback) as composition:
        contents = select_contents(read_contents(composition), text)
    return inside.contents_as_text(contents, paint), inside.contents_as_json(contents)


def _explained(
    config: Config, url: str, method: str, *, loads: bool, traceback: bool
) -> tuple[str, Mapping[str, object]]:
    """Describe what answers a URL, as text and as JSON values; with `loads`, inside the application as well."""
    from multiserve.reports import routes as report
    from multiserve.routes.explain import explain

    result = explain(config, url, method)
    if result.mount is None or not loads:
        return report.explanation_as_text(result, paint=paint), report.explanation_as_json(result)
    from multiserve.reports.arrival import arrival_as_json, arrival_as_text
    from multiserve.routes.arrival import follow

    with stdout_is_stderr(), _composed(config, traceback=traceback) as composition:
        arrival = follow(composition, result)
    return arrival_as_text(result, arrival, config.folder, paint), arrival_as_json(result, arrival)


@contextlib.contextmanager
def _composed(config: Config, *, traceback: bool) -> Iterator[Composition]:
    """Load the mounts; inside the with block their applications are read, those of plugins' frameworks included."""
    from multiserve.frameworks import with_frameworks
    from multiserve.survey.mounts import survey

    progress = Progress()
    with survey(config, observe=progress, progress=progress) as found:
        if traceback:
            echo_failures(found.composition)
        frameworks: Sequence[Framework] = ()
        if config.plugins:  # what they may bring takes long to import
            from multiserve.plugins.loading import load_plugins

            frameworks = load_plugins(config).frameworks
        with with_frameworks(frameworks):
            yield found.composition
