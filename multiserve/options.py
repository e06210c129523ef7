"""Command line options made from the dataclasses of the configuration, so that each has one name and one help text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints

import click

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def options_of(kind: type) -> Callable[[F], F]:
    """Decorate a command with one option, and one environment variable, for each option of a dataclass."""

    def decorate(command: F) -> F:
        hints = get_type_hints(kind)
        for field in reversed(dataclasses.fields(kind)):
            command = _option(field, hints[field.name])(command)
        return command

    return decorate


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
    if hint is int:
        settings["type"] = click.IntRange(field.metadata.get("minimum"), field.metadata.get("maximum"))
    elif hint == tuple[str, ...]:
        settings |= {"multiple": True, "metavar": "TEXT"}
    return click.option(f"--{name}", **settings)


def _help(field: dataclasses.Field[Any]) -> str:
    text: str = field.metadata["help"]
    if isinstance(field.default, bool):
        return f"{text} [default: {'on' if field.default else 'off'}]"
    return text if field.default in (None, ()) else f"{text} [default: {field.default}]"


def override(settings: T, values: Mapping[str, Any]) -> T:
    """Replace the fields of a dataclass for which the command line, or the environment, has a value."""
    names = {field.name for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    given = {name: value for name, value in values.items() if name in names and value not in (None, ())}
    return dataclasses.replace(settings, **given)  # type: ignore[type-var]
