"""YAML 1.2 for the few kinds of values that exports have: mappings, lists, texts, numbers, true and false."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Value: TypeAlias = "Mapping[str, Value] | Sequence[Value] | str | int | bool | None"

_CONTROL = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # what YAML does not print
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@-]*(:[0-9A-Za-z_.-]+)*")
_MEANT_OTHERWISE = re.compile("(?i:y|n|yes|no|on|off|true|false|null|inf|nan)")  # by YAML 1.1, which many still read


def dump(value: Mapping[str, Value]) -> str:
    """Return a document."""
    return "\n".join([*_mapping(value, ""), ""])


def dump_all(values: Sequence[Mapping[str, Value]]) -> str:
    """Return several documents in one text."""
    return "---\n".join(map(dump, values))


def _mapping(value: Mapping[str, Value], indent: str) -> Iterator[str]:
    for key, each in value.items():
        yield from _entry(f"{indent}{_text(key)}:", each, indent)


def _entry(begin: str, value: Value, indent: str) -> Iterator[str]:
    """Yield the lines of a value that stands behind its key."""
    if isinstance(value, str) and "\n" in value and _can_be_block(value):
        yield f"{begin} |"
        yield from (f"{indent}  {line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    elif isinstance(value, Mapping) and value:
        yield begin
        yield from _mapping(value, f"{indent}  ")
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        yield begin
        for each in value:
            yield from _item(each, f"{indent}  ")
    else:
        yield f"{begin} {_scalar(value)}"


def _item(value: Value, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        first, *more = _mapping(value, f"{indent}  ")
        yield f"{indent}- {first.lstrip(' ')}"
        yield from more
    else:
        yield f"{indent}- {_scalar(value)}"


def _scalar(value: Value) -> str:
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and not _MEANT_OTHERWISE.fullmatch(text)
    # Every text of JSON is one of YAML, if no character of it is written as two.
    return text if is_plain else _CONTROL.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _can_be_block(text: str) -> bool:
    """Return whether a text is the same after it was written as a block: it ends with one newline, and is plain."""
    lines = text.split("\n")
    return text.endswith("\n") and not text.endswith("\n\n") and lines[0][:1] not in ("", " ") and text.isascii()
