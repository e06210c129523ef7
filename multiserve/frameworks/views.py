"""Finds where a view is defined, behind its decorators, without calling it."""

from __future__ import annotations

import functools
import inspect
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
    # The source is read for it, which not every class has.
    line = known(lambda: inspect.getsourcelines(named)[1], 0)
    return (known(lambda: inspect.getsourcefile(named) or "", ""), line) if line else ("", 0)
