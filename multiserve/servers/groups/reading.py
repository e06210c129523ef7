"""How a server reads its configuration, in a form that can be told to the process of a group, which reads the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multiserve.config.model import Config
from multiserve.config.processes import for_group
from multiserve.config.source import Source
from multiserve.errors import ConfigError, Problem
from multiserve.servers.configuration import read_config


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read, and what counts before it.

    Attributes:
        source: Where the configuration comes from.
        values: What the command line and the environment say, by the names of the options.
        find_env_files: Find the files of environment variables. Another process is told the variables themselves: its
            interpreter may not have the package that reads them.
    """

    source: Source
    values: Mapping[str, Any]
    find_env_files: Callable[[], Sequence[Path]] = tuple

    def read(self) -> Config:
        """Read it.

        Raises:
            ConfigError: It is wrong.
        """
        return read_config(self.source, dict(self.values), self.find_env_files())

    def read_group(self, name: str) -> Config:
        """Read the configuration of a group.

        Raises:
            ConfigError: It is wrong, or has no such group.
        """
        config = self.read()
        if name not in config.groups:
            raise ConfigError(Problem(key="groups", message=f'there is no group "{name}" any more'))
        return for_group(config, config.groups[name])

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it, for a process with another working directory."""
        extra_files = [os.path.abspath(name) for name in self.values["extra_files"]]  # noqa: PTH100 (resolves no links)
        return {
            "path": str(self.source.path),
            "targets": list(self.source.targets),
            "values": {**self.values, "extra_files": extra_files},
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Reading:
        """Return what `as_json` has returned."""
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in given["values"].items()}
        source = Source(Path(given["path"]), tuple(given["targets"]))
        return cls(source=source, values=values)
