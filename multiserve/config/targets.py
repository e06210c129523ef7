"""The target of a mount: an import string parsed into what to import, which attribute, and how to call it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NoReturn

from multiserve.config.target_slips import what_was_meant
from multiserve.errors import UnlocatedError

_FILE = re.compile(r"(?P<file>(?:[A-Za-z]:)?[^:]+\.py)(?::(?P<rest>.*))?", re.DOTALL)
_PASTE = re.compile(r"paste:(?P<file>[^#]+\.\w+|[^#]+(?=#))(?:#(?P<section>.*))?", re.DOTALL)
_SHAPE = 'Write "module:attribute", "module:factory(...)" or "path/to/file.py:attribute".'


class Placeholder(Enum):
    """A name that an argument of a factory may be, replaced when the factory is called."""

    PREFIX = "prefix"


class TargetProblem(UnlocatedError, ValueError):  # noqa: N818 (the reader turns it into a `Problem`)
    """A text that is not a target: what is wrong, and what to write instead."""

    usual_hint = _SHAPE


@dataclass(frozen=True)
class Call:
    """The arguments of a factory call: literals, and `Placeholder.PREFIX` where the mount's prefix goes."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def arguments(self, prefix: str) -> tuple[list[Any], dict[str, Any]]:
        """Fill the placeholders in: the positional and the keyword arguments."""
        filled = {Placeholder.PREFIX: prefix}

        def fill(value: Any) -> Any:
            return filled[value] if isinstance(value, Placeholder) else value

        return [fill(value) for value in self.args], {name: fill(value) for name, value in self.kwargs.items()}


@dataclass(frozen=True)
class Target:
    """What a mount loads.

    Attributes:
        text: The target as the file spells it.
        module: The dotted name to import.
        attribute: The dotted name inside the module; empty where the usual names are tried.
        call: How to call the attribute; None if it is the application itself.
        file: The file that the module must come from, relative to the folder of the configuration; empty if any.
        section: The section of the file, if that is one of PasteDeploy; there is no module then.
    """

    text: str
    module: str
    attribute: str = ""
    call: Call | None = None
    file: str = ""
    section: str = ""


def parse_target(text: str) -> Target:
    """Parse an import string; nothing in it is ever evaluated.

    Raises:
        TargetProblem: The text is not a target, with what to write instead.
    """
    stripped = text.strip()
    if not stripped:
        raise TargetProblem("the target is empty")
    if not re.split("[:(]", stripped, maxsplit=1)[0].isprintable():
        hint = "A backslash between double quotes is an escape: write slashes in a path."
        raise TargetProblem("the target has a character in it that cannot be printed", hint)
    if match := _PASTE.fullmatch(stripped):
        return Target(text, "", file=match["file"].replace("\\", "/"), section=(match["section"] or "main").strip())
    if re.fullmatch(r"config:\S+\.(?:ini|cfg)(?:#.*)?", stripped):
        raise TargetProblem(f'"{stripped}" names a file of PasteDeploy', what_was_meant(stripped))
    if match := _FILE.fullmatch(stripped):
        file, expression = match["file"].replace("\\", "/"), match["rest"]
        module = _module_of(file)
    else:
        file = ""
        module, colon, rest = stripped.partition(":")
        expression = rest if colon else None
        if not all(part.isidentifier() for part in module.split(".")):
            raise TargetProblem(f'"{module}" is not the name of a module', what_was_meant(stripped))
    if expression is None:
        return Target(text, module, file=file)
    attribute, call = _parse_expression(expression.strip(), stripped)
    return Target(text, module, attribute, call, file)


def _module_of(file: str) -> str:
    path = PurePosixPath(file)
    names = [*path.parent.parts, path.name.removesuffix(".py")]
    if path.is_absolute() or ".." in path.parts or ":" in file:
        raise TargetProblem(
            f'"{file}" is outside the folder of the configuration',
            f'Add its folder to pythonpath, and write "{path.stem}" here.',
        )
    if not all(names) or any("." in name for name in names):
        raise TargetProblem(
            f'"{file}" is no module: a name in it has a dot', "Rename it, or add the folder to pythonpath."
        )
    if names[-1] == "__init__":  # a package is imported by its folder
        names = names[:-1] or names
    return ".".join(names)


def _parse_expression(expression: str, text: str) -> tuple[str, Call | None]:
    try:
        with warnings.catch_warnings(action="ignore"):  # such as for "\d": Python would print one without a file
            node = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        hint = what_was_meant(text)
        raise TargetProblem(f'"{expression}" is neither an attribute nor one call of a factory', hint) from None
    if isinstance(node, ast.Call):
        return _dotted(node.func, expression), _parse_call(node, expression)
    return _dotted(node, expression), None


def _dotted(node: ast.expr, expression: str) -> str:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        _refuse_expression(expression)
    return ".".join(reversed([*names, node.id]))


def _refuse_expression(expression: str) -> NoReturn:
    raise TargetProblem(f'"{expression}" is neither an attribute nor one call of a factory')


def _parse_call(node: ast.Call, expression: str) -> Call:
    kwargs: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise TargetProblem("a factory call cannot unpack **arguments", "Write each argument out.")
        if keyword.arg in kwargs:
            raise TargetProblem(f'the argument "{keyword.arg}" is given twice', "Keep one of the two.")
        kwargs[keyword.arg] = _parse_argument(keyword.value, expression)
    return Call(tuple(_parse_argument(each, expression) for each in node.args), MappingProxyType(kwargs))


def _parse_argument(node: ast.expr, expression: str) -> Any:
    if isinstance(node, ast.Name) and node.id == Placeholder.PREFIX.value:
        return Placeholder.PREFIX
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise TargetProblem(
            f"the argument {ast.get_source_segment(expression, node)} is not a literal",
            "Arguments are literals, such as 'text', 3, True or [1, 2], and the name prefix.",
        ) from None
