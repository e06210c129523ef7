"""JSON Schemas of TypedDicts."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from jsonschema import Draft7Validator

from multiserve.reports.json_schema import schema_of


class Inner(TypedDict):
    """What is
    inside."""

    anything: Any


class Outer(Inner):
    """All."""

    text: Annotated[str, "A text."]
    number: Annotated[int | None, "A number, or null."]
    word: Literal["a", "b"]
    inner: Annotated[list[Inner], "Some."]
    by_name: dict[str, float]
    late: NotRequired[Annotated[bool, "Not always."]]


def test_the_schema_says_what_the_types_say():
    inner = {
        "description": "What is inside.",
        "type": "object",
        "properties": {"anything": {}},
        "required": ["anything"],
        "additionalProperties": False,
    }
    found = schema_of(Outer, "a title")
    Draft7Validator.check_schema(found)
    assert found == {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "a title",
        "description": "All.",
        "type": "object",
        "properties": {
            "anything": {},
            "text": {"type": "string", "description": "A text."},
            "number": {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "A number, or null."},
            "word": {"enum": ["a", "b"]},
            "inner": {"type": "array", "items": inner, "description": "Some."},
            "by_name": {"type": "object", "additionalProperties": {"type": "number"}},
            "late": {"type": "boolean", "description": "Not always."},
        },
        "required": ["anything", "text", "number", "word", "inner", "by_name"],
        "additionalProperties": False,
    }
