"""The configuration of each process: of the one in front of all groups, and of each group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from multiserve.config.groups import Group
from multiserve.config.kinds.grouped import GroupedMount
from multiserve.config.model import Config
from multiserve.errors import ConfigError, Problem

# What a group takes over from [gunicorn]; everything else there is about the process in front.
_TAKEN_OVER = (
    *("graceful_timeout", "keepalive", "max_requests", "max_requests_jitter", "timeout"),
    *("umask", "worker_connections", "worker_tmp_dir"),
    *("capture_output", "errorlog", "loglevel", "logconfig", "logconfig_dict", "logconfig_json"),
    *("syslog", "syslog_addr", "syslog_facility", "syslog_prefix"),
)
# All headers of a request come in one (multiserve.mounts.grouped.envelope); the process in front has limited them.
_GIVEN = {"limit_request_field_size": 0}


def for_front(config: Config, sockets: Mapping[str, str]) -> Config:
    """Return the configuration of the process in front: what belongs to a group is handed on to its socket.

    Args:
        config: The configuration.
        sockets: The path of the socket of each group.
    """
    mounts = tuple(
        GroupedMount(
            key=mount.key,
            toml_key=mount.toml_key,
            what=mount.what,
            required=mount.required,
            group=mount.group,
            socket=sockets[mount.group],
            mount=mount,
        )
        if mount.group in sockets
        else mount
        for mount in config.mounts
    )
    return replace(config, mounts=mounts)


def for_group(config: Config, group: Group) -> Config:
    """Return the configuration of the process of a group: all other mounts are elsewhere."""
    mounts = group.mounts_of(config.mounts)
    elsewhere = tuple(mount for mount in config.mounts if mount not in mounts)
    taken_over = {name: config.gunicorn[name] for name in _TAKEN_OVER if name in config.gunicorn}
    return replace(
        config,
        mounts=mounts,
        elsewhere=(*config.elsewhere, *elsewhere),
        env=MappingProxyType({**config.env, **group.env}),
        pythonpath=(*group.pythonpath, *config.pythonpath),
        # What is around all mounts, and what the client is, the process in front has seen to.
        server=replace(config.server, middleware=(), trusted_proxies=0),
        gunicorn=MappingProxyType({**taken_over, **_GIVEN, **group.gunicorn, "workers": group.workers}),
        group=group.name,
    )


def for_group_alone(config: Config, name: str) -> Config:
    """Return the configuration of a process that serves a group by itself, with no other process in front.

    Everything but the interpreter and the user of the group counts, and what concerns clients is that of the file.

    Raises:
        ConfigError: There is no such group.
    """
    if name not in config.groups:
        hint = f"The groups are {', '.join(config.groups)}." if config.groups else "The file has no groups."
        raise ConfigError(Problem(key="--only-group", message=f'there is no group "{name}"', hint=hint))
    group = config.groups[name]
    inside = for_group(config, group)
    settings = {"workers": group.workers, "chdir": str(group.directory or config.folder), **group.gunicorn}
    return replace(
        inside,
        mounts=tuple(replace(mount, group="") for mount in inside.mounts),
        server=config.server,
        gunicorn=MappingProxyType({**config.gunicorn, **settings}),
        groups=MappingProxyType({}),
        group="",
    )


def isolated(config: Config) -> Config:
    """Return the configuration with each mount that is in no group in one of its own."""
    here = Path.cwd()  # as without isolation
    alone = {
        mount.name: Group(name=mount.name, toml_key=mount.toml_key, directory=here)
        for mount in config.mounts
        if not mount.group and mount.loads_code and not mount.is_member
    }
    names = {each.toml_key: name for name, each in alone.items()}  # applications of a fleet have its entry
    mounts = tuple(
        mount if mount.group or not mount.loads_code else replace(mount, group=names[mount.toml_key])
        for mount in config.mounts
    )
    return replace(config, mounts=mounts, groups=MappingProxyType({**config.groups, **alone}))
