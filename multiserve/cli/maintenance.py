"""`multiserve maintenance`: put a mount of the running production server in maintenance, and end that."""

from __future__ import annotations

from pathlib import Path

import click

from multiserve.cli.options import common_options
from multiserve.cli.output import reported_errors
from multiserve.cli.reload import find_pid_file, pid_option
from multiserve.errors import ConfigError, Problem, ServeError


@click.command(short_help="Have a mount answer 503, or end that.")
@common_options
@pid_option
@click.option(
    "--page",
    type=click.Path(path_type=Path),
    help="A file of HTML to answer with. [default: maintenance_page under [server], or a plain page]",
)
@click.argument("mount")
@click.argument("state", type=click.Choice(["on", "off"]))
def maintenance(  # noqa: PLR0913 (one for each option)
    *,
    config: str | None,
    traceback: bool,
    env_file: tuple[str, ...],
    pid: str | None,
    page: Path | None,
    mount: str,
    state: str,
) -> None:
    """Have a mount answer 503 with a page, in every worker of the running production server, or end that.

    MOUNT is its key, such as /shop. Requests that it has begun are answered. It stays so over a reload, until it is
    turned off or the server ends; then no request reaches the application.

    \b
    Examples:
        multiserve maintenance /shop on
        multiserve maintenance /shop on --page maintenance.html
        multiserve maintenance /shop off
    """  # noqa: D301 (click needs the control character)
    from multiserve.servers.production import pid_file

    with reported_errors(show_traceback=traceback):
        if page and not page.is_file():
            raise ConfigError(Problem(key="--page", message=f"no such file: {page}", hint="Name a file of HTML."))
        path = pid or find_pid_file(config, env_file)
        behind = pid_file.ask(path, "maintenance", mount, state, str(page.absolute()) if page else "")
        if behind:
            pids = ", ".join(map(str, behind))
            raise ServeError(f"workers that are busy (pid: {pids}) follow as soon as they can: ask multiserve status")
        click.echo(f"{mount} is in maintenance." if state == "on" else f"{mount} is served.")
