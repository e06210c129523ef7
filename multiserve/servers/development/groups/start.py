"""How the process of a group is started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from multiserve.config.groups import Group
from multiserve.config.model import Config
from multiserve.config.mounts import FleetMount
from multiserve.config.processes import for_group
from multiserve.servers.groups.interpreters import start_by

CHILD = "multiserve.servers.development.groups.child"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """All that belongs to the start of a process: where two of them are equal, the process may stay.

    Attributes:
        name: The name of the group.
        command: What to run, without its arguments.
        environ: All of its environment variables.
        order: What it is told first.
        config: The configuration of the group.
        concerns: What is in that which makes it another group: not the mounts of others, nor what comes into a fleet.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    order: Mapping[str, Any]
    config: Config = field(compare=False)
    concerns: Config


def start_of(config: Config, group: Group, environ: Mapping[str, str], order: Mapping[str, Any]) -> Start:
    """Return how to start a group of a configuration.

    Args:
        config: The configuration of all processes.
        group: The group.
        environ: The environment variables of this process.
        order: What all groups are told.

    Raises:
        InterpreterError: Its interpreter cannot be used any more.
    """
    command, variables = start_by(group, f"{CHILD}:main", environ)
    directory = group.directory or config.folder
    own = for_group(config, group)
    mounts = (
        replace(mount, members=(), left_out=()) if isinstance(mount, FleetMount) else mount for mount in own.mounts
    )
    concerns = replace(
        own,
        mounts=tuple(mount for mount in mounts if not mount.is_member),
        elsewhere=(),
        groups=MappingProxyType({group.name: group}),
        written=MappingProxyType({}),
    )
    return Start(
        name=group.name,
        command=command,
        environ=variables,
        order={**order, "group": group.name, "directory": str(directory), "files": group.max_open_files},
        config=own,
        concerns=concerns,
    )
