"""The applications of a folder, one for each file or package in it, by the names of these."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from multiserve.discovery import applications, compositions, dash, django, gradio, mcp, nicegui, scripts
from multiserve.discovery.found import Found, Remark
from multiserve.discovery.project import Project, is_of_interest, look_at
from multiserve.discovery.proposals import why_not_at

_READERS = (applications, django, dash, mcp, scripts, gradio, nicegui, compositions)
_USUAL = re.compile(r"application|app|create_app|make_app")
_CLASH = '"{name}.py" and the folder "{name}" are one module to Python: rename either.'
_COLON = "A name in its path has a colon, which ends the name of a file in a target: rename it."


@dataclass(frozen=True, slots=True)
class Member:
    """One file or package of the folder.

    Attributes:
        name: The name of the file without its ending, or of the package.
        target: What to mount, with the file relative to the folder; empty if it cannot be mounted.
        reason: Why it cannot be mounted.
    """

    name: str
    target: str = ""
    reason: str = ""


def find_members(folder: Path) -> list[Member]:
    """Return what a folder has, by name, without importing anything; files without an application are left out.

    A file that is not valid Python has a target, so that loading it says why.
    """
    project = look_at(folder)
    members: dict[str, list[Found | Remark]] = {}
    for thing in (thing for reader in _READERS for thing in reader.find(project)):
        if thing.file:
            members.setdefault(_name_of(thing.file), []).append(thing)
    found = {
        name: Member(name, reason=_CLASH.format(name=name)) if _clashes(folder, name, things) else _member(name, things)
        for name, things in members.items()
    }
    for file in _unreadable(project):
        name = _name_of(file)
        found.setdefault(name, Member(name, reason=_COLON) if ":" in file else Member(name, file))
    return [found[name] for name in sorted(found) if not name.startswith(("_", "."))]


def _name_of(file: str) -> str:
    return file.partition("/")[0].removesuffix(".py")


def _clashes(folder: Path, name: str, things: list[Found | Remark]) -> bool:
    """Return whether Python imports only one of a file and a folder of one name, and something is in the other."""
    if not (folder / f"{name}.py").is_file():
        return False
    is_package = (folder / name / "__init__.py").is_file()
    files = {thing.file for thing in things}
    return f"{name}.py" in files if is_package else any(file.startswith(f"{name}/") for file in files)


def _member(name: str, things: list[Found | Remark]) -> Member:
    """Return the best of what one file or package has: what has one of the usual names, and is not deep inside."""
    targets = []
    reasons = []
    for thing in things:
        reason = thing.reason if isinstance(thing, Remark) else _why_not(thing, name)
        if isinstance(thing, Found) and not reason:
            attribute = thing.what.partition(":")[2]
            is_usual = _USUAL.fullmatch(attribute.partition("(")[0]) is not None
            target = f"{thing.file}:{attribute}" if attribute else thing.file  # a script, which its framework runs
            targets.append((not is_usual, not thing.is_certain, thing.file.count("/"), target))
        reasons.append(reason)
    return Member(name, min(targets)[-1]) if targets else Member(name, reason=reasons[0])


def _why_not(found: Found, name: str) -> str:
    if ":" in found.file:
        return _COLON
    if found.env:
        return f"It needs {', '.join(found.env)}, under [env] of a file: write a mount of its own for it."
    return why_not_at(found, f"/{name}")


def _unreadable(project: Project) -> Iterator[str]:
    """Yield the files at the top, and those of packages, that are not valid Python."""
    valid = {source.path for source in project.sources}
    for pattern in ("*.py", "*/__init__.py", "*/app.py"):
        for path in sorted(project.folder.glob(pattern)):
            if path not in valid and is_of_interest(path) and _is_invalid(path):
                yield path.relative_to(project.folder).as_posix()


def _is_invalid(path: Path) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):  # such as for "\d", which Python would print
            ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    except OSError:
        return False
    return False
