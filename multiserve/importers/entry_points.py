"""The objects behind `egg:` in Paste's files: entry points of the project beside the file and of installed packages.

Only metadata is read: no package is imported, and no setup.py is executed.
"""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path


def find_entry_point(folder: Path, distribution: str, group: str, name: str) -> str:
    """Return what an entry point is, such as `shop:main`; empty if it is nowhere.

    Args:
        folder: The folder of the project, whose own files are looked at first.
        distribution: The name of the package, as `egg:` has it.
        group: The group, such as `paste.app_factory`.
        name: The name in the group.
    """
    for own_name, own_group, own_entry, value in _of_project(folder):
        if _normal(own_name) == _normal(distribution) and (own_group, own_entry) == (group, name):
            return value
    for each in metadata.entry_points(group=group, name=name):
        if each.dist is not None and _normal(each.dist.name) == _normal(distribution):
            return each.value
    return ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _of_project(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Iterate over the name of the project, and group, name and value of its entry points."""
    for name, read in ("pyproject.toml", _of_pyproject), ("setup.cfg", _of_setup_cfg), ("setup.py", _of_setup):
        try:
            text = (folder / name).read_text("utf-8")
            yield from read(text)
        except (OSError, ValueError, SyntaxError, configparser.Error):
            continue


def _of_pyproject(text: str) -> Iterator[tuple[str, str, str, str]]:
    project = tomllib.loads(text).get("project", {})
    for group, entries in project.get("entry-points", {}).items():
        for name, value in entries.items():
            yield str(project.get("name", "")), group, name, str(value)


def _of_setup_cfg(text: str) -> Iterator[tuple[str, str, str, str]]:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.read_string(text)
    for group, entries in parser["options.entry_points"].items() if "options.entry_points" in parser else ():
        yield from _lines(parser.get("metadata", "name", fallback=""), group, entries.splitlines())


def _of_setup(text: str) -> Iterator[tuple[str, str, str, str]]:
    for node in ast.walk(ast.parse(text)):
        keywords = {each.arg: each.value for each in node.keywords} if isinstance(node, ast.Call) else {}
        if not {"name", "entry_points"} <= keywords.keys():
            continue
        project, points = ast.literal_eval(keywords["name"]), ast.literal_eval(keywords["entry_points"])
        if isinstance(points, str):
            points = _sections(points)
        for group, lines in points.items():
            yield from _lines(str(project), group, lines.splitlines() if isinstance(lines, str) else lines)


def _sections(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[] ")
        elif line:
            found.setdefault(group, []).append(line)
    return found


def _lines(project: str, group: str, lines: list[str]) -> Iterator[tuple[str, str, str, str]]:
    for line in lines:
        name, _, value = line.partition("=")
        if value:
            yield project, group, name.strip(), value.strip()
