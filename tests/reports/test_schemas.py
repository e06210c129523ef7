"""The schemas of what commands print; tests/cli/test_schema.py holds real output against them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from jsonschema import Draft7Validator

from multiserve.reports.schemas import NAMES, output_schema


def objects(schema: object) -> Iterator[dict]:
    """Yield each schema of an object with properties."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_and_leaves_nothing_open(name):
    schema = output_schema(name)
    Draft7Validator.check_schema(schema)
    assert schema["title"].startswith("multiserve ")
    found = list(objects(schema))
    assert found
    assert all(each["additionalProperties"] is False and each["description"] for each in found)
