"""Where the keys and values of a TOML file stand; the text has to be valid, as it has been read before."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

KeyPath: TypeAlias = tuple[str, ...]

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[\s,]|#[^\n]*)*")
_REST_OF_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_PART = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*""")
_SCALARS = (
    r'"""(?:[^\\]|\\.)*?"{3,5}',
    r"'''.*?'{3,5}",
    r'"(?:[^"\\]|\\.)*"',
    r"'[^']*'",
    r"[^,\]}#\n]*[^,\]}#\s]",
)
_SCALAR = re.compile("|".join(_SCALARS), re.DOTALL)
_OF_LIST = "[]"  # what stands for the number of an element, which no edit names


class Span(NamedTuple):
    """A part of a text, from its first character to the one behind it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value.

    Attributes:
        path: The whole key path.
        start: Where the key begins.
        value: The value.
        table: Which of the tables it is in; -1 for those that have a header of their own.
        is_inline: Whether it is inside of braces, beside others in a line.
    """

    path: KeyPath
    start: int
    value: Span
    table: int
    is_inline: bool


@dataclass(slots=True)
class Places:
    """The places of a file.

    Attributes:
        entries: All keys, in the order of the file.
        headers: The tables that have a header: their paths, and where the line of the header ends.
        items: The elements of each list, by its key path.
    """

    text: str
    entries: list[Entry] = field(default_factory=list)
    headers: list[tuple[KeyPath, int]] = field(default_factory=list)
    items: dict[KeyPath, list[Span]] = field(default_factory=dict)

    def entry(self, path: KeyPath) -> Entry | None:
        """Return the entry of a key path."""
        return next((each for each in self.entries if each.path == path), None)

    def beside(self, entry: Entry) -> list[Entry]:
        """Return all entries inside of the same braces."""
        return [each for each in self.entries if each.is_inline and each.path[:-1] == entry.path[:-1]]


def find_places(text: str) -> Places:
    """Return the places of all keys, values and elements."""
    places = Places(text)
    table: KeyPath = ()
    position = _skip(_BLANK, text, 0)
    while position < len(text):
        if text[position] == "[":
            brackets = 2 if text.startswith("[[", position) else 1
            table, _ = _key(text, position + brackets)
            table = (*table, _OF_LIST) if brackets > 1 else table
            position = _skip(_REST_OF_LINE, text, position)
            places.headers.append((table, position))
        else:
            position = _pair(places, position, table, is_inline=False)
        position = _skip(_BLANK, text, position)
    return places


def parse_key_path(key: str) -> KeyPath:
    """Return the parts of a key path as TOML spells it."""
    return _key(key, 0)[0]


def _key(text: str, position: int) -> tuple[KeyPath, int]:
    parts = []
    while match := _PART.match(text, position):
        part: Any = tomllib.loads(f"x = {match[1]}")["x"] if match[1][0] in "\"'" else match[1]
        parts.append(part)
        position = match.end()
        if text[position : position + 1] != ".":
            break
        position += 1
    return tuple(parts), position


def _pair(places: Places, position: int, table: KeyPath, *, is_inline: bool) -> int:
    """Note a key with its value, and return the position behind it."""
    name, behind = _key(places.text, position)
    path = (*table, *name)
    start = _skip(_SPACE, places.text, behind + 1)  # behind the equals sign
    end = _value(places, start, path)
    places.entries.append(Entry(path, position, Span(start, end), len(places.headers) - 1, is_inline))
    return end


def _value(places: Places, start: int, path: KeyPath) -> int:
    text = places.text
    if text[start] not in "[{":
        return _skip(_SCALAR, text, start)
    position = _skip(_BLANK, text, start + 1)
    while text[position] not in "]}":
        if text[start] == "{":
            position = _pair(places, position, path, is_inline=True)
        else:
            end = _value(places, position, (*path, _OF_LIST))
            places.items.setdefault(path, []).append(Span(position, end))
            position = end
        position = _skip(_BLANK, text, position)
    return position + 1


def _skip(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
