"""The configuration as each process of the development server reads it, with `isolate`."""

from __future__ import annotations

from dataclasses import replace

from multiserve.config.env_files import USUAL_NAME
from multiserve.config.model import Config
from multiserve.config.processes import for_group, isolated
from multiserve.errors import ConfigError, Problem, raise_for
from multiserve.servers.groups.interpreters import problem_of_interpreter
from multiserve.servers.groups.reading import Reading


def read_all(reading: Reading) -> Config:
    """Read the configuration of all processes.

    Raises:
        ConfigError: It is wrong.
    """
    config = reading.read()
    return isolated(config) if config.development.isolate else config


def read_checked(reading: Reading) -> Config:
    """Read the configuration of all processes, and check that each group has an interpreter.

    Raises:
        ConfigError: It is wrong.
    """
    config = read_all(reading)
    raise_for(filter(None, map(problem_of_interpreter, config.groups.values())), source=config.source.heading)
    return config


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
