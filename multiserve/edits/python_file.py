"""Changes one setting in the Python file of an application, where it is a plain literal that is assigned once."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from multiserve.findings import Edit

_BOM = b"\xef\xbb\xbf"
_IN_CALLS = ("update", "from_mapping")  # methods of the configuration of Flask


class _Place(NamedTuple):
    """Where a setting gets its value; the statement is None where it cannot be removed as a whole."""

    value: ast.expr
    statement: ast.stmt | None


def edit_python(source: bytes, edit: Edit) -> bytes | None:
    """Return the source with one setting changed; None where it is not assigned exactly once, as a literal.

    Args:
        source: The whole file.
        edit: The name of the setting, the value that it has, and the new value, as Python spells it; None removes it.
            A setting of Django that the file does not have is added at its end, where it counts in any case.
    """
    body = source.removeprefix(_BOM)
    if not _has_plain_lines(source):
        return None
    try:
        tree = ast.parse(body)
    except (SyntaxError, ValueError, RecursionError):
        return None
    places, mentions = list(_places(tree, edit.key)), _mentions(tree, edit.key)
    if not mentions and edit.adds and edit.new is not None:
        changed = _with_line(body, f"{edit.key} = {edit.new}")
    elif len(places) == mentions == 1 and _is_literal(places[0].value, edit.old):
        changed = _change(body, places[0], edit)
    else:
        changed = body
    return source[: len(source) - len(body)] + changed if changed != body and _is_valid(changed) else None


def _has_plain_lines(source: bytes) -> bool:
    """Return whether places in the file are where ast says they are: in UTF-8, and in lines that end as usual."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        source.decode("utf-8-sig")
    except (SyntaxError, UnicodeDecodeError):
        return False
    return encoding in ("utf-8", "utf-8-sig") and b"\r" not in source.replace(b"\r\n", b"") and b"\f" not in source


def _places(tree: ast.Module, name: str) -> Iterator[_Place]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            yield _Place(node.value, node if len(node.targets) == 1 else None)
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Assign) and _is_item_of_config(inner.targets[0], name):
            yield _Place(inner.value, None)
        elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr in _IN_CALLS:
            yield from (_Place(each.value, None) for each in inner.keywords if each.arg == name)


def _is_item_of_config(target: ast.expr, name: str) -> bool:
    """Return whether it is `app.config["NAME"]`."""
    if not isinstance(target, ast.Subscript) or not isinstance(target.slice, ast.Constant):
        return False
    return target.slice.value == name and isinstance(target.value, ast.Attribute) and target.value.attr == "config"


def _mentions(tree: ast.Module, name: str) -> int:
    """Count what may have to do with a setting: names, attributes, texts and keywords that are called so."""
    return sum(
        name in (getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "arg", None))
        or (isinstance(node, ast.Constant) and node.value == name)
        or (isinstance(node, ast.alias) and name in (node.name, node.asname))
        for node in ast.walk(tree)
    )


def _is_literal(value: ast.expr, old: str) -> bool:
    return isinstance(value, ast.Constant) and value.value == old


def _change(body: bytes, place: _Place, edit: Edit) -> bytes:
    if edit.new is not None:
        start, end = _span(body, place.value)
        quote = body[start : start + 1]
        new = edit.new.encode()
        if quote == b"'" and b"'" not in new and b"\\" not in new:
            new = b"'" + new[1:-1] + b"'"
        return body[:start] + new + body[end:]
    if place.statement is None:
        return body
    start, end = _span(body, place.statement)
    lines = body[:start].rpartition(b"\n")[2], body[end:].partition(b"\n")[0].strip()
    if lines[0].strip() or not (lines[1] == b"" or lines[1].startswith(b"#")):
        return body
    behind = body.find(b"\n", end) + 1 or len(body)
    return body[: start - len(lines[0])] + body[behind:]


def _span(body: bytes, node: ast.expr | ast.stmt) -> tuple[int, int]:
    starts = [0, *(index + 1 for index, byte in enumerate(body) if byte == ord("\n"))]
    end = starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)
    return starts[node.lineno - 1] + node.col_offset, end


def _with_line(body: bytes, line: str) -> bytes:
    newline = b"\r\n" if b"\r\n" in body else b"\n"
    between = b"" if not body or body.endswith(b"\n") else newline
    return body + between + line.encode() + newline


def _is_valid(body: bytes) -> bool:
    try:
        ast.parse(body)
    except SyntaxError:
        return False
    return True
