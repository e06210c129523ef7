"""What the edits of findings make of the files of a project: shown as a diff, or written."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from multiserve.edits.python_file import edit_python
from multiserve.edits.toml_file import edit_toml
from multiserve.errors import ConfigError, Problem
from multiserve.findings import Edit, Finding

_OF_OTHERS = frozenset({"site-packages", "dist-packages"})  # folders of installed packages


@dataclass(frozen=True, slots=True)
class Change:
    """A file, before and after.

    Attributes:
        path: The file itself, links followed.
        before: Its content as it was read.
        after: Its content with all edits.
        findings: Those that the edits cure.
    """

    path: Path
    before: bytes
    after: bytes
    findings: tuple[Finding, ...]


def find_changes(findings: Iterable[Finding], file: Path, since: int) -> list[Change]:
    """Return what the edits of findings change, a file each.

    Files outside of the folder of the configuration, those of installed packages, and those that have changed since
    they were read are left alone.

    Args:
        findings: Those without an edit are left out.
        file: The configuration.
        since: When the files were read, or before: nanoseconds since the epoch.
    """
    folder = file.resolve().parent
    by_path: dict[Path, list[tuple[Finding, Edit]]] = {}
    for finding in findings:
        if finding.edit:
            path = Path(finding.edit.file or file).resolve()
            by_path.setdefault(path, []).append((finding, finding.edit))
    changes = []
    for path, edits in by_path.items():
        is_own = path.is_relative_to(folder) and _OF_OTHERS.isdisjoint(path.parts)
        if is_own and (before := _read(path, since)) is not None and (change := _change(path, before, edits)):
            changes.append(change)
    return changes


def _read(path: Path, since: int) -> bytes | None:
    with contextlib.suppress(OSError):
        if path.is_file() and path.stat().st_mtime_ns <= since:
            return path.read_bytes()
    return None


def _change(path: Path, before: bytes, edits: Iterable[tuple[Finding, Edit]]) -> Change | None:
    after, cured = before, []
    for finding, edit in edits:
        if (changed := _edited(after, edit)) is not None:
            after = changed
            cured.append(finding)
    return Change(path, before, after, tuple(cured)) if cured else None


def _edited(content: bytes, edit: Edit) -> bytes | None:
    if edit.file:
        return edit_python(content, edit)
    try:
        changed = edit_toml(content.decode(), edit)
    except UnicodeDecodeError:
        return None
    return None if changed is None else changed.encode()


def as_diff(changes: Iterable[Change], folder: Path) -> str:
    """Return a unified diff, with paths relative to a folder, which `patch` and `git apply` take."""
    return "".join(line for change in changes for line in _diff(change, folder.resolve()))


def _diff(change: Change, folder: Path) -> Iterator[str]:
    name = os.path.relpath(change.path, folder).replace(os.sep, "/")
    for line in difflib.unified_diff(_lines(change.before), _lines(change.after), f"a/{name}", f"b/{name}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(content: bytes) -> list[str]:
    """Return the lines with their ends, of which a carriage return alone is none."""
    return [line.decode("utf-8", "replace") for line in re.findall(rb"[^\n]*\n|[^\n]+", content)]


def write(change: Change) -> None:
    """Put the new content in the place of the old one at once, with the mode that the file has.

    Raises:
        ConfigError: It cannot be written, or has changed meanwhile.
    """
    temporary = ""
    try:
        if change.path.read_bytes() != change.before:
            raise ConfigError(Problem(message=f"{change.path} has changed meanwhile", hint="Check again."))
        descriptor, temporary = tempfile.mkstemp(prefix=f".{change.path.name}.", dir=change.path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(change.after)
        status = change.path.stat()
        Path(temporary).chmod(status.st_mode & 0o7777)
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):  # the group of another user's file
                os.chown(temporary, status.st_uid, status.st_gid)
        Path(temporary).replace(change.path)
        temporary = ""
    except OSError as error:
        raise ConfigError(Problem(message=f"{change.path} cannot be written: {error.strerror or error}")) from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
