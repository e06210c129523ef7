"""A JSON Schema of what a command prints, made from the TypedDicts by which the values for JSON are typed."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

_DRAFT = "http://json-schema.org/draft-07/schema#"  # the same as that of the file
_TYPES: dict[Any, str] = {bool: "boolean", int: "integer", float: "number", str: "string", NoneType: "null"}


def schema_of(kind: type, title: str) -> dict[str, Any]:
    """Return the schema of a document (JSON Schema, draft 7).

    Args:
        kind: A TypedDict. Its docstring, and the texts of Annotated, are the descriptions.
        title: The title of the document.
    """
    return {"$schema": _DRAFT, "title": title, **_object(kind)}


def _object(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    required = [name for name, hint in hints.items() if get_origin(hint) is not NotRequired]
    return {
        "description": " ".join((kind.__doc__ or "").split()),
        "type": "object",
        "properties": {name: _value(hint) for name, hint in hints.items()},
        "required": required,
        "additionalProperties": False,
    }


def _value(hint: Any) -> dict[str, Any]:
    origin = get_origin(hint)
    if origin in _WRITERS:
        return _WRITERS[origin](*get_args(hint))
    if is_typeddict(hint):
        return _object(hint)
    return {} if hint is Any else {"type": _TYPES[hint]}


def _one_of(*kinds: Any) -> dict[str, Any]:
    return {"anyOf": [_value(each) for each in kinds]}


_WRITERS: dict[Any, Callable[..., dict[str, Any]]] = {
    NotRequired: _value,
    Annotated: lambda kind, text: {**_value(kind), "description": text},
    Literal: lambda *values: {"enum": list(values)},
    Union: _one_of,
    UnionType: _one_of,
    list: lambda kind: {"type": "array", "items": _value(kind)},
    dict: lambda _, kind: {"type": "object", "additionalProperties": _value(kind)},
}
