"""What differs between two readings of a configuration, and which of it a reload of the production server applies."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from multiserve.config.model import Config
from multiserve.config.mounts import GroupedMount, Mount
from multiserve.config.tables import quote_key

Kind = Literal["added", "removed", "changed"]
Effect = Literal["reload", "restart", "none"]

# Settings of gunicorn that its master uses at its start alone.
_AT_START = {
    *("backlog", "daemon", "enable_stdio_inheritance", "preload_app", "spew"),
    *("on_starting", "when_ready"),
}
# What `multiserve check` and the development server read.
_OF_OTHERS = ("development.", "ignore", "plugins", "select", "severity.")


class Change(NamedTuple):
    """A value that differs.

    Attributes:
        key: Its key, relative to the table of the mount or group that it belongs to.
        kind: What has become of it.
        before: The value as the file had it; None where it had none, and for variables, which may be secrets.
        after: The value as the file has it now; None for the same reasons.
    """

    key: str
    kind: Kind
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MountChange:
    """A mount that differs.

    Attributes:
        name: Its key.
        target: What is mounted, as the file spells it; for a mount that is removed, what was.
        kind: What has become of it; "moved" if it is in another group now.
        before: The group that it was in, empty for the process in front; None if it is new.
        after: The group that it is in; None if it is removed.
        values: What has changed in its table.
    """

    name: str
    target: str
    kind: Kind | Literal["moved"]
    before: str | None
    after: str | None
    values: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """All that differs.

    Attributes:
        mounts: The mounts.
        groups: The values of each group, by its name, that is in either reading.
        settings: All other values, each with what applies it: a reload, only a restart, or nothing. Environment
            variables, also those of the files that the configuration was read with, have keys such as `env.NAME`.
    """

    mounts: tuple[MountChange, ...]
    groups: Mapping[str, tuple[Change, ...]]
    settings: tuple[tuple[Change, Effect], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.mounts or self.settings or any(self.groups.values()))


def compare(before: Config, after: Config, overridden: Collection[str] = ()) -> Differences:
    """Return what differs.

    Args:
        before: The configuration that a production server runs with; variables in it are not replaced.
        after: The configuration as it is now.
        overridden: Key paths for which the command line, or the environment, of the server has another value.
    """
    return Differences(
        mounts=tuple(_mounts(before, after)),
        groups={
            name: tuple(_changes(_of_group(before, name), _of_group(after, name)))
            for name in dict.fromkeys((*after.groups, *before.groups))
        },
        settings=tuple(
            (change, _effect(change, after, overridden)) for change in _changes(_settings(before), _settings(after))
        ),
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what differs, in the order of `after`, and then what is gone."""
    for key, value in after.items():
        if key not in before:
            yield _change(key, "added", None, value)
        elif before[key] != value:
            yield _change(key, "changed", before[key], value)
    for key, value in before.items():
        if key not in after:
            yield _change(key, "removed", value, None)


def _change(key: str, kind: Kind, before: Any, after: Any) -> Change:
    if key.startswith("env.") or key == "gunicorn.raw_env":
        return Change(key, kind)
    return Change(key, kind, before, after)


def _mounts(before: Config, after: Config) -> Iterator[MountChange]:
    old = {mount.name: _inner(mount) for mount in before.mounts}
    new = {mount.name: _inner(mount) for mount in after.mounts}
    for name, mount in new.items():
        if name not in old:
            yield MountChange(name=name, target=mount.what, kind="added", before=None, after=mount.group)
            continue
        was = old[name]
        is_moved = was.group != mount.group
        found = tuple(_changes(_of_mount(before, was), _of_mount(after, mount)))
        if is_moved or (found and not mount.is_member):  # the applications of a fleet have its values
            kind: Literal["moved", "changed"] = "moved" if is_moved else "changed"
            values = tuple(change for change in found if change.key != "group")
            yield MountChange(
                name=name, target=mount.what, kind=kind, before=was.group, after=mount.group, values=values
            )
    for name, mount in old.items():
        if name not in new:
            yield MountChange(name=name, target=mount.what, kind="removed", before=mount.group, after=None)


def _inner(mount: Mount) -> Mount:
    return mount.mount if isinstance(mount, GroupedMount) else mount


def _of_mount(config: Config, mount: Mount) -> dict[str, Any]:
    """Return the values of a mount as the file has them; one that is a bare string is a table with that alone."""
    bare = config.written.get(mount.toml_key)
    if bare is not None and not isinstance(bare, Mapping):
        return {mount.given: bare}
    return _below(config, mount.toml_key) or {mount.given: mount.what}


def _of_group(config: Config, name: str) -> dict[str, Any]:
    group = config.groups.get(name)
    return _below(config, group.toml_key) if group else {}


def _below(config: Config, table: str) -> dict[str, Any]:
    """Return the values of a table as the file has them, by their keys in it."""
    start = f"{table}."
    return {key.removeprefix(start): value for key, value in config.written.items() if key.startswith(start)}


def _settings(config: Config) -> dict[str, Any]:
    root = f"{config.root}." if config.root else ""
    values = {key.removeprefix(root): value for key, value in config.written.items()}
    others = ("mounts", "groups", "env")
    found = {key: value for key, value in values.items() if key.partition(".")[0] not in others and value != {}}
    return found | {f"env.{quote_key(name)}": value for name, value in config.env.items()}


def _effect(change: Change, after: Config, overridden: Collection[str]) -> Effect:
    """Return what applies a setting."""
    table, _, name = change.key.partition(".")
    is_elsewhere = table == "server" and name in ("host", "port") and "bind" in after.gunicorn
    if change.key in overridden or is_elsewhere or change.key.startswith(_OF_OTHERS):
        return "none"
    if table == "gunicorn" and (name in _AT_START or (name == "bind" and "fd://" in str(change.after))):
        return "restart"
    # A folder that is searched no more stays in the search path of the master, from which its workers have theirs.
    if change.key == "pythonpath" and set(change.before or ()) - set(change.after or ()):
        return "restart"
    return "reload"
