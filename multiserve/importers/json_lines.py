"""The line of each value of a JSON document, which the reader of the standard library does not keep."""

from __future__ import annotations

import ast
import json
import warnings
from typing import Any

Path = tuple[str | int, ...]


def read_json(text: str) -> tuple[Any, dict[Path, int]]:
    """Return the document, and the line of each value by its path.

    Raises:
        ValueError: It is not JSON.
    """
    document = json.loads(text)
    lines: dict[Path, int] = {}
    blank = text[: len(text) - len(text.lstrip())].count("\n")
    with warnings.catch_warnings(action="ignore"):  # "\/" is an escape in JSON alone
        _note_lines(ast.parse(text.strip(), mode="eval").body, (), blank, lines)  # true and null are names
    return document, lines


def _note_lines(node: ast.expr, path: Path, blank: int, lines: dict[Path, int]) -> None:
    lines.setdefault(path, node.lineno + blank)
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                lines[*path, key.value] = key.lineno + blank
                _note_lines(value, (*path, key.value), blank, lines)
    elif isinstance(node, ast.List):
        for number, value in enumerate(node.elts):
            _note_lines(value, (*path, number), blank, lines)
