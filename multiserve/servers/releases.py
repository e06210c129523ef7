"""Whether the installed release of a package has what a server leans on, beyond what the package documents."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from types import CodeType
from typing import TypeAlias

from multiserve.errors import Problem, ServeError

Used: TypeAlias = Mapping[tuple[str, str], tuple[str, ...]]
"""Module and name of a class or function -> the attributes of it; `a|b` where either will do."""


def check_releases(used: Used, packages: Sequence[str], fitting: str) -> None:
    """Raise `ServeError` if the installed releases lack something.

    Args:
        used: What is leaned on.
        packages: The names of the packages.
        fitting: The releases that are known to have all of it.
    """
    if missing := list_missing(used):
        installed = ", ".join(f"{name} {_version(name)}" for name in packages)
        verb = "do" if len(packages) > 1 else "does"
        raise ServeError(
            Problem(
                message=f"the installed {installed} {verb} not fit: {', '.join(missing)} is missing",
                hint=f"These releases fit: {fitting}",
            )
        )


def list_missing(used: Used) -> list[str]:
    """Return each module, class or attribute that is leaned on and not there."""
    missing = []
    for (module, name), attributes in used.items():
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            missing.append(f"{module}.{name}")
            continue
        names = _names(found)
        missing += [f"{module}.{name}.{each}" for each in attributes if names.isdisjoint(each.split("|"))]
    return missing


def _names(found: type) -> set[str]:
    """Return the attributes of a class, and those that its methods set or read on instances."""
    names = set(dir(found))
    for _, function in inspect.getmembers(found, inspect.isfunction):
        code: CodeType = function.__code__
        names.update(code.co_names)
    return names


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # it takes long to import

    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
