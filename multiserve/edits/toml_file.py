"""Changes one key of a TOML file and leaves every other byte as it is."""

from __future__ import annotations

import copy
import re
import tomllib
from typing import Any

from multiserve.config.tables import quote_key
from multiserve.edits.toml_places import Entry, KeyPath, Places, Span, find_places, parse_key_path
from multiserve.findings import Edit

_BOM = "\ufeff"
_ALONE = re.compile(r"[ \t]*,?[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")  # what may stand behind what has a line of its own


def edit_toml(text: str, edit: Edit) -> str | None:
    """Return the text with one key changed; None where the key is not there, or the result would be another one.

    Args:
        text: The whole file.
        edit: The new value of a key, an element to take out of its list, or a key to remove.
    """
    path = parse_key_path(edit.key)
    body = text.removeprefix(_BOM)
    try:
        wanted = _changed(tomllib.loads(body), path, edit)
        changed = _edit(body, path, edit)
        if changed is None or tomllib.loads(changed) != wanted:
            return None
    except (KeyError, ValueError, TypeError, AttributeError):  # it is not as it was when it was checked
        return None
    return text[: len(text) - len(body)] + changed


def _changed(document: dict[str, Any], path: KeyPath, edit: Edit) -> dict[str, Any]:
    """Return what the file has to say after the change."""
    wanted = copy.deepcopy(document)
    table = wanted
    for part in path[:-1]:
        if isinstance(table[part], str):
            table[part] = {"app": table[part]}
        table = table[part]
    if edit.new is not None:
        table[path[-1]] = tomllib.loads(f"x = {edit.new}")["x"]
    elif edit.old:
        table[path[-1]].remove(edit.old)
        if not table[path[-1]]:
            del table[path[-1]]
    else:
        del table[path[-1]]
    return wanted


def _edit(text: str, path: KeyPath, edit: Edit) -> str | None:
    places = find_places(text)
    entry = places.entry(path)
    if edit.new is not None:
        return _replace(text, entry.value, edit.new) if entry else _add(places, path, edit.new)
    if entry is None:
        return None
    items = places.items.get(path, [])
    if edit.old and len(items) > 1:
        spelled = [tomllib.loads(f"x = {text[item.start : item.end]}")["x"] for item in items]
        return _take_out(text, items, spelled.index(edit.old))
    return _remove(places, entry)


def _replace(text: str, span: Span, new: str) -> str:
    return text[: span.start] + new + text[span.end :]


def _remove(places: Places, entry: Entry) -> str:
    if not entry.is_inline:
        return _replace(places.text, _whole_lines(places.text, Span(entry.start, entry.value.end)) or Span(0, 0), "")
    beside = places.beside(entry)
    return _take_out(places.text, [Span(each.start, each.value.end) for each in beside], beside.index(entry))


def _take_out(text: str, spans: list[Span], index: int) -> str:
    """Take one of several spans, which commas separate, out of a text."""
    span = spans[index]
    if "\n" in text[spans[0].start : spans[-1].end] and (lines := _whole_lines(text, span)):
        return _replace(text, lines, "")
    if index + 1 < len(spans):
        return _replace(text, Span(span.start, spans[index + 1].start), "")
    return _replace(text, Span(spans[index - 1].end if index else span.start, span.end), "")


def _whole_lines(text: str, span: Span) -> Span | None:
    """Return the lines that a span has for itself, but for a comment; None if something else is on them."""
    start = text.rfind("\n", 0, span.start) + 1
    behind = _ALONE.match(text, span.end)
    return Span(start, behind.end()) if behind and not text[start : span.start].strip() else None


def _add(places: Places, path: KeyPath, value: str) -> str | None:
    """Add a key to its table: one with a header, one in braces, or a mount that is a target alone."""
    text, table = places.text, path[:-1]
    line = f"{quote_key(path[-1])} = {value}"
    for number, (header, end) in enumerate(places.headers):
        if header == table:
            last = max((each.value.end for each in places.entries if each.table == number), default=end - 1)
            return _add_line(text, text.find("\n", last), line)
    entry = places.entry(table)
    if entry is None:
        return None
    start, end = entry.value
    if text[start] != "{":
        return _replace(text, entry.value, f"{{ app = {text[start:end]}, {line} }}")
    inside = [each.value.end for each in places.entries if each.is_inline and each.path[:-1] == table]
    return _replace(text, Span(inside[-1], inside[-1]), f", {line}") if inside else None


def _add_line(text: str, end: int, line: str) -> str:
    """Add a line behind that whose newline is at `end`, which is -1 for the last line without one."""
    newline = "\r\n" if "\r\n" in text else "\n"
    if end < 0:
        return f"{text}{newline}{line}{newline}"
    return f"{text[: end + 1]}{line}{newline}{text[end + 1 :]}"
