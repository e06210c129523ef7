"""`multiserve run --save`: the multiserve.toml that does what a command line with targets does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from multiserve.cli.init import refuse_existing, write_new
from multiserve.cli.settings import PRODUCTION_OPTIONS, gunicorn_overrides
from multiserve.config.arguments import read_arguments
from multiserve.config.file import FILE_NAME, load_config
from multiserve.config.model import Development, Server
from multiserve.config.source import Source
from multiserve.drafts import NEXT_MOUNTS, NEXT_TABLES, Draft, DraftMount, to_toml

_ABOUT_THE_COMMAND = frozenset({"save", "targets", "production", "traceback"})  # none of them is a setting
_LEVEL = frozenset({"log_level", "quiet", "verbose"})


class Saved(NamedTuple):
    """What became of a command line.

    Attributes:
        said: What was written, and what to type next.
        left_out: Which options are not in the file; empty if all are.
    """

    said: str
    left_out: str


def save_targets(source: Source, values: Mapping[str, Any], typed: Mapping[str, str]) -> Saved:
    """Write the file.

    Args:
        source: The targets.
        values: The values of all options.
        typed: The names of those that were typed, and how they are spelled.

    Raises:
        ConfigError: A target is wrong, or there is a file already.
    """
    path = Path(FILE_NAME)
    refuse_existing(path)
    load_config(source)  # a wrong target is reported before there is a file
    draft = _draft(source, values, typed.keys())
    number = len(draft.mounts)
    write_new(path, to_toml(draft))
    production = " --production" if values["production"] else ""
    lines = [
        f"Wrote {path} with {number} mount{'' if number == 1 else 's'}.",
        "Next:",
        f"  multiserve check{production}",
        f"  multiserve run{production}",
    ]
    return Saved("\n".join(lines), _left_out(typed, is_production=values["production"]))


def _left_out(typed: Mapping[str, str], *, is_production: bool) -> str:
    """Return a line about the typed options that have no key, whichever they are."""
    kept = {*_names(Server), *_names(Development), *PRODUCTION_OPTIONS, *_ABOUT_THE_COMMAND}
    if is_production:
        kept |= _LEVEL
    names = [spelled for name, spelled in typed.items() if name not in kept]
    if not names:
        return ""
    said = "it has no key" if len(names) == 1 else "they have no key"
    return f"Not saved: {', '.join(names)}: {said} in the file."


def _draft(source: Source, values: Mapping[str, Any], typed: Collection[str]) -> Draft:
    targets = read_arguments(source.targets, source.folder, []).tables
    given = {name: values[name] for name in typed if name in values}
    of_gunicorn = {name: given.get(name) for name in PRODUCTION_OPTIONS}
    if values["production"] and not _LEVEL.isdisjoint(typed):
        of_gunicorn["log_level"] = values["log_level"]
    draft = Draft(
        header=[
            'Written by "multiserve run --save". What each key means, and which more there are:',
            "multiserve.toml.example, and docs/file.md, of multiserve.",
        ],
        mounts=[
            DraftMount(key, {"app": value} if isinstance(value, str) else dict(value)) for key, value in targets.items()
        ],
        server={name: given[name] for name in _names(Server) if name in given},
        development={name: given[name] for name in _names(Development) if name in given},
        gunicorn=gunicorn_overrides(of_gunicorn),
    )
    has_tables = draft.server or draft.gunicorn  # those of the footer cannot be there twice
    draft.footer = NEXT_MOUNTS if has_tables else (*NEXT_MOUNTS, *NEXT_TABLES)
    return draft


def _names(kind: type[Server | Development]) -> list[str]:
    return [field.name for field in fields(kind)]
