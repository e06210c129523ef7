"""The formats that can be imported: which one a file has, and the draft that its reader makes of it."""

from __future__ import annotations

import ast
import contextlib
import difflib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from multiserve.drafts import Draft
from multiserve.errors import ConfigError, Problem
from multiserve.importers import dispatcher_middleware, paste_ini, procfile, starlette_mounts, unit_json, uwsgi_ini


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        name: What people call it.
        matches: Whether a file of this name with this text has it.
        read: The draft that a file comes to.
    """

    name: str
    matches: Callable[[str, str], bool]
    read: Callable[[Path, str], Draft]


FORMATS = tuple(
    Format(module.NAME, module.matches, module.read)
    for module in (dispatcher_middleware, starlette_mounts, paste_ini, uwsgi_ini, unit_json, procfile)
)


def read_file(path: Path) -> Draft:
    """Return the draft of a multiserve.toml that does what a file of another tool does.

    Raises:
        ConfigError: The file cannot be read, it has none of the formats, or nothing in it can be mounted.
    """
    text = _read_text(path)
    _refuse_invalid(path, text)
    form = next((form for form in FORMATS if form.matches(path.name, text)), None)
    if form is None:
        hint = "\n    ".join(["What is understood:", *(f"- {each.name}" for each in FORMATS)])
        raise ConfigError(
            Problem(message="this is none of the files that can be imported", hint=hint), source=str(path)
        )
    try:
        draft = form.read(path, text)
    except SyntaxError as error:  # one without a line, such as that of too deep an expression
        raise ConfigError(Problem(key=str(path), message=f"not valid Python: {error.msg}")) from None
    if not draft.mounts:
        notes = [
            Problem(key=f"line {note.line}" if note.line else "", message=note.what, hint=note.reason)
            for note in sorted(draft.notes, key=lambda note: note.line)
        ]
        raise ConfigError(Problem(message="nothing in it can be mounted"), *notes, source=str(path))
    draft.header = _header(path)
    return draft


def _refuse_invalid(path: Path, text: str) -> None:
    """Refuse what the name promises and the text is not: it would be none of the formats, and nobody knew why."""
    try:
        if path.suffix == ".py":
            with warnings.catch_warnings(action="ignore"):  # such as for "\\d", which Python would print
                ast.parse(text)
        elif path.suffix == ".json":
            json.loads(text)
    except SyntaxError as error:
        where = f"{path}:{error.lineno}:{error.offset}" if error.lineno else str(path)
        problem = Problem(key=where, message=f"not valid Python: {error.msg}")
    except json.JSONDecodeError as error:
        problem = Problem(key=f"{path}:{error.lineno}:{error.colno}", message=f"not valid JSON: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        problem = Problem(key=str(path), message=f"it cannot be read: {error}")
    else:
        return
    raise ConfigError(problem)


def _near(path: Path) -> str:
    """Return what to write in place of a file that is not there."""
    with contextlib.suppress(OSError):
        names = [each.name for each in path.parent.iterdir() if each.is_file()]
        if found := difflib.get_close_matches(path.name, names, 1):
            return f'Did you mean "{path.with_name(found[0])}"?'
    return "Write its path, relative to this folder or absolute."


def _header(path: Path) -> list[str]:
    """Return the lines that say where the text is to be saved: targets and paths in it are relative to that folder."""
    folder = path.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return [
        f'From {path}, as "multiserve import" reads it.',
        f'Save it as {folder / "multiserve.toml"}; then run "multiserve check", which loads everything.',
    ]


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        problem = Problem(message="no such file", hint=_near(path))
    except IsADirectoryError:
        problem = Problem(message="this is a folder", hint='For a folder there is "multiserve init".')
    except OSError as error:
        problem = Problem(message=f"cannot be read: {error.strerror or error}")
    except ValueError:
        problem = Problem(message="not UTF-8", hint="Save the file as UTF-8.")
    raise ConfigError(problem, source=str(path))
