"""What `routes` prints without loading anything, as text and as values for JSON; nothing here prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, TypedDict

from multiserve.config.mounts import AppMount, Mount, ProxiedMount
from multiserve.reports.text import MountJson, mount_as_json, table
from multiserve.styles import Paint, plain

if TYPE_CHECKING:
    from multiserve.routes.explain import (
        Explanation,  # not needed for the list of mounts, which has to be fast
    )

NOTHING = "Nothing contains this text."


class MountsJson(TypedDict):
    """The mounts, in the order in which a request tries them."""

    mounts: list[MountJson]


class ExplanationJson(TypedDict):
    """Which mount answers a URL, and why."""

    url: Annotated[str, "The URL that was asked for."]
    method: Annotated[str, "The method, in capitals; WEBSOCKET for a WebSocket."]
    mount: Annotated[MountJson | None, "The mount that answers; null if none does."]
    reason: Annotated[str, "Why it does, in a few words."]
    values: Annotated[dict[str, str], "What the placeholders of the key stand for, by their names."]
    script_name: Annotated[str | None, "SCRIPT_NAME; null for an application that is ASGI."]
    path_info: Annotated[str | None, "PATH_INFO, likewise."]
    root_path: Annotated[str | None, "root_path; null for an application that is WSGI."]
    path: Annotated[str | None, "path, likewise."]
    location: Annotated[str | None, "Where the mount itself redirects to; null if it does not."]
    upstream: Annotated[str | None, "The URL that the mount hands the request on to; null if it hands on none."]
    runner_up: Annotated[MountJson | None, "The mount that would answer without the first one; null if none would."]


def mounts_as_text(mounts: Sequence[Mount], paint: Paint = plain) -> str:
    """Return a table of mounts as the file has them."""
    grouped = has_groups(mounts)
    rows = [(*place(mount, paint), declared(mount), *group_of(mount, grouped), mount.shown) for mount in mounts]
    return table([head(paint, grouped), *rows], indent="") if rows else NOTHING


def has_groups(mounts: Iterable[Mount]) -> bool:
    """Return whether a table of mounts has a column for groups."""
    return any(mount.group for mount in mounts)


def group_of(mount: Mount, grouped: bool) -> tuple[str, ...]:  # noqa: FBT001 (whether there is a column)
    """Return the cell of a mount in the column for groups, if there is one."""
    return (mount.group,) if grouped else ()


def head(paint: Paint, grouped: bool, *more: str) -> list[str]:  # noqa: FBT001 (as above)
    """Return the first row of a table of mounts."""
    columns = ("HOST", "PREFIX", "KIND", "INTERFACE", *(("GROUP",) if grouped else ()), "TARGET", *more)
    return [paint(column, "faint") for column in columns]


def place(mount: Mount, paint: Paint = plain) -> tuple[str, str, str]:
    """Return host, prefix and kind of a mount as cells of a table."""
    host = paint(mount.key.authority, "strong") if mount.key.authority else "any"
    return host, paint(mount.key.prefix or "/", "strong"), mount.kind


def declared(mount: Mount) -> str:
    """Return the interface that the file declares; others are known only after loading."""
    if isinstance(mount, ProxiedMount):
        return "ASGI"
    if not isinstance(mount, AppMount):
        return "either"
    return mount.interface.upper() if mount.interface else "auto"


def mounts_as_json(mounts: Iterable[Mount]) -> MountsJson:
    """Return the configuration of mounts as values for JSON."""
    return {"mounts": [mount_as_json(mount) for mount in mounts]}


def explanation_as_text(result: Explanation, inside: Iterable[tuple[str, str]] = (), paint: Paint = plain) -> str:
    """Return which mount answers a URL, why, what the application sees, and what is known about its `inside`."""
    if result.mount is None:
        return _explained([("mount", paint("none", "bad")), ("because", result.reason)], paint)
    seen = {
        "SCRIPT_NAME": result.script_name,
        "PATH_INFO": result.path_info,
        "root_path": result.root_path,
        "path": result.path,
    }
    rows = [
        ("mount", paint(_named(result.mount), "strong")),
        ("because", result.reason),
        *([("process", f'that of the group "{result.mount.group}"')] if result.mount.group else []),
        *((f"{{{name}}}", f'"{value}"') for name, value in result.values),
        *((name, f'"{value}"') for name, value in seen.items() if value is not None),
        *([("Location", result.location)] if result.location else []),
        *([("upstream", result.upstream)] if result.upstream else []),
        *inside,
        ("runner-up", _named(result.runner_up) if result.runner_up else "none: 404"),
    ]
    return _explained(rows, paint)


def _explained(rows: Iterable[tuple[str, str]], paint: Paint) -> str:
    return table([(paint(name, "faint"), text) for name, text in rows], indent="")


def _named(mount: Mount) -> str:
    return f"{mount.key}  ({mount.shown})"


def explanation_as_json(result: Explanation) -> ExplanationJson:
    """Return an explanation as values for JSON."""
    return {
        "url": result.url,
        "method": result.method,
        "mount": mount_as_json(result.mount) if result.mount else None,
        "reason": result.reason,
        "values": dict(result.values),
        "script_name": result.script_name,
        "path_info": result.path_info,
        "root_path": result.root_path,
        "path": result.path,
        "location": result.location,
        "upstream": result.upstream,
        "runner_up": mount_as_json(result.runner_up) if result.runner_up else None,
    }
