"""What is wrong with the groups of a configuration on this machine: their interpreters and their users."""

from __future__ import annotations

import os
from collections.abc import Iterator

from multiserve.config.groups import Group
from multiserve.config.model import Config
from multiserve.errors import Problem
from multiserve.servers.groups.interpreters import problem_of_interpreter
from multiserve.servers.groups.system import problem_of_system


def problems_of_groups(config: Config) -> Iterator[Problem]:
    """Find what keeps the process of a group from being started."""
    if problem := problem_of_system(config):
        yield problem
    for group in config.groups.values():
        if problem := problem_of_interpreter(group):
            yield problem
        if group.user:
            yield from _problems_of_user(group)


def _problems_of_user(group: Group) -> Iterator[Problem]:
    key = f"{group.toml_key}.user"
    try:
        import pwd

        number = pwd.getpwnam(group.user).pw_uid
    except (ImportError, KeyError):
        hint = "Write the name of a user of this machine."
        yield Problem(key=key, message=f'there is no user "{group.user}"', hint=hint)
        return
    if os.geteuid() not in (0, number):
        hint = "Start multiserve as root, or leave user out."
        yield Problem(key=key, message=f'only root can start a process as "{group.user}"', hint=hint)
