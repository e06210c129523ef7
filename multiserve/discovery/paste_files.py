"""Files of PasteDeploy, such as Pyramid's development.ini, whose main application is a target."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from multiserve.discovery.found import Found
from multiserve.discovery.names import names_of
from multiserve.discovery.project import Project

# A composite has applications that are better mounted each by itself: see `compositions`.
_MAIN = re.compile(r"^\[(?:app|application|pipeline|filter-app):\s*main\s*\]", re.MULTILINE)
_EGG = re.compile(r"^\s*use\s*[=:]\s*egg:\s*([\w.-]+)", re.MULTILINE)
_PREFERRED = "development.ini"  # as Pyramid's cookiecutter calls it
_LARGEST = 100_000  # bytes


def find(project: Project) -> Iterator[Found]:
    """Find one file for each folder: others there are for other places where the same application is served."""
    for folder in project.folders:
        found = [(path, text) for path in sorted(folder.glob("*.ini")) if _MAIN.search(text := _read(path))]
        found.sort(key=lambda each: each[0].name != _PREFERRED)
        for path, text in found[:1]:
            file = path.relative_to(project.folder).as_posix()
            egg = _EGG.search(text)
            others = ", ".join(other.name for other, _ in found[1:])
            yield Found(
                "Pyramid" if "pyramid" in text.lower() else "PasteDeploy",
                {"app": f"paste:{file}"},
                file,
                names_of((egg[1] if egg and egg[1].lower() != "paste" else folder.name).replace("-", "_"), ""),
                comment=f"There is also {others}." if others else "",
            )


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8") if path.is_file() and path.stat().st_size <= _LARGEST else ""
    except (OSError, ValueError):
        return ""
