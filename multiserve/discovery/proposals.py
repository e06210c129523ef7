"""From what was found to the mounts that are proposed: the site at the root, others below their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from multiserve.discovery import (
    applications,
    compositions,
    dash,
    django,
    gradio,
    javascript,
    mcp,
    nicegui,
    paste_files,
    scripts,
    static_folders,
)
from multiserve.discovery.found import Found, Remark
from multiserve.discovery.names import prefix_of, siteness
from multiserve.discovery.project import look_at

_READERS = (
    *(applications, django, dash, mcp, javascript, static_folders, scripts, gradio, compositions),
    *(paste_files, nicegui),
)
_NAMES = {"FastAPI": "api", "Litestar": "api", "Falcon": "api"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """One mount that is proposed.

    Attributes:
        found: What is mounted.
        key: Where; empty if it is to be left out.
        is_certain: Whether the user need not be asked.
    """

    found: Found
    key: str
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Proposals:
    """All that is proposed for a folder, and what is remarked about the rest."""

    mounts: Sequence[Proposal]
    remarks: Sequence[Remark]


def find_proposals(folder: Path) -> Proposals:
    """Look at a folder, and propose a mount for each thing that can be mounted."""
    project = look_at(folder)
    each = [thing for reader in _READERS for thing in reader.find(project)]
    remarks = [thing for thing in each if isinstance(thing, Remark)]
    found = [thing for thing in each if isinstance(thing, Found)]
    return _without_impossible(_propose(found), remarks)


def _propose(found: Sequence[Found]) -> list[Proposal]:
    """Assign a key of its own to each thing."""
    free = sorted(
        (each for each in found if not each.key),
        key=lambda each: (_is_doubtful(each), -siteness(each.kind, each.names), each.where),
    )
    taken = {each.key for each in found if each.key}
    root = free[0] if free and "/" not in taken else None
    is_tie = len(free) > 1 and siteness(free[0].kind, free[0].names) == siteness(free[1].kind, free[1].names)
    proposals = [Proposal(each, each.key, each.is_certain) for each in found if each.key]
    for each in free:
        if each is root:
            proposals.insert(0, Proposal(each, "/", each.is_certain and not is_tie))
            continue
        key = _free(prefix_of(each.names[0] if each.names else _NAMES.get(each.kind, each.kind)), taken)
        taken.add(key)
        is_named = bool(each.names) and not (is_tie and each is free[1])
        proposals.append(Proposal(each, key, each.is_certain and is_named))
    return proposals


def _is_doubtful(found: Found) -> bool:
    """Return whether this is a function of an unusual name, which may not be meant to be an application."""
    return "app" in found.options and not found.is_certain


def _free(key: str, taken: Iterable[str]) -> str:
    """Return the key, or the first one with a number that nothing has yet."""
    numbered = [key, *(f"{key}-{number}" for number in range(2, 1000))]
    return next(each for each in numbered if each not in taken)


def _without_impossible(proposals: list[Proposal], remarks: list[Remark]) -> Proposals:
    """Turn into remarks what cannot be mounted together with the others, or below a prefix."""
    kept: list[Proposal] = []
    modules: dict[str, Proposal] = {}
    for each in proposals:
        found = each.found
        if reason := why_not_at(found, each.key):
            remarks.append(Remark(f"{found.kind}, {found.where}", reason))
            continue
        module = found.what.partition(":")[0].partition(".")[0] if "app" in found.options else ""
        other = modules.setdefault(module, each) if module else each
        if other.found.pythonpath != found.pythonpath:
            reason = (
                f"Its module has the name of the one in {other.found.where}: a process has one of each name. Rename it."
            )
            remarks.append(Remark(f"{found.kind}, {found.where}", reason))
            continue
        kept.append(each)
    return Proposals(kept, remarks)


def why_not_at(found: Found, key: str) -> str:
    """Return why something cannot be mounted at a key; empty if it can."""
    if not found.is_whole or key in ("", "/"):
        return ""
    if found.kind == "Dash":
        return dash.why_not_below_a_prefix(found)
    return f"It is built for the root. Set the prefix before the build (base in vite.config), and mount it at {key}."
