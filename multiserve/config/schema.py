"""A JSON Schema of the file, made from the dataclasses that read it, for editors that check while one types."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from multiserve.config.groups import NAME, Group
from multiserve.config.model import LEVELS, Config, Development, Server
from multiserve.config.mounts import KINDS, AppMount, Mount
from multiserve.config.targets import Target

_DRAFT = "http://json-schema.org/draft-07/schema#"  # the one that editors' extensions for TOML know
_KEY = r"^/|[.:\[{]|^localhost$"  # a path, or what looks like a host
_TEXT = {"type": "string"}
_TYPES: dict[Any, str] = {bool: "boolean", int: "integer", str: "string"}


def make_schema() -> dict[str, Any]:
    """Return the schema of a multiserve.toml (JSON Schema, draft 7)."""
    tables = {
        "mounts": _mounts(),
        "severity": {"type": "object", "additionalProperties": {"enum": list(LEVELS)}},
        "env": {"type": "object", "additionalProperties": _TEXT},
        "server": _table(Server),
        "development": _table(Development),
        "gunicorn": {"type": "object"},
        "groups": {"type": "object", "propertyNames": {"pattern": f"^{NAME}$"}, "additionalProperties": _group()},
    }
    properties = {
        field.name: {"description": field.metadata["help"], **(tables.get(field.name) or _texts(field))}
        for field in dataclasses.fields(Config)
        if field.metadata
    }
    return {
        "$schema": _DRAFT,
        "title": "multiserve.toml",
        "description": "Python web applications, composed on one origin.",
        "type": "object",
        "properties": properties,
        "required": ["mounts"],
        "additionalProperties": False,
    }


def _mounts() -> dict[str, Any]:
    target = {**_TEXT, "description": AppMount.help, "minLength": 1}
    literal = [_mount(kind) for kind in KINDS if not kind.has_placeholders]
    captured = [_mount(kind) for kind in KINDS if kind.has_placeholders]
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": _KEY},
        "patternProperties": {r"\{": {"anyOf": [target, *captured]}},
        "additionalProperties": {"anyOf": [target, *literal]},
    }


def _mount(kind: type[Mount]) -> dict[str, Any]:
    table = _table(kind)
    what = {kind.given: {**_TEXT, "description": kind.help, "minLength": 1}}
    return {**table, "properties": {**what, **table["properties"]}, "required": [kind.given]}


def _group() -> dict[str, Any]:
    table = _table(Group)
    variables = table["properties"]["env"]
    table["properties"]["env"] = {**variables, "additionalProperties": _TEXT}
    return table


def _table(kind: type) -> dict[str, Any]:
    """Describe a table by the options of a dataclass."""
    hints = get_type_hints(kind)
    options = [field for field in dataclasses.fields(kind) if field.metadata]
    return {
        "type": "object",
        "properties": {field.name: _option(field, hints[field.name]) for field in options},
        "additionalProperties": False,
    }


def _option(field: dataclasses.Field[Any], hint: Any) -> dict[str, Any]:
    described = {"description": field.metadata["help"], **_value(field.metadata, hint)}
    if field.default in (None, dataclasses.MISSING):
        return described
    return {**described, "default": list(field.default) if isinstance(field.default, tuple) else field.default}


def _value(metadata: Mapping[str, Any], hint: Any) -> dict[str, Any]:
    if choices := metadata.get("choices"):
        return {"enum": list(choices)}
    if getattr(hint, "__origin__", None) is tuple:
        pattern = {"pattern": metadata["pattern"]} if "pattern" in metadata else {}
        return {"type": "array", "items": {**_TEXT, **pattern}}
    if getattr(hint, "__origin__", None) is Mapping:
        return {"type": "object"}
    kind = next((each for each in get_args(hint) if each is not NoneType), hint)
    kind = str if kind in (Target, Path) else kind
    bounds = {name: metadata[name] for name in ("minimum", "maximum") if name in metadata}
    number = {"type": _TYPES[kind], **bounds}
    return {"anyOf": [number, {**_TEXT, "pattern": metadata["text"]}]} if "text" in metadata else number


def _texts(field: dataclasses.Field[Any]) -> dict[str, Any]:
    default: Any = field.default
    return {**_value(field.metadata, tuple[str, ...]), "default": list(default)}
