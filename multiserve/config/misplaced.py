"""Keys that are written in the wrong table: those of mounts outside of `[mounts]`, and settings of another table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields

from multiserve.config.model import Development, Server
from multiserve.config.tables import Table, quote_key
from multiserve.keys import KeyProblem, parse_key

_GUNICORN = ("bind", "keepalive", "loglevel", "max_requests", "preload_app", "timeout", "worker_class", "workers")
_TABLES = ("server", "development", "gunicorn", "env")
_ANY_NAME = ("gunicorn", "env")  # tables whose names are not ours
_HOMES = {
    **dict.fromkeys(_GUNICORN, "gunicorn"),
    **{field.name: "development" for field in fields(Development)},
    **{field.name: "server" for field in fields(Server)},
}


def take_out_misplaced(table: Table, known: Iterable[str]) -> Table:
    """Return the table of the file without what is in a wrong place, which becomes a problem each.

    Args:
        table: The table that holds everything.
        known: The keys that it may have.
    """
    kept = dict(table.values)
    for name in tuple(kept):
        if name not in known and (home := _home_of(name, kept[name], "")):
            _refuse(table, table, name, home)
            del kept[name]
    for name in _TABLES:
        if isinstance(kept.get(name), dict):
            inner = Table(kept[name], table.path(name), table.problems)
            wrong = {each: home for each in inner if (home := _home_of(each, inner.values[each], name))}
            for each, home in wrong.items():
                _refuse(table, inner, each, home)
            kept[name] = {each: value for each, value in inner.values.items() if each not in wrong}
    return Table(kept, table.key, table.problems)


def _refuse(whole: Table, table: Table, name: str, home: str) -> None:
    what = "the key of a mount" if home == "mounts" else f"a setting of [{whole.path(home)}]"
    table.refuse(name, f"this is {what}", f"Write it under [{whole.path(home)}].")


def _home_of(name: str, value: object, here: str) -> str:
    """Return the table in which a key was meant to be; empty where it is right, or where nothing is known of it."""
    if name.startswith("/") or (here not in _ANY_NAME and _is_key_of_mount(name, value)):
        return "mounts"
    home = "" if here in _ANY_NAME else _HOMES.get(name, "")
    return home if home != here else ""


def _is_key_of_mount(name: str, value: object) -> bool:
    if quote_key(name) == name or not isinstance(value, str | Mapping):
        return False
    try:
        parse_key(name)
    except KeyProblem:
        return False
    return True
