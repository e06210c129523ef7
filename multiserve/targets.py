"""The target of a mount: an import string parsed into what to import, which attribute, and how to call it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NoReturn

_FILE = re.compile(r"(?P<file>.+\.py)(?::(?P<rest>.*))?", re.DOTALL)
_SHAPE = 'Write "module:attribute", "module:factory(...)" or "path/to/file.py:attribute".'


class Placeholder(Enum):
    """A name that an argument of a factory may be, replaced when the factory is called."""

    PREFIX = "prefix"


class TargetProblem(ValueError):  # noqa: N818 (the reader turns it into a `Problem`)
    """A text that is no target: what is wrong, and what to write instead."""

    def __init__(self, message: str, hint: str = _SHAPE) -> None:
        """Keep both halves, for a `Problem`."""
        super().__init__(message)
        self.hint = hint


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
    """

    text: str
    module: str
    attribute: str = ""
    call: Call | None = None
    file: str = ""


def parse_target(text: str) -> Target:
    """Parse an import string; nothing in it is ever evaluated.

    Raises:
        TargetProblem: The text is not a target, with what to write instead.
    """
    stripped = text.strip()
    if match := _FILE.fullmatch(stripped):
        file, expression = match["file"].replace("\\", "/"), match["rest"]
        module = _module_of(file)
    else:
        file = ""
        module, colon, rest = stripped.partition(":")
        expression = rest if colon else None
        if not all(part.isidentifier() for part in module.split(".")):
            raise TargetProblem(f'"{module}" is not the name of a module')
    if expression is None:
        return Target(text, module, file=file)
    attribute, call = _parse_expression(expression.strip())
    return Target(text, module, attribute, call, file)


def _module_of(file: str) -> str:
    path = PurePosixPath(file)
    name = path.with_suffix("")
    if path.is_absolute() or ".." in path.parts or ":" in file:
        raise TargetProblem(
            f'"{file}" is outside the folder of the configuration',
            f'Add its folder to pythonpath, and write "{path.stem}" here.',
        )
    if any("." in part for part in name.parts):
        raise TargetProblem(f'"{file}" has a dot in the name of a folder', "Add the folder to pythonpath.")
    return ".".join(name.parts)


def _parse_expression(expression: str) -> tuple[str, Call | None]:
    try:
        node = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        _refuse_expression(expression)
    if isinstance(node, ast.Call):
        return _dotted(node.func, expression), _parse_call(node)
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


def _parse_call(node: ast.Call) -> Call:
    kwargs = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise TargetProblem("a factory call cannot unpack **arguments", "Write each argument out.")
        kwargs[keyword.arg] = _parse_argument(keyword.value)
    return Call(tuple(_parse_argument(each) for each in node.args), MappingProxyType(kwargs))


def _parse_argument(node: ast.expr) -> Any:
    if isinstance(node, ast.Name) and node.id == Placeholder.PREFIX.value:
        return Placeholder.PREFIX
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise TargetProblem(
            f"the argument {ast.unparse(node)} is not a literal",
            "Arguments are literals, such as 'text', 3, True or [1, 2], and the name prefix.",
        ) from None
