"""What is known about mounts, as plain values for JSON and back: the process of a group may be another Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_PLAIN = (str, bool, int, float, NoneType)


def to_plain(value: Any) -> Any:
    """Return a value as JSON can have it, without the fields of dataclasses that do not compare: they hold objects."""
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if field.compare]
        return {name: to_plain(getattr(value, name)) for name in names}
    if hasattr(value, "_asdict"):
        return {name: to_plain(each) for name, each in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): to_plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(map(to_plain, value))
    return value if isinstance(value, _PLAIN) else str(value)  # a setting may be anything that looks like a text


def from_plain(kind: type[T], plain: Mapping[str, Any], **known: Any) -> T:
    """Return the dataclass, or the named tuple, of which `to_plain` has made plain values.

    Args:
        kind: Its class.
        plain: The plain values.
        known: Fields that are not among them.
    """
    hints = get_type_hints(kind)
    return kind(**{name: _read(hints[name], each) for name, each in plain.items() if name in hints}, **known)


def _read(hint: Any, value: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if value is None:
        return None
    if origin in (Union, UnionType):
        return _read(next(each for each in inner if each is not NoneType), value)
    if origin is tuple:
        return tuple(_read(inner[0], each) for each in value)
    if origin is frozenset:
        return frozenset(_read(inner[0], each) for each in value)
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or hasattr(hint, "_fields")):
        return from_plain(hint, value)
    return value
