"""`multiserve schema`."""

from __future__ import annotations

import json

from multiserve.config.schema import make_schema


def test_schema_prints_the_schema_of_the_file(run):
    code, out, err = run("schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == make_schema()
