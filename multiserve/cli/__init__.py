"""The command line: the only place that prints, exits or reads options."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from multiserve import __version__

COMMANDS = {
    "check": "Load every mount, and report what is wrong.",
    "config": "Print the effective configuration.",
    "export": "Write the files of what runs and fronts the mounts.",
    "import": "Print the multiserve.toml for the file of another tool.",
    "init": "Write a multiserve.toml for the applications in FOLDER.",
    "maintenance": "Have a mount answer 503, or end that.",
    "reload": "Reload the running production server.",
    "restart": "Start the process of a group anew.",
    "routes": "List the mounts, or explain which answers a URL.",
    "run": "Serve the mounts, for development or for production.",
    "schema": "Print a JSON Schema of the file, or of a command's JSON.",
    "status": "Show the processes and mounts of the running production server.",
}
_RENAMED = {"import": "import_"}  # a word of Python
_SKILL = Path(__file__).parent.parent / "SKILL.md"


class _Commands(click.Group):
    """The commands, each imported when it is used: neither the help nor any other command waits for it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's)
        """Return their names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's)
        """Return a command; None if there is no such one."""
        if cmd_name not in COMMANDS:
            return None
        name = _RENAMED.get(cmd_name, cmd_name)
        command: click.Command = getattr(importlib.import_module(f"multiserve.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's)
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"\b\nFor coding agents: {_SKILL}",
)
@click.version_option(__version__, "-V", "--version", package_name="multiserve", prog_name="multiserve")
def main() -> None:
    """Compose Python web applications from a TOML file and serve them on one origin.

    \b
    A first multiserve.toml:
        [mounts]
        "/"      = "storefront:app"
        "/admin" = "backoffice:create_app()"

    \b
    The same without a file:
        multiserve run storefront:app '/admin=backoffice:create_app()'

    \b
    multiserve init         write a multiserve.toml for what is in this folder
    multiserve import       print the multiserve.toml for the file of another tool
    multiserve check        does everything load, and is anything wrong?
    multiserve routes       which mount answers which URL?
    multiserve run          serve the mounts
    multiserve config       which value does every option have, and where does it come from?
    multiserve export       write what runs each application as a deployment, and the front before them
    multiserve reload       reload the production server, or one of its groups
    multiserve restart      start the process of a group anew
    multiserve maintenance  have a mount answer 503, or end that
    multiserve status       which processes run, and what does each mount do?
    """  # noqa: D301 (click needs the control character)
