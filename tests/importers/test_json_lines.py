from __future__ import annotations

import pytest

from multiserve.importers.json_lines import read_json


def test_each_value_has_its_line():
    document, lines = read_json('\n{\n  "a": [\n    1,\n    {"b": true}\n  ],\n  "c\\/d": null\n}\n')
    assert document == {"a": [1, {"b": True}], "c/d": None}
    assert {path: lines[path] for path in [(), ("a",), ("a", 0), ("a", 1), ("a", 1, "b")]} == {
        (): 2,
        ("a",): 3,
        ("a", 0): 4,
        ("a", 1): 5,
        ("a", 1, "b"): 5,
    }


def test_what_is_no_json():
    with pytest.raises(ValueError, match="Expecting"):
        read_json("{'a': 1}")
