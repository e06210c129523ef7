"""What a reload of a running server would change, as text and as values for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, TypedDict

from multiserve.drafts import value_to_toml
from multiserve.shortening import shorten
from multiserve.styles import Paint, Role

_MARKS: dict[str, tuple[str, Role]] = {
    "added": ("+", "good"),
    "removed": ("-", "bad"),
    "changed": ("~", "warning"),
    "moved": ("~", "warning"),
    "started": ("+", "good"),
    "ended": ("-", "bad"),
    "replaced": ("~", "warning"),
    "reloaded": (" ", "faint"),
}
_PROCESSES = {
    "started": "its process is started",
    "ended": "its process ends",
    "replaced": "another process takes the place of the one that serves",
    "reloaded": "its process stays, and loads its applications anew",
}
_EFFECTS = {
    "reload": "",
    "restart": " (takes effect when the server is restarted, not at a reload)",
    "none": " (without effect on this server)",
}
_CODE = {
    "loaded": "The code is loaded anew in any case.",
    "kept": "With preload_app, the code that the server has imported stays as it is.",
}


class ChangeJson(TypedDict):
    """A value that differs."""

    key: Annotated[str, "Its key, relative to the table of the mount or group."]
    change: Annotated[Literal["added", "removed", "changed"], "What has become of it."]
    before: Annotated[Any, "The value that the server runs with, as the file had it; null if none, or not shown."]
    after: Annotated[Any, "The value as the file has it now; null if none, or for a variable, which is not shown."]


class SettingChangeJson(ChangeJson):
    """A value outside of mounts and groups that differs."""

    effect: Annotated[Literal["reload", "restart", "none"], "What applies it; none has no effect on this server."]


class MountChangeJson(TypedDict):
    """A mount that differs."""

    mount: Annotated[str, "The key, which names the mount everywhere."]
    target: Annotated[str, "What is mounted, as the file spells it."]
    change: Annotated[Literal["added", "removed", "changed", "moved"], "What has become of it; moved: between groups."]
    group_before: Annotated[str | None, "The group that it runs in; empty for the process in front, null if it is new."]
    group: Annotated[str | None, "The group that it would run in; null if it is removed."]
    values: Annotated[list[ChangeJson], "The values of its table that differ, but for its group."]


class GroupChangeJson(TypedDict):
    """A group."""

    name: Annotated[str, "Its name."]
    process: Annotated[Literal["started", "ended", "replaced", "reloaded"], "What a reload would do with its process."]
    values: Annotated[list[ChangeJson], "The values of its table that differ."]


class PlanJson(TypedDict):
    """What a reload would change."""

    is_changed: Annotated[bool, "Whether anything differs, apart from the code."]
    mounts: Annotated[list[MountChangeJson], "The mounts that differ."]
    groups: Annotated[list[GroupChangeJson], "All groups."]
    settings: Annotated[list[SettingChangeJson], "What differs outside of mounts and groups."]
    code: Annotated[Literal["loaded", "kept"], "Whether code is loaded anew; it is not with preload_app."]


def text(plan: PlanJson, paint: Paint) -> str:
    """Return a plan as text."""
    return "\n".join(_lines(plan, paint))


def _lines(plan: PlanJson, paint: Paint) -> Iterator[str]:
    if not plan["is_changed"]:
        yield f"Nothing would change. {_CODE[plan['code']]}"
        return
    yield "A reload would change:"
    sections = {
        "Mounts": [_mount(each, paint) for each in plan["mounts"]],
        "Groups": [_group(each, paint) for each in plan["groups"]],
        "Settings": [
            [f"{_spell(each['change'], _value(each), paint)}{_EFFECTS[each['effect']]}"] for each in plan["settings"]
        ],
    }
    for name, blocks in sections.items():
        if blocks:
            yield f"\n{name}:"
            for block in blocks:
                yield from block
    yield f"\n{_CODE[plan['code']]}"


def _spell(change: str, what: str, paint: Paint) -> str:
    mark, role = _MARKS[change]
    return f"  {paint(mark, role)} {what}"


def _mount(mount: MountChangeJson, paint: Paint) -> list[str]:
    old, new = mount["group_before"], mount["group"]
    place = f" in the group {old or new}" if old or new else ""
    what = f"{mount['mount']}  {shorten(mount['target'])}"
    if mount["change"] == "moved":
        place = f", moved from {_place(old)} to {_place(new)}"
    return [_spell(mount["change"], f"{what}{place}", paint), *_values(mount["values"])]


def _place(group: str | None) -> str:
    return f"the group {group}" if group else "the process in front"


def _group(group: GroupChangeJson, paint: Paint) -> list[str]:
    return [
        _spell(group["process"], f"{group['name']}: {_PROCESSES[group['process']]}", paint),
        *_values(group["values"]),
    ]


def _values(changes: Iterable[ChangeJson]) -> list[str]:
    return [f"      {_value(each)}" for each in changes]


def _value(change: ChangeJson | SettingChangeJson) -> str:
    """Return a value before and after; None for both is one that is not shown."""
    key, before, after = change["key"], change["before"], change["after"]
    if before is None and after is None:
        return f"{key}: {change['change']} (not shown)"
    return f"{key}: {_as_written(before)} -> {_as_written(after)}"


def _as_written(value: Any) -> str:
    if value is None:
        return "not set"
    return shorten(value_to_toml(value).replace("$${", "${"))  # variables are as in the file
