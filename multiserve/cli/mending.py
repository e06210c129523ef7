"""`multiserve check --diff` and `--fix`: show what cures findings as a diff, or change the files and check again."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from multiserve.cli.output import say
from multiserve.cli.watching import same_command
from multiserve.config.source import Source
from multiserve.edits.changes import Change, as_diff, find_changes, write
from multiserve.errors import ConfigError, Problem
from multiserve.findings import Finding

_NOTHING = "No finding has a cure that is one exact edit of a file in this folder."


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the process was before it loaded applications, which may change all of it.

    Attributes:
        time: When that was: what is saved later is not what was checked.
        environ: The environment variables.
        folder: The working directory.
    """

    time: int = field(default_factory=time.time_ns)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path = field(default_factory=Path.cwd)


def refuse_targets(source: Source) -> None:
    """Refuse to change a file where the mounts are those of a command line.

    Raises:
        ConfigError: They are.
    """
    if source.targets:
        hint = "Write one with multiserve run --save."
        raise ConfigError(Problem(message="--diff and --fix change a file, and targets have none", hint=hint))


def show_diff(findings: Iterable[Finding], file: Path, beginning: Beginning) -> None:
    """Print what --fix would change; where that is nothing, say so on stderr."""
    changes = find_changes(findings, file, beginning.time)
    if not changes:
        say(_NOTHING, err=True)
    click.echo(as_diff(changes, beginning.folder), nl=False)


def fix(findings: Iterable[Finding], file: Path, beginning: Beginning) -> bool:
    """Change the files, say on stderr what was done, and return whether anything was.

    Raises:
        ConfigError: A file cannot be written.
    """
    changes = find_changes(findings, file, beginning.time)
    for change in changes:
        write(change)
        for line in _said(change, beginning.folder):
            say(line, err=True)
    if not changes:
        say(_NOTHING, err=True)
    return bool(changes)


def _said(change: Change, folder: Path) -> Iterator[str]:
    yield f"Changed {os.path.relpath(change.path, folder.resolve())}:"
    for finding in change.findings:
        where = ", ".join(finding.mounts) or finding.key
        yield f"  {finding.code} {where}: {finding.cure}"


def check_again(ctx: click.Context, beginning: Beginning) -> int:
    """Run the same command without --fix in a process that has loaded nothing yet, and return its exit code."""
    command = same_command(ctx, without="fix")
    return subprocess.run(command, check=False, env=beginning.environ, cwd=beginning.folder).returncode  # noqa: S603
