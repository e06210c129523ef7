"""Imports the plugins that a configuration names, and checks what they bring; it runs none of their checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from multiserve.checks import Check
from multiserve.composition import prepare_process
from multiserve.config.model import Config
from multiserve.config.targets import Target
from multiserve.errors import Problem, raise_for
from multiserve.findings import SEVERITIES
from multiserve.frameworks import Framework
from multiserve.loading.modules import Failure, import_module, kind_of

_CODE = re.compile(r"[A-Z]+[0-9]+")
_OURS = "MS"
_FUNCTIONS = ("recognises", "read", "find")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """What all plugins of a configuration bring.

    Attributes:
        checks: The checks by their codes.
        frameworks: The readers of frameworks, in the order of the file.
    """

    checks: dict[str, Check] = field(default_factory=dict)
    frameworks: tuple[Framework, ...] = ()


@dataclass(slots=True)
class _Collected:
    """What has been brought so far, and what is wrong with it."""

    problems: list[tuple[str, str]] = field(default_factory=list)  # message and hint
    checks: dict[str, Check] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # code to module
    frameworks: list[Framework] = field(default_factory=list)


def load_plugins(config: Config) -> Plugins:
    """Import the plugins of a configuration; without any this does nothing.

    Raises:
        ConfigError: One cannot be imported, or brings something else than checks and readers, or uses a code that is
            not its own. All problems of all plugins are reported at once.
    """
    if not config.plugins:
        return Plugins()
    prepare_process(config)
    collected = _Collected()
    for name in config.plugins:
        try:
            module = import_module(Target(name, name), config.folder)
        except Failure as failure:
            collected.problems.append((str(failure), failure.hint))
        else:
            _collect(module, name, collected)
    key = f"{config.root}.plugins" if config.root else "plugins"
    problems = [Problem(key=key, message=message, hint=hint) for message, hint in collected.problems]
    raise_for(problems, source=config.source.heading)
    return Plugins(checks=collected.checks, frameworks=tuple(collected.frameworks))


def _collect(module: ModuleType, name: str, collected: _Collected) -> None:
    if not (hasattr(module, "CHECKS") or hasattr(module, "FRAMEWORKS")):
        hint = "A plugin has a list CHECKS, a list FRAMEWORKS, or both."
        collected.problems.append((f'"{name}" has neither CHECKS nor FRAMEWORKS', hint))
    for position, value in _items(module, name, "CHECKS", collected):
        if problem := _problem_of_check(value, f"{name}:CHECKS[{position}]", collected.owners):
            collected.problems.append(problem)
        else:
            collected.checks[value.code] = value
            collected.owners[value.code] = name
    for position, value in _items(module, name, "FRAMEWORKS", collected):
        if missing := [each for each in _FUNCTIONS if not callable(getattr(value, each, None))]:
            message = f'"{name}:FRAMEWORKS[{position}]" has no {" and no ".join(missing)}'
            collected.problems.append((message, "A reader has the functions recognises, read and find."))
        else:
            collected.frameworks.append(value)


def _items(module: ModuleType, name: str, attribute: str, collected: _Collected) -> Iterator[tuple[int, Any]]:
    value: object = getattr(module, attribute, ())
    if isinstance(value, (list, tuple)):
        yield from enumerate(value)
    else:
        message = f'"{name}:{attribute}" is {kind_of(value)}, not a list'
        collected.problems.append((message, f"Write {attribute} = [...]."))


def _problem_of_check(value: object, where: str, owners: dict[str, str]) -> tuple[str, str] | None:
    """Return what is wrong with an item of CHECKS, and what to do; None if it is a check with a code of its own."""
    if not isinstance(value, Check):
        hint = "Decorate a function with multiserve.plugins.check, and name it in CHECKS."
        return f'"{where}" is {kind_of(value)}, not a check', hint
    for is_wrong, message, hint in _RULES:
        if is_wrong(value):
            return f'"{where}": {message.format(check=value)}', hint
    if value.code in owners:
        return f'"{where}": the code {value.code} is taken by "{owners[value.code]}"', "Give it another code."
    return None


_OF_YOUR_OWN = "Use letters of your own, and digits, such as SHOP001."
_RULES: tuple[tuple[Callable[[Check], object], str, str], ...] = (
    (lambda check: not _CODE.fullmatch(str(check.code)), 'the code "{check.code}" is not one', _OF_YOUR_OWN),
    (
        lambda check: check.code.startswith(_OURS),
        "the code {check.code} begins with MS, as only multiserve's own do",
        _OF_YOUR_OWN,
    ),
    (
        lambda check: check.severity not in SEVERITIES,
        'the severity "{check.severity}" is not one',
        f"Known here: {', '.join(SEVERITIES)}.",
    ),
)
