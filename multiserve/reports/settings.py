"""The effective configuration with where each value comes from, as text and as values for JSON; nothing here prints."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any, NamedTuple, TypedDict

from multiserve.config.env_files import read_env_files
from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.config.tables import quote_key
from multiserve.config.targets import Target
from multiserve.drafts import value_to_toml
from multiserve.reports.text import table
from multiserve.styles import Paint, plain

_DEFAULT = "default"
_COLUMNS = ("KEY", "FROM", "VALUE")


class Value(NamedTuple):
    """One value of the configuration.

    Attributes:
        key: Its key path, as TOML spells it.
        value: The value; None where there is none.
        origin: Where it comes from: a file, a variable, an option of the command line, or "default".
    """

    key: str
    value: Any
    origin: str


class ValueJson(TypedDict):
    """One value of the configuration."""

    key: Annotated[str, "The key path."]
    value: Annotated[Any, "The value; null where there is none, and for a variable under env."]
    origin: Annotated[str, "The file, the variable or the option that it comes from, or default."]


class SettingsJson(TypedDict):
    """The effective configuration."""

    file: Annotated[str | None, "The file; null for targets of a command line."]
    env_files: Annotated[list[str], "The files of environment variables that were read."]
    values: list[ValueJson]


def effective_values(config: Config, given: Mapping[str, str], gunicorn: Iterable[Value]) -> list[Value]:
    """Return every value of a configuration, in the order of the file.

    Args:
        config: The configuration, with the options of the command line and of the environment in it.
        given: The options that were given: their names, and what gave them, such as `--port` or `MULTISERVE_PORT`.
        gunicorn: The settings of gunicorn.
    """
    root = f"{config.root}." if config.root else ""
    values: list[Value] = []
    for name in ("ignore", "select", "plugins", "pythonpath", "middleware"):
        key = f"{root}{name}"
        found = config.written.get(key, [])
        values.append(Value(key, found, str(config.source) if key in config.written else _DEFAULT))
    values += [
        Value(key, level, str(config.source))
        for key, level in config.written.items()
        if key.startswith(f"{root}severity.")
    ]
    values += _mounts(config)
    values += _variables(config, root)
    for name, section in (("server", config.server), ("development", config.development)):
        for field in fields(section):
            key = f"{root}{name}.{field.name}"
            origin = given.get(field.name) or (str(config.source) if key in config.written else _DEFAULT)
            values.append(Value(key, _plain(getattr(section, field.name)), origin))
    return [*values, *gunicorn]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [each.text if isinstance(each, Target) else each for each in value]
    return value


def _entries(config: Config) -> Iterable[Mount]:
    """Return the mounts that have an entry of their own, which those of a fleet have not."""
    entries: dict[str, Mount] = {}
    for mount in config.mounts:
        entries.setdefault(mount.toml_key, mount)
    return entries.values()


def _mounts(config: Config) -> Iterator[Value]:
    for mount in _entries(config):
        rows = {
            key: value
            for key, value in config.written.items()
            if key == mount.toml_key or key.startswith(f"{mount.toml_key}.")
        }
        for key, value in rows.items():
            yield Value(key, value, str(config.source))
        if not rows:
            yield Value(mount.toml_key, mount.what, "command line")


def _variables(config: Config, root: str) -> Iterator[Value]:
    """Yield the environment variables without their values, which may be secrets."""
    in_files = {name: str(path) for path in config.env_files for name in read_env_files([path])}
    for name in config.env:
        origin = "environment" if name in os.environ else in_files.get(name, str(config.source))
        yield Value(f"{root}env.{quote_key(name)}", None, origin)


def values_as_text(config: Config, values: Iterable[Value], paint: Paint = plain) -> str:
    """Return a table of values; one that comes from the file of the configuration has the file's name alone."""
    head = [paint(column, "faint") for column in _COLUMNS]
    rows = [(each.key, _where(each, config, paint), _spelled(each)) for each in values]
    return f"{config.source}\n\n{table([head, *rows], indent='')}"


def _spelled(value: Value) -> str:
    if value.value is None:
        return "(not shown)" if ".env." in f".{value.key}" else "(by the host)"
    return value_to_toml(value.value)


def _where(value: Value, config: Config, paint: Paint) -> str:
    if value.origin == _DEFAULT:
        return paint(_DEFAULT, "faint")
    files = [*([config.path] if config.path else []), *config.env_files]
    names = {str(path): os.path.relpath(path, config.folder) for path in files}
    return paint(names.get(value.origin, value.origin), "strong")


def values_as_json(config: Config, values: Iterable[Value]) -> SettingsJson:
    """Return the values for JSON; a variable under `env` has none."""
    return {
        "file": str(config.path) if config.path else None,
        "env_files": [str(path) for path in config.env_files],
        "values": [{"key": each.key, "value": each.value, "origin": each.origin} for each in values],
    }
