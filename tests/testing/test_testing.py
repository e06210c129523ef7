"""The public names for tests of a composition."""

from __future__ import annotations

from pathlib import Path

import pytest

from multiserve import testing

DOCUMENT = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")


@pytest.mark.parametrize("name", testing.__all__)
def test_every_name_is_documented(name):
    assert getattr(testing, name).__doc__
    assert f"`{name}`" in DOCUMENT


def test_every_method_of_the_client_is_documented():
    methods = [name for name, value in vars(testing.Client).items() if callable(value) and not name.startswith("_")]
    assert [name for name in methods if f"`client.{name}(" not in DOCUMENT] == []
    assert methods == ["get", "post", "request"]
