"""Sections of a file of PasteDeploy as targets, such as `paste:development.ini#main`; PasteDeploy itself loads them."""

from __future__ import annotations

import configparser
import difflib
import importlib
import os
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any
from urllib.parse import quote

from multiserve.config.targets import Target
from multiserve.excerpts import excerpt
from multiserve.loading.modules import Failure, blamed
from multiserve.tracebacks import is_foreign, own_frames

_APPLICATION = re.compile(
    r"^\[(?:app|application|composite|composit|pipeline|filter-app):\s*([^\]]+?)\s*\]", re.MULTILINE
)


class PasteSections:
    """Makes the application of each section once, however often it is mounted."""

    def __init__(self) -> None:
        """Start without any application."""
        self._made: dict[tuple[Path, str], Any] = {}

    def application_of(self, target: Target, folder: Path) -> Any:
        """Return the application of a section.

        Args:
            target: The file and the section.
            folder: The folder that the file is relative to.

        Raises:
            Failure: PasteDeploy is not installed, the file is wrong, or what it names cannot be made.
        """
        key = (folder / target.file, target.section)
        if key not in self._made:
            self._made[key] = _load(target, *key)
        return self._made[key]


def _load(target: Target, file: Path, section: str) -> Any:
    if not os.path.isfile(file):  # noqa: PTH113 (Path.is_file raises where a name is too long)
        raise Failure(f"there is no file {file}", "Paths are relative to the folder of the configuration.")
    try:
        deploy = importlib.import_module("paste.deploy")
    except ImportError:
        message = f'"{target.text}" is loaded by PasteDeploy, which is not installed'
        raise Failure(message, 'Type pip install "multiserve[paste]".') from None
    with blamed(f'loading "{target.text}" failed: '):
        try:
            return deploy.loadapp(f"config:{quote(str(file))}", name=section)  # a # would begin the name of a section
        except PackageNotFoundError as error:
            if any(not is_foreign(frame.filename) for frame in own_frames(error)):  # an application has raised it
                raise
            message = f'{target.file} uses the distribution "{error.name}", which is not installed'
            raise Failure(
                message, "Install it, or correct the name behind egg:.", _line_with(file, error.name)
            ) from None
        except configparser.Error as error:
            raise Failure(f"{target.file} is no file of PasteDeploy: {' '.join(str(error).split())}") from None
        except LookupError as error:
            if type(error) is not LookupError:  # an application has raised it
                raise
            raise Failure(f"PasteDeploy finds no application: {error}", _near(file, section)) from None


def _line_with(file: Path, distribution: str) -> str:
    """Return the line of a file that names a distribution, as messages show it; empty if another file does."""
    used = re.compile(rf"egg:\s*{re.escape(distribution)}(?=[\s#]|$)")
    lines = file.read_text("utf-8", "replace").splitlines()
    found = next((number for number, line in enumerate(lines, start=1) if used.search(line)), 0)
    return excerpt(lines[found - 1], found) if found else ""


def _near(file: Path, section: str) -> str:
    """Return what to write in place of a section that the file does not have; empty if the mistake is inside it."""
    names = _APPLICATION.findall(file.read_text("utf-8", "replace"))
    if section in names or not names:
        return ""
    nearest = difflib.get_close_matches(section, names, 1) or names
    return f'Did you mean "paste:{file.name}#{nearest[0]}"?' if len(nearest) == 1 else f"It has {', '.join(names)}."
