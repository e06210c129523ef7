"""Regular expressions of URLs as readable paths: `^blog/(?P<year>[0-9]{4})/$` as `blog/<year>/`."""

from __future__ import annotations

import re

_QUANTIFIER = re.compile(r"[*+?][?+]?|\{\d*,?\d*\}[?+]?")
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_NAME = re.compile(r"\(\?P<(\w+)>")


def as_path(expression: str) -> str:
    """Return an expression as a path, with its groups in angle brackets, by name if they have one."""
    expression = expression.removeprefix("^").removeprefix(r"\A").removesuffix("$").removesuffix(r"\Z")
    path, start = "", 0
    while start < len(expression):
        end = _end_of_group(expression, start) if expression[start] == "(" else _end_of_atom(expression, start)
        if end is None or expression[start] in "|^$":
            return f"<{expression}>"  # alternatives of the whole, or what cannot be read
        quantifier = _QUANTIFIER.match(expression, end)
        atom = expression[start:end]
        path += _spell(atom, quantifier[0] if quantifier else "")
        start = quantifier.end() if quantifier else end
    return path


def _end_of_atom(expression: str, start: int) -> int | None:
    atom = _ATOM.match(expression, start)
    return atom.end() if atom else None


def _end_of_group(expression: str, start: int) -> int | None:
    depth, position = 0, start
    while position < len(expression):
        atom = _ATOM.match(expression, position)
        if atom is None:
            return None
        depth += {"(": 1, ")": -1}.get(atom[0], 0)
        position = atom.end()
        if depth == 0:
            return position
    return None


def _spell(atom: str, quantifier: str) -> str:
    if name := _NAME.match(atom):
        return f"<{name[1]}>"
    is_literal = (len(atom) == 1 and atom not in ".)") or (atom[0] == "\\" and not atom[1].isalnum())
    return atom[-1] if is_literal and not quantifier else f"<{atom}{quantifier}>"
