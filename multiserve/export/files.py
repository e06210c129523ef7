"""The files of an export: their header, and how those in a folder differ from what they should be."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from multiserve.errors import ConfigError, Problem
from multiserve.export.model import NAME, Export

_MARK = "# Written by: multiserve export "
_VERSION = re.compile(r"^# multiserve \S+, ", re.MULTILINE)


def with_headers(form: str, files: Mapping[str, str], export: Export, version: str) -> dict[str, str]:
    """Return the files of a format, each with the comment that says where it comes from."""
    command = shlex.join([form, *export.command])
    file = export.config.path.name if export.config.path else "the command line"
    header = (
        f"{_MARK}{command}\n"
        f"# multiserve {version}, from {file} with the hash {export.digest}: "
        "change that file, and write this one anew.\n"
    )
    return {name: f"{header}\n{text}" for name, text in files.items()}


def as_text(files: Mapping[str, str]) -> str:
    """Return the files in one text; where there are several, a line names each."""
    if len(files) == 1:
        return next(iter(files.values()))
    return "\n".join(f"# file: {name}\n{text}" for name, text in files.items())


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be done to a folder.

    Attributes:
        missing: Names of files that are not there.
        stale: Names of files that are different.
        superfluous: Names of files that the same format has written, and would not any more.
        foreign: Names of files in whose place something else is.
    """

    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    superfluous: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return a line for each file."""
        return [
            *(f"missing      {name}" for name in self.missing),
            *(f"stale        {name}" for name in self.stale),
            *(f"superfluous  {name}" for name in self.superfluous),
            *(f"not ours     {name}" for name in self.foreign),
        ]


def compare(folder: Path, form: str, files: Mapping[str, str]) -> Difference:
    """Compare a folder with the files that should be in it; a file that only another release has written is right."""
    found = {name: _read(folder / name) for name in files}
    site = _site_of(next(iter(files.values()), ""))
    ours = {name for name, text in found.items() if text is not None and _is_of(text, form)}
    return Difference(
        missing=tuple(name for name, text in found.items() if text is None),
        stale=tuple(name for name in files if name in ours and not _is_same(found[name], files[name])),
        superfluous=tuple(
            name
            for name in _beside(folder, files)
            if name not in files and _is_of(text := _read(folder / name), form) and _site_of(text or "") == site
        ),
        foreign=tuple(name for name, text in found.items() if text is not None and name not in ours),
    )


def write(folder: Path, form: str, files: Mapping[str, str]) -> list[str]:
    """Write the files into a folder, and remove those of the same format that are not needed any more.

    Returns:
        A line for each file that was written or removed.

    Raises:
        ConfigError: A file of that name is not ours, or the folder cannot be written to.
    """
    difference = compare(folder, form, files)
    if difference.foreign:
        hint = "Move it away, or name another folder with -o."
        message = f"this file was not written by multiserve export {form}, and is left as it is"
        raise ConfigError(*(Problem(key=str(folder / name), message=message, hint=hint) for name in difference.foreign))
    try:
        for name in (*difference.missing, *difference.stale):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[name], "utf-8")
        for name in difference.superfluous:
            (folder / name).unlink()
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise ConfigError(Problem(key=str(error.filename or folder), message=message)) from error
    return [
        *(f"written  {folder / name}" for name in files if name in difference.missing + difference.stale),
        *(f"removed  {folder / name}" for name in difference.superfluous),
    ]


def _beside(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Return the names of all files in the folders into which these are written."""
    places = sorted({folder, *((folder / name).parent for name in files)})
    paths = (path for place in places if place.is_dir() for path in sorted(place.iterdir()))
    return [path.relative_to(folder).as_posix() for path in paths if path.is_file()]


def _site_of(text: str) -> str:
    """Return the `--name` that a file was written with."""
    words = text.partition("\n")[0].split()
    return words[words.index("--name") + 1] if "--name" in words[:-1] else NAME


def _read(path: Path) -> str | None:
    """Return the text of a file; None if there is none, and no header in what cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return ""


def _is_of(text: str | None, form: str) -> bool:
    first = (text or "").partition("\n")[0]
    return f"{first} ".startswith(f"{_MARK}{form} ")


def _is_same(one: str | None, other: str) -> bool:
    return _VERSION.sub("", one or "", count=1) == _VERSION.sub("", other, count=1)
