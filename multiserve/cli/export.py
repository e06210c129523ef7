"""`multiserve export`: write the files by which other programs run and front the mounts."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from multiserve import __version__
from multiserve.cli.options import common_options, find_env_files, find_source, note_what_is_not_read
from multiserve.cli.output import paint, reported_errors, say
from multiserve.config.file import load_config
from multiserve.errors import ConfigError, Problem
from multiserve.export.files import as_text, compare, with_headers, write
from multiserve.export.formats import FORMATS
from multiserve.export.model import FRONTS, LISTEN, NAME, REPLICAS, make_export
from multiserve.hosts import HIGHEST_PORT

_COUNTING = (
    "addresses",
    "images",
    "name",
    "listen",
    "replicas",
    "front",
    "folder",
)  # the options that change the files
_VALID_NAME = re.compile("[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


@click.command(
    short_help="Write the files of what runs and fronts the mounts.",
    epilog="\b\nFormats:\n" + "\n".join(f"    {each.name:<11} {each.help}" for each in FORMATS.values()),
)
@common_options
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder to write files into, in place of printing them.",
)
@click.option("--check", is_flag=True, help="With -o: write nothing, and end with exit code 1 if that would change it.")
@click.option(
    "--address",
    "addresses",
    multiple=True,
    metavar="[UNIT=]ADDRESS",
    help="HOST:PORT or unix:/path where a unit listens; without UNIT= of all others, with {unit} or {port} in it. "
    "[default: 127.0.0.1:{port}]",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="[UNIT=]IMAGE",
    help="The container image of a unit; without UNIT= of all others.",
)
@click.option("--name", default=NAME, show_default=True, help="A name that nothing else on the machine has.")
@click.option(
    "--listen",
    type=click.IntRange(1, HIGHEST_PORT),
    default=LISTEN,
    show_default=True,
    help="The port of the front.",
)
@click.option(
    "--replicas",
    type=click.IntRange(1, 1000),
    default=REPLICAS,
    show_default=True,
    help="How many pods each unit has, with kubernetes.",
)
@click.option(
    "--front",
    type=click.Choice(FRONTS),
    default=FRONTS[0],
    show_default=True,
    help="What is in front, with kubernetes.",
)
@click.option(
    "--folder",
    default="",
    metavar="PATH",
    help="The folder of the file on the host, with its environment in .venv, with systemd. [default: /srv/NAME]",
)
@click.argument("form", metavar="FORMAT", type=click.Choice(list(FORMATS)))
@click.pass_context
def export(  # noqa: PLR0913 (one for each option)
    ctx: click.Context,
    *,
    config: str | None,
    traceback: bool,
    env_file: tuple[str, ...],
    output: Path | None,
    check: bool,
    addresses: tuple[str, ...],
    images: tuple[str, ...],
    name: str,
    listen: int,
    replicas: int,
    front: str,
    folder: str,
    form: str,
) -> None:
    """Write the files by which other programs run and front the mounts; nothing is applied, and nothing imported.

    Each group is a unit, a deployment of its own, and so are all mounts without a group. In a file without groups each
    application is a unit; tenants, static folders, files, redirects and proxied mounts stay with the mount that would
    answer in their place.

    \b
    Examples:
        multiserve export nginx
        multiserve export nginx -o deploy
        multiserve export nginx -o deploy --check      # in continuous integration
        multiserve export nginx --address 'unix:/run/shop/{unit}.sock'
        multiserve export kubernetes --image registry.example.com/shop:1 -o deploy
    """  # noqa: D301 (click needs the control character)
    if check and output is None:
        raise click.UsageError("--check needs -o: name the folder with the files.", ctx)
    with reported_errors(show_traceback=traceback):
        if not _VALID_NAME.fullmatch(name):
            hint = "Write small letters, digits and -, at most 40, the first one a letter."
            raise ConfigError(Problem(key="--name", message=f'"{name}" is no name', hint=hint))
        source = find_source(config, ())
        note_what_is_not_read(source, env_file)
        configuration = load_config(source, env_files=find_env_files(source, env_file))
        made = make_export(
            configuration,
            addresses=addresses,
            images=images,
            name=name,
            listen=listen,
            replicas=replicas,
            front=front,
            folder=folder,
            command=_options(ctx),
        )
        files = with_headers(form, FORMATS[form].render(made), made, __version__)
        for warning in made.warnings:
            say(f"{paint('Warning:', 'warning')} {warning}", err=True)
        if output is None:
            say(as_text(files).removesuffix("\n"))
        elif check:
            _check(output, form, files, made.command)
        else:
            for line in write(output, form, files) or [f"Nothing has changed in {output}."]:
                say(line)


def _options(ctx: click.Context) -> list[str]:
    """Return the options that make a difference to the files, as they are to be typed again."""
    found = []
    for parameter in ctx.command.params:
        name = str(parameter.name)
        if name in _COUNTING and ctx.params[name] != parameter.get_default(ctx):
            values = ctx.params[name] if parameter.multiple else (ctx.params[name],)
            found += [word for value in values for word in (max(parameter.opts, key=len), str(value))]
    return found


def _check(folder: Path, form: str, files: Mapping[str, str], options: Sequence[str]) -> None:
    lines = compare(folder, form, files).lines()
    for line in lines:
        say(line)
    if lines:
        command = shlex.join(["multiserve", "export", form, *options, "-o", str(folder)])
        say(f'Write it anew with "{command}".', err=True)
        sys.exit(1)
