"""Reads `[mounts]`: which kind of mount an entry is, and its options; `KINDS` is the registry of the kinds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from multiserve.config.arguments import Arguments
from multiserve.config.kinds.applications import AppMount, TenantMount
from multiserve.config.kinds.files import FileMount
from multiserve.config.kinds.fleets import FleetMount, MemberMount
from multiserve.config.kinds.grouped import GroupedMount
from multiserve.config.kinds.mount import Entry, Mount, attempt, read_middleware
from multiserve.config.kinds.proxied import ProxiedMount, ProxiedPlaceholderMount
from multiserve.config.kinds.redirects import RedirectMount, check_redirect
from multiserve.config.kinds.static import StaticMount
from multiserve.config.source import Source
from multiserve.config.tables import Table, describe, quote_key
from multiserve.keys import MountKey

__all__ = [
    "KINDS",
    "OPTIONS",
    "AppMount",
    "FileMount",
    "FleetMount",
    "GroupedMount",
    "MemberMount",
    "Mount",
    "ProxiedMount",
    "ProxiedPlaceholderMount",
    "RedirectMount",
    "StaticMount",
    "TenantMount",
    "attempt",
    "check_redirect",
    "read_middleware",
    "read_mount",
]

KINDS: tuple[type[Mount], ...] = (
    AppMount,
    TenantMount,
    StaticMount,
    FileMount,
    RedirectMount,
    ProxiedMount,
    ProxiedPlaceholderMount,
    FleetMount,
)
"""All kinds of mounts that an entry can be; `multiserve.kinds` has what loads each of them and what answers for it."""

_OTHER_WORDS = {
    **dict.fromkeys(("application", "callable", "factory", "module", "target", "wsgi", "asgi"), "app"),
    **dict.fromkeys(("alias", "dir", "directory", "folder", "path", "root"), "static"),
    **dict.fromkeys(("location", "to", "url"), "redirect"),
    **dict.fromkeys(("backend", "proxy_pass", "upstream"), "proxy"),
}
_OF_A_PROCESS = ("directory", "env", "max_memory", "python", "pythonpath", "user", "workers")
_GIVEN = tuple(dict.fromkeys(kind.given for kind in KINDS))
OPTIONS = frozenset(field.name for kind in KINDS for field in fields(kind) if field.metadata).union(_GIVEN)


def read_mount(mounts: Table, name: str, key: MountKey | None, source: Source) -> Mount | None:
    """Read one entry of `[mounts]`; None where it is so wrong that nothing can be made of it.

    Args:
        mounts: The table.
        name: The key of the entry.
        key: The same parsed; None if it is wrong.
        source: Where the table comes from; relative paths start from its folder.
    """
    value = mounts.values[name]
    if isinstance(value, str):  # its problems have the key that the file has
        bare = mounts.kinds[name] if isinstance(mounts, Arguments) else "app"
        table = Table({}, mounts.path(name), mounts.problems)
        kind = _kind_of(bare, key)
        _refuse_placeholders(mounts, name, key, kind)
        entry = Entry(table=table, key=key, source=source, holder=mounts, name=name, given=bare)
        return kind.read_entry(entry)
    if not isinstance(value, dict):
        mounts.refuse(name, f"expected a target, found {describe(value)}", 'Write "module:attribute" in quotes.')
        return None
    table = _take_out_process(Table(value, mounts.path(name), mounts.problems))
    value = table.values
    given = [each for each in _GIVEN if each in value]
    if len(given) > 1:
        mounts.refuse(name, f"a mount cannot be both {' and '.join(given)}", "Keep one of them.")
        return None
    if not given:
        mounts.refuse(
            name,
            f"a mount needs {_one_of(kind.noun for kind in KINDS)}",
            f"Write {_one_of(kind.example for kind in KINDS)}.",
        )
        table.refuse_unknown(OPTIONS, _OTHER_WORDS)
        return None
    kind = _kind_of(given[0], key)
    _refuse_placeholders(mounts, name, key, kind)
    entry = Entry(table=table, key=key, source=source, holder=table, name=kind.given, given=kind.given)
    return kind.read_entry(entry)


def _take_out_process(table: Table) -> Table:
    """Return an entry without what a mount cannot have for itself, which becomes a problem each."""
    wrong = [name for name in _OF_A_PROCESS if name in table]
    for name in wrong:
        group = table.values.get("group")
        where = f"[groups.{quote_key(group)}]" if isinstance(group, str) else "[groups.NAME]"
        rest = "" if isinstance(group, str) else ', and group = "NAME" here'
        table.refuse(name, "this belongs to a process, not to a mount", f"Write it under {where}{rest}.")
    return Table({name: value for name, value in table.values.items() if name not in wrong}, table.key, table.problems)


def _refuse_placeholders(mounts: Table, name: str, key: MountKey | None, kind: type[Mount]) -> None:
    if key and key.placeholders and not kind.has_placeholders:
        mounts.refuse(
            name, "only an app or a proxy can stand at a key with placeholders", "Write one key for each prefix."
        )


def _kind_of(given: str, key: MountKey | None) -> type[Mount]:
    """Return the kind of an entry by its keyword, and by whether its key has placeholders."""
    kinds = [kind for kind in KINDS if kind.given == given]
    has_placeholders = bool(key and key.placeholders)
    return next((kind for kind in kinds if kind.has_placeholders == has_placeholders), kinds[0])


def _one_of(names: Iterable[str]) -> str:
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} or {last}"
