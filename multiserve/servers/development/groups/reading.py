"""The configuration as each process of the development server reads it, with `isolate`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from multiserve.config.env_files import USUAL_NAME
from multiserve.config.groups import Group
from multiserve.config.model import Config
from multiserve.config.processes import for_group, isolated
from multiserve.errors import ConfigError, Problem, raise_for
from multiserve.servers.groups.interpreters import problem_of_interpreter
from multiserve.servers.groups.reading import Reading
from multiserve.servers.groups.system import problem_of_system


def read_all(reading: Reading) -> Config:
    """Read the configuration of all processes.

    Raises:
        ConfigError: It is wrong.
    """
    config = reading.read()
    raise_for(filter(None, (problem_of_system(config),)), source=config.source.heading)
    return isolated(config) if config.development.isolate else config


def read_checked(reading: Reading, known: Collection[Path | None] = ()) -> Config:
    """Read the configuration of all processes, and check that each group has an interpreter.

    Args:
        reading: What is read.
        known: The interpreters that need not be asked, as the parent has done so.

    Raises:
        ConfigError: It is wrong.
    """
    config = read_all(reading)
    groups = (group for group in used_groups(config) if group.python not in known)
    raise_for(filter(None, map(problem_of_interpreter, groups)), source=config.source.heading)
    return config


def used_groups(config: Config) -> list[Group]:
    """Return the groups that have mounts: `--only` may leave others without."""
    return [config.groups[name] for name in dict.fromkeys(mount.group for mount in config.mounts if mount.group)]


def read_group(reading: Reading, name: str, host: str, port: int) -> Config:
    """Read the configuration of a group, with the address that its clients use.

    Raises:
        ConfigError: It is wrong, or has no such group.
    """
    config = read_all(reading)
    if name not in config.groups:
        raise ConfigError(Problem(key="groups", message=f'there is no group "{name}" any more'))
    config = for_group(config, config.groups[name])
    return replace(config, server=replace(config.server, host=host, port=port))


def files_of_all(config: Config) -> list[str]:
    """Return the files that concern all processes: those that the configuration is read from."""
    env_files = config.env_files or (config.folder / USUAL_NAME,)
    return [str(path) for path in (config.path, *env_files) if path]
