from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from multiserve.config.kinds.mount import Entry
from multiserve.config.source import Source
from multiserve.config.tables import Table
from multiserve.errors import Problem
from multiserve.keys import parse_key


@pytest.fixture
def entry_of() -> Callable[..., tuple[Entry, list[Problem]]]:
    """Make the entry of a table whose first option says the kind, and the list that takes its problems."""

    def make(key: str, options: dict[str, Any]) -> tuple[Entry, list[Problem]]:
        problems: list[Problem] = []
        table = Table(options, f'mounts."{key}"', problems)
        name = next(iter(options))
        source = Source(Path("/site/multiserve.toml"))
        return Entry(table=table, key=parse_key(key), source=source, holder=table, name=name, given=name), problems

    return make
