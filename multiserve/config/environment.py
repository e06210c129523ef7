"""Reads what belongs to a process, never to one of its mounts: environment variables and the module search path."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from multiserve.config.tables import Table


def read_pythonpath(table: Table, folder: Path) -> list[Path]:
    """Read `pythonpath`: folders, relative to that of the file."""
    paths = [folder / text for text in table.texts("pythonpath")]
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises where a name is too long)
            table.refuse("pythonpath", f"no such folder: {path}", "Paths are relative to the folder of this file.")
    return paths


def read_env(table: Table) -> Mapping[str, str]:
    """Read a table of environment variables."""
    env = {}
    for name in table:
        if not name or "=" in name or "\0" in name:
            table.refuse(name, "not the name of an environment variable")
        elif (value := table.text(name)) is not None:
            env[name] = value
    return MappingProxyType(env)
