from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from multiserve.config.mounts import KINDS, AppMount, Mount, RedirectMount, StaticMount, TenantMount, read_mount
from multiserve.config.source import Source
from multiserve.config.tables import Table
from multiserve.errors import Problem
from multiserve.keys import parse_key


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        pytest.param("/x", "shop", AppMount, id="a bare string"),
        pytest.param("/{x}", "shop", TenantMount, id="a bare string with a placeholder"),
        pytest.param("/x", {"app": "shop"}, AppMount, id="app"),
        pytest.param("{x}.example.com", {"app": "shop"}, TenantMount, id="app with a placeholder"),
        pytest.param("/x", {"static": "web"}, StaticMount, id="static"),
        pytest.param("/x", {"redirect": "/y"}, RedirectMount, id="redirect"),
    ],
)
def test_the_keyword_and_the_key_tell_the_kind(key: str, value: Any, kind: type[Mount]) -> None:
    problems: list[Problem] = []
    mount = read_mount(
        Table({key: value}, "mounts", problems), key, parse_key(key), Source(Path("/site/multiserve.toml"))
    )
    assert problems == []
    assert type(mount) is kind


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.has_placeholders])
def test_the_hint_for_an_entry_without_a_keyword_shows_every_kind(kind: type[Mount]) -> None:
    problems: list[Problem] = []
    assert (
        read_mount(Table({"/x": {}}, "mounts", problems), "/x", parse_key("/x"), Source(Path("/multiserve.toml")))
        is None
    )
    assert kind.example in problems[0].hint
    assert kind.noun in problems[0].message
