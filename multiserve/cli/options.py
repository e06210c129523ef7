"""The options of the command line: what commands share, and what is made from the dataclasses of the configuration."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import click

from multiserve.config.env_files import INSTALL, can_read_env_files, named_env_files, usual_env_file
from multiserve.config.file import CONFIG_VARIABLE, find_config, load_config
from multiserve.config.source import Source
from multiserve.errors import ConfigError, MultiserveError

if TYPE_CHECKING:
    from multiserve.discovery.found import Found  # only where there is no file

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

TARGETS = "[[KEY=]TARGET]..."


def common_options(command: F) -> F:
    """Decorate a command with the options that every command has."""
    command = click.option(
        "--env-file",
        "env_file",
        multiple=True,
        metavar="FILE",
        type=click.Path(),
        envvar="MULTISERVE_ENV_FILE",
        show_envvar=True,
        help="A file of environment variables, in place of .env beside the configuration; repeatable.",
    )(command)
    command = click.option(
        "--traceback", is_flag=True, envvar="MULTISERVE_TRACEBACK", help="Show the traceback of an error."
    )(command)
    return click.option(
        "-c",
        "--config",
        metavar="FILE",
        type=click.Path(),  # for completion; whether the file is there is checked when it is read
        # `find_config` reads the variable, as it does for other servers; here it is only named.
        help="The configuration file. "
        f"[default: {CONFIG_VARIABLE}, multiserve.toml, or [tool.multiserve] in pyproject.toml]",
    )(command)


def find_env_files(source: Source, names: Sequence[str]) -> tuple[Path, ...]:
    """Return the files of environment variables: those that are named, or else `.env` beside the configuration.

    Where the package that reads it is not installed, `.env` is left alone: it may be there for another tool.
    """
    if names:
        return named_env_files(names)
    found = usual_env_file(source.folder)
    return (found,) if found and can_read_env_files() else ()


def note_unread_env_file(source: Source, names: Sequence[str]) -> None:
    """Print a note if there is a `.env` that cannot be read."""
    found = usual_env_file(source.folder)
    if found and not names and not can_read_env_files():
        click.echo(f"Note: {found} is not read: type {INSTALL} if it should be.", err=True)


def note_what_is_not_read(source: Source, names: Sequence[str]) -> None:
    """Print a note for a file that is there, and does not count: a configuration beside targets, or a `.env`."""
    note_left_aside(source)
    note_unread_env_file(source, names)


def _complete_mounts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    with contextlib.suppress(MultiserveError, click.UsageError):
        config = load_config(find_source(ctx.params.get("config"), ctx.params.get("targets") or ()))
        return [name for name in map(str, (mount.key for mount in config.mounts)) if name.startswith(incomplete)]
    return []


only_option = click.option(
    "--only",
    multiple=True,
    metavar="PREFIX",
    envvar="MULTISERVE_ONLY",
    show_envvar=True,
    shell_complete=_complete_mounts,
    help="Load only the mount with this key, at its own prefix; repeatable.",
)
only_group_option = click.option(
    "--only-group",
    metavar="GROUP",
    envvar="MULTISERVE_ONLY_GROUP",
    show_envvar=True,
    help="With --production: only the mounts of this group, in one process; its python does not count.",
)
format_option = click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", help="For people, or for machines."
)


targets_argument = click.argument("targets", nargs=-1, metavar=TARGETS)


def find_source(config: str | None, targets: Sequence[str]) -> Source:
    """Return where the configuration comes from: the targets of the command line, or else the file.

    Raises:
        ConfigError: There are no targets, and there is no file.
    """
    if not targets:
        return Source(find_config(config))
    if config is not None:
        message = "--config names a file with mounts of its own: leave out --config, or the targets."
        raise click.UsageError(message, click.get_current_context())
    return Source(Path.cwd(), tuple(targets))


def note_left_aside(source: Source) -> None:
    """Say which file would have been read if there were no targets."""
    if not source.targets:
        return
    with contextlib.suppress(ConfigError):  # there is none
        click.echo(f"Note: {find_config()} is ignored: the mounts are those of the command line.", err=True)


@contextlib.contextmanager
def hint_at_applications(config: str | None) -> Iterator[None]:
    """Where there is no file, add to the error what `multiserve init` would mount."""
    try:
        yield
    except ConfigError as error:
        if config is not None or os.environ.get(CONFIG_VARIABLE):
            raise
        from multiserve.discovery.proposals import find_proposals

        found: list[Found] = []
        with contextlib.suppress(OSError):  # a folder that cannot be read has no hint; the error stays
            found = [each.found for each in find_proposals(Path()).mounts]
        if not found:
            raise
        named = ", ".join(f"{each.what} ({each.kind})" for each in found)
        hint = f'Run "multiserve init" to mount what is here: {named}.'
        if target := next((each.what for each in found if not each.env and not each.pythonpath), ""):
            hint += f'\n    "multiserve run {shlex.quote(target)}" serves that one alone, without a file.'
        raise ConfigError(*(replace(problem, hint=hint) for problem in error.problems)) from None


def options_of(kind: type) -> Callable[[F], F]:
    """Decorate a command with one option, and one environment variable, for each option of a dataclass."""

    def decorate(command: F) -> F:
        hints = get_type_hints(kind)
        for field in reversed([each for each in dataclasses.fields(kind) if not each.metadata.get("only_in_file")]):
            command = _option(field, hints[field.name])(command)
        return command

    return decorate


_SHORT = {"port": ("-p",)}


def _option(field: dataclasses.Field[Any], hint: Any) -> Callable[[F], F]:
    name = field.name.replace("_", "-")
    settings: dict[str, Any] = {
        "default": None,
        "envvar": f"MULTISERVE_{field.name.upper()}",
        "show_envvar": True,
        "help": _help(field),
    }
    if hint in (bool, bool | None):
        return click.option(f"--{name}/--no-{name}", **settings)
    if "choices" in field.metadata:
        settings["type"] = click.Choice(field.metadata["choices"])
    short = _SHORT.get(field.name, ())
    if hint is int:
        settings["type"] = click.IntRange(field.metadata.get("minimum"), field.metadata.get("maximum"))
    elif hint == tuple[str, ...]:
        settings |= {"multiple": True, "metavar": "TEXT"}
    return click.option(*short, f"--{name}", **settings)


def _help(field: dataclasses.Field[Any]) -> str:
    text: str = field.metadata["help"]
    if isinstance(field.default, bool):
        return f"{text} [default: {'on' if field.default else 'off'}]"
    return text if field.default in (None, ()) else f"{text} [default: {field.default}]"
