"""Finds where a view is defined, behind its decorators, without calling it."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import sys
from typing import Any, NamedTuple

from multiserve.frameworks.reading import known

_DEEPEST = 32  # decorators around one view


class ViewPlace(NamedTuple):
    """Where a view is defined; the fields have the names of those of `InnerRoute`."""

    view: str
    file: str
    line: int


NOWHERE = ViewPlace("", "", 0)


def place_of(view: Any) -> ViewPlace:
    """Return the name of a view and where it is defined."""
    return known(lambda: _place(undecorated(view)), NOWHERE)


def undecorated(view: Any) -> Any:
    """Return the function or class that the author of the view has written."""
    for _ in range(_DEEPEST):
        attributes = getattr(view, "__dict__", {})
        if isinstance(view, functools.partial):
            view = view.func
        elif inspect.ismethod(view):
            view = view.__func__
        elif isinstance(attributes.get("view_class"), type):  # what as_view() of Flask and of Django leaves
            return attributes["view_class"]
        elif "initkwargs" in attributes and isinstance(attributes.get("cls"), type):  # and that of a viewset's
            return attributes["cls"]
        elif "__wrapped__" in attributes:
            view = attributes["__wrapped__"]
        else:
            break
    return view


def _place(view: Any) -> ViewPlace:
    named = view if hasattr(view, "__qualname__") else type(view)
    name = f"{named.__module__}:{named.__qualname__}"
    if (code := getattr(view, "__code__", None)) is not None:
        return ViewPlace(name, code.co_filename, code.co_firstlineno)
    return ViewPlace(name, *_lines_of(named))


def _lines_of(named: type) -> tuple[str, int]:
    file = known(lambda: inspect.getsourcefile(named) or "", "")
    line = known(lambda: _line_of(named, file), 0) if file else 0
    return (file, line) if line else ("", 0)


def _line_of(named: type, file: str) -> int:
    module = sys.modules.get(named.__module__)
    lines = _classes_in("".join(linecache.getlines(file, vars(module) if module else None)))
    return lines[named.__qualname__]


@functools.lru_cache(maxsize=64)
def _classes_in(source: str) -> dict[str, int]:
    """Return the line of each class by its qualified name; `inspect` parses the module anew for each class."""
    found: dict[str, int] = {}
    pending: list[tuple[str, ast.AST]] = [("", ast.parse(source))]
    while pending:
        above, node = pending.pop()
        inner = above
        if isinstance(node, ast.ClassDef):
            found.setdefault(f"{above}{node.name}", min([node.lineno, *(each.lineno for each in node.decorator_list)]))
            inner = f"{above}{node.name}."
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = f"{above}{node.name}.<locals>."
        pending.extend((inner, each) for each in reversed(list(ast.iter_child_nodes(node))))
    return found
