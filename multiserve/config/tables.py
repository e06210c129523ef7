"""A typed reader of one TOML table: it knows key paths, types, unknown keys and near misses, and nothing of mounts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

from multiserve.errors import Problem

T = TypeVar("T")

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def option(default: Any = dataclasses.MISSING, *, help: str, **bounds: Any) -> Any:  # noqa: A002 (click's word)
    """Declare one option of the file as a dataclass field: its default, its help, `minimum`/`maximum` or `choices`."""
    return dataclasses.field(default=default, metadata={"help": help, **bounds})


def quote_key(key: str) -> str:
    """Spell one key as TOML does: bare where possible, else in quotes."""
    if _BARE.fullmatch(key):
        return key
    return quote_text(key)


def quote_text(text: str) -> str:
    """Spell a text as TOML does, in one line."""
    return f'"{"".join(map(_escape, text))}"'


def _escape(character: str) -> str:
    if character in _ESCAPES or character.isprintable():
        return _ESCAPES.get(character, character)
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 (what four digits can hold)


def describe(value: object) -> str:
    """Name the TOML type of a value, as in "found a list"."""
    for types, name in _TYPE_NAMES:
        if isinstance(value, types):
            return name
    return type(value).__name__


_TYPE_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),  # before int: True is never an integer
    (int, "a whole number"),
    (float, "a number with a fraction"),
    (str, "a text"),
    (list, "a list"),
    (dict, "a table"),
    ((dt.date, dt.time), "a date or time"),
)


_READABLE = 20  # choices that a person reads through


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Ask for the nearest of the choices, or list them all unless they are too many to read; empty then."""
    import difflib  # only where something is wrong

    known = sorted(choices)
    if near := difflib.get_close_matches(word, known, n=1):
        return f'Did you mean "{near[0]}"?'
    return f"Known here: {', '.join(known)}." if len(known) <= _READABLE else ""


class Table:
    """One table of the file; what is wrong in it is added to a list that all tables share."""

    def __init__(self, values: Mapping[str, Any], key: str, problems: list[Problem]) -> None:
        """Read `values`, which the file holds under the key path `key`."""
        self.values = values
        self.key = key
        self.problems = problems

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def path(self, name: str) -> str:
        """Return the key path of one entry, as TOML spells it."""
        return f"{self.key}.{quote_key(name)}" if self.key else quote_key(name)

    def refuse(self, name: str, message: str, hint: str = "") -> None:
        """Add a problem with one entry."""
        self.problems.append(Problem(key=self.path(name), message=message, hint=hint))

    def refuse_unknown(self, known: Iterable[str], meant: Mapping[str, str] = MappingProxyType({})) -> None:
        """Add a problem for every key that is not `known`; `meant` has other words for some that are."""
        choices = tuple(known)
        for name in self.values:
            if name not in choices:
                hint = f'Did you mean "{meant[name]}"?' if name in meant else did_you_mean(name, choices)
                self.refuse(name, "no such key", hint)

    def table(self, name: str) -> Table:
        """Read a table; an empty one if it is missing or not a table."""
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            self.refuse(name, f"expected a table, found {describe(value)}", f"Write [{self.path(name)}].")
            value = {}
        return Table(value, self.path(name), self.problems)

    def text(self, name: str, default: str | None = None) -> str | None:
        """Read a text without NUL characters, or give the default."""
        value: object = self.values.get(name, default)
        if value is default:
            return default
        if not isinstance(value, str):
            hint = "Write one text in quotes." if isinstance(value, list | dict) else "Put the value in quotes."
            self.refuse(name, f"expected a text, found {describe(value)}", hint)
            return default
        if "\0" in value:
            self.refuse(name, "the text contains a NUL character", "Take the character out.")
            return default
        return value

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Read a list of texts, or give the default."""
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(each, str) and "\0" not in each for each in value):
            found = "a list with something else in it" if isinstance(value, list) else describe(value)
            self.refuse(name, f"expected a list of texts, found {found}", f'Write {quote_key(name)} = ["...", "..."].')
            return default
        return tuple(value)

    def boolean(self, name: str, default: bool | None) -> bool | None:  # noqa: FBT001 (a value, not a switch)
        """Read true or false, or give the default."""
        value: object = self.values.get(name, default)
        if value is default or isinstance(value, bool):
            return value
        self.refuse(name, f"expected true or false, found {describe(value)}", "Write it without quotes.")
        return default

    def choice(self, name: str, default: Any, choices: Sequence[Any]) -> Any:
        """Read one of some texts, or of some whole numbers, or give the default."""
        is_text = isinstance(choices[0], str)
        value: Any = self.text(name, default) if is_text else self.integer(name, default)
        if value is default or value in choices:
            return value
        hint = did_you_mean(value, choices) if is_text else f"Known here: {', '.join(map(str, choices))}."
        self.refuse(name, f'"{value}" is not one of the choices', hint)
        return default

    def integer(self, name: str, default: int, *, minimum: int | None = None, maximum: int | None = None) -> int:
        """Read a whole number within its bounds, or give the default."""
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            hint = "Write it without quotes." if isinstance(value, str) else "Write a number such as 1."
            self.refuse(name, f"expected a whole number, found {describe(value)}", hint)
            return default
        if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            self.refuse(name, f"{_shorten(value)} is out of range", f"Write a number from {minimum} to {maximum}.")
            return default
        return value

    def read(self, kind: type[T], **given: Any) -> T:
        """Read the table into a dataclass whose fields are options; every other key is a problem.

        Args:
            kind: The dataclass.
            given: Fields that are known already, and not read from the table.
        """
        fields = {field.name: field for field in dataclasses.fields(kind) if "help" in field.metadata}  # type: ignore[arg-type]
        self.refuse_unknown(fields)
        hints = _type_hints(kind)  # type: ignore[arg-type] # a class can be hashed
        read = {name: self._read_field(field, hints[name]) for name, field in fields.items() if name not in given}
        return kind(**given, **read)

    def _read_field(self, field: dataclasses.Field[Any], hint: Any) -> Any:
        default: Any = field.default
        if field.name not in self.values:
            return default
        if "choices" in field.metadata:
            return self.choice(field.name, default, field.metadata["choices"])
        if hint in (bool, bool | None):
            return self.boolean(field.name, default)
        if hint in (int, int | None):
            bounds = {name: bound for name, bound in field.metadata.items() if name != "help"}
            return self.integer(field.name, default, **bounds)
        if hint == tuple[str, ...]:
            return self.texts(field.name, default)
        return self.text(field.name, default)


@functools.cache
def _type_hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)  # it takes long, and a file may have a thousand mounts of a kind


def _shorten(value: int) -> str:
    # Python refuses to print an integer of more than 4300 digits, and one of 30 is not readable.
    return str(value) if -(10**20) < value < 10**20 else "a number of that size"
