"""`multiserve run --save`: the multiserve.toml that does what a command line with targets does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from multiserve.cli.init import refuse_existing, write_new
from multiserve.config.arguments import read_arguments
from multiserve.config.file import FILE_NAME, load_config
from multiserve.config.model import Development, Server
from multiserve.config.source import Source
from multiserve.drafts import NEXT_MOUNTS, NEXT_TABLES, Draft, DraftMount, to_toml


def save_targets(source: Source, options: Mapping[str, Any], of_gunicorn: Collection[str]) -> str:
    """Write the file, and return what was written and what to type next.

    Args:
        source: The targets.
        options: The options that were typed.
        of_gunicorn: The names of those that go under `[gunicorn]`.

    Raises:
        ConfigError: A target is wrong, or there is a file already.
    """
    path = Path(FILE_NAME)
    refuse_existing(path)
    load_config(source)  # a wrong target is reported before there is a file
    draft = _draft(source, options, of_gunicorn)
    number = len(draft.mounts)
    write_new(path, to_toml(draft))
    production = " --production" if options.get("production") else ""
    lines = [
        f"Wrote {path} with {number} mount{'' if number == 1 else 's'}.",
        "Next:",
        f"  multiserve check{production}",
        f"  multiserve run{production}",
    ]
    return "\n".join(lines)


def _draft(source: Source, options: Mapping[str, Any], of_gunicorn: Collection[str]) -> Draft:
    values = read_arguments(source.targets, source.folder, []).tables
    draft = Draft(
        header=[
            'Written by "multiserve run --save". What each key means, and which more there are:',
            "multiserve.toml.example, and docs/file.md, of multiserve.",
        ],
        mounts=[
            DraftMount(key, {"app": value} if isinstance(value, str) else dict(value)) for key, value in values.items()
        ],
        server=_given(options, [field.name for field in fields(Server)]),
        development=_given(options, [field.name for field in fields(Development)]),
        gunicorn=_given(options, of_gunicorn),
    )
    has_tables = draft.server or draft.gunicorn  # those of the footer cannot be there twice
    draft.footer = NEXT_MOUNTS if has_tables else (*NEXT_MOUNTS, *NEXT_TABLES)
    return draft


def _given(options: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: options[name] for name in names if name in options}
