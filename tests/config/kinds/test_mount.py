from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from multiserve.config.kinds.mount import Entry, Mount, read_middleware
from multiserve.config.mounts import KINDS
from multiserve.config.source import Source
from multiserve.config.tables import Table
from multiserve.config.targets import parse_target
from multiserve.errors import Problem
from multiserve.keys import parse_key


def test_the_options_of_every_mount_are_read() -> None:
    problems: list[Problem] = []
    options: dict[str, Any] = {"app": "x", "required": True, "slash": "redirect", "probe": ["/a"], "ignore": ["MS100"]}
    table = Table(options, 'mounts."/x"', problems)
    entry = Entry(
        table=table, key=parse_key("/x"), source=Source(Path("/multiserve.toml")), holder=table, name="app", given="app"
    )
    mount = entry.read(Mount, what="x")
    assert problems == []
    assert mount == Mount(
        key=parse_key("/x"),
        toml_key='mounts."/x"',
        what="x",
        required=True,
        slash="redirect",
        probe=("/a",),
        ignore=("MS100",),
    )
    assert (mount.name, mount.mentions("X"), mount.mentions("y")) == ("/x", True, False)


def test_middleware_without_a_name_is_refused() -> None:
    problems: list[Problem] = []
    table = Table({"middleware": ["outer:Wrap", "inner"]}, 'mounts."/x"', problems)
    assert read_middleware(table) == (parse_target("outer:Wrap"),)
    assert problems == [
        Problem(
            key='mounts."/x".middleware',
            message='"inner" names nothing in the module',
            hint='Write "inner:name" or "inner:name(option=1)".',
        )
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_describes_itself(kind: type[Mount]) -> None:
    assert kind.example.startswith(f"{{ {kind.given} = ")
    assert kind.noun.startswith(("a ", "an "))
    assert kind.help.endswith(".")
