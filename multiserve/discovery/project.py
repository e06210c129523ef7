"""The folder that is looked at: its Python files, parsed, each with the folder that its imports need."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from multiserve.python_source.source import PythonSource, import_root

_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "tests", "test", "migrations", "venv", "env"})
_NOT_APPLICATIONS = frozenset({"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py"})
_LARGEST = 1_000_000  # bytes of a file that somebody has written
_MOST = 3000  # files, beyond which this is no project but a disk
_MOST_FOLDERS = 1000  # the same, for folders
_DEEPEST = 6  # folders below the one that is looked at


@dataclass(frozen=True, slots=True)
class Project:
    """A folder, and what is in it.

    Attributes:
        folder: The folder, absolute.
        sources: Its Python files, without tests, virtual environments and hidden folders.
        folders: The folders that were looked at, the folder itself included.
    """

    folder: Path
    sources: tuple[PythonSource, ...]
    folders: tuple[Path, ...]

    def where(self, source: PythonSource, line: int) -> str:
        """Return the place of something, as `file.py:3`."""
        return f"{self.file(source)}:{line}"

    def file(self, source: PythonSource) -> str:
        """Return the name of a file, relative to the folder, with slashes."""
        return source.path.relative_to(self.folder).as_posix()

    def pythonpath(self, source: PythonSource) -> str:
        """Return the folder that the imports of a file need; empty for the folder itself."""
        return "" if source.root == self.folder else source.root.relative_to(self.folder).as_posix()


def look_at(folder: Path) -> Project:
    """Parse the Python files of a folder."""
    folder = folder.resolve()
    folders = tuple(islice(_walk(folder), _MOST_FOLDERS))
    paths = [path for each in folders for path in sorted(each.glob("*.py")) if is_of_interest(path)][:_MOST]
    texts = {path: text for path in paths if (text := _read(path))}
    roots = {path: _root(path, folder, texts) for path in texts}
    return Project(folder, tuple(_parse(texts, roots)), folders)


def _walk(folder: Path) -> Iterator[Path]:
    """Iterate over the folders that can be read, as long as somebody asks for more."""
    for path, names, _ in os.walk(folder):
        here = Path(path)
        yield here
        deep = len(here.relative_to(folder).parts) >= _DEEPEST
        names[:] = [] if deep else [name for name in sorted(names) if not _is_skipped(here / name)]


def _is_skipped(folder: Path) -> bool:
    name = folder.name
    if name.startswith(".") or name in _SKIPPED or name.endswith(".egg-info"):
        return True
    # Path.exists() raises an error where one may not look.
    return not os.access(folder, os.R_OK | os.X_OK) or os.path.exists(folder / "pyvenv.cfg")  # noqa: PTH110


def is_of_interest(path: Path) -> bool:
    """Return whether a Python file can be an application, by its name."""
    name = path.name
    return name not in _NOT_APPLICATIONS and not name.startswith("test_") and not name.endswith("_test.py")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig") if path.is_file() and path.stat().st_size <= _LARGEST else ""
    except (OSError, ValueError):
        return ""


def _parse(texts: dict[Path, str], roots: dict[Path, Path]) -> Iterator[PythonSource]:
    for path, text in texts.items():
        try:
            yield PythonSource(path, text, roots[path])
        except SyntaxError:
            continue


def _root(path: Path, folder: Path, texts: dict[Path, str]) -> Path:
    """Return the folder that has to be searched for a file to be imported."""
    root = import_root(path)
    if root == folder or not root.is_relative_to(folder):
        return folder
    parts = root.relative_to(folder).parts
    if root.name == "src" or (root / "manage.py").is_file() or not all(part.isidentifier() for part in parts):
        return root
    beside = {each.stem for each in root.glob("*.py")} | {each.parent.name for each in root.glob("*/__init__.py")}
    own = {name for name in beside if not (folder / name).exists() and not (folder / f"{name}.py").exists()}
    inside = [text for each, text in texts.items() if each.is_relative_to(root)]
    imported = re.compile(rf"^\s*(?:from|import)\s+(?:{'|'.join(map(re.escape, own)) or '(?!)'})\b", re.MULTILINE)
    return root if any(imported.search(text) for text in inside) else folder
