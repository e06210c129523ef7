"""Folders of static files that no application in the project serves by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from multiserve.discovery.found import Found
from multiserve.discovery.project import Project

_ASSETS = ("static", "public", "assets", "media")
_SITES = ("site", "_site", "htdocs", "html")


def find(project: Project) -> Iterator[Found]:
    """Find the folders of the usual names, and those that have an index.html of their own."""
    for name in _ASSETS:
        folder = project.folder / name
        if folder in project.folders and _has_files(folder) and not _is_served(project, name):
            yield Found("static files", {"static": name}, f"{name}/", (name,), key=f"/{name}", is_certain=False)
    for name in _SITES:
        if (project.folder / name / "index.html").is_file() and not (project.folder / name / "__init__.py").is_file():
            yield Found("static files", {"static": name}, f"{name}/", (name.strip("_"),), is_certain=False)


def _has_files(folder: Path) -> bool:
    return any(path.is_file() for path in folder.rglob("*") if not path.name.startswith("."))


def _is_served(project: Project, name: str) -> bool:
    """Return whether an application serves the folder: Flask the one beside it, others the one that they name."""
    for source in project.sources:
        beside = source.path.parent == project.folder
        if beside and name == "static" and any(source.calls("Flask", "Quart")):
            return True
        if any(name in source.shown(call) for call in source.calls("StaticFiles", "create_static_files_router")):
            return True
    return (project.folder / "package.json").is_file() and name == "public"  # what a bundler copies into its build
