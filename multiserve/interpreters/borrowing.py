"""The importer by which a process of another Python finds multiserve, and what it needs, in our environment.

It is loaded by its path where nothing of multiserve can be imported yet, and imports the standard library alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from json import loads
from types import ModuleType

VARIABLE = "MULTISERVE_BORROWED"  # hands over what is borrowed: JSON, as `borrow` takes it


class Borrowed:
    """Finds a few top-level modules, each in a folder that is on no search path.

    Their submodules are found by Python itself. There is no `find_distributions`: `importlib.metadata` answers as if
    nothing were borrowed.

    Attributes:
        folders: Name of a module -> the folder that it is in.
        handed_over: What this process was told to borrow.
    """

    def __init__(self, folders: Mapping[str, str], handed_over: str) -> None:
        """Find these modules in these folders."""
        self.folders = folders
        self.handed_over = handed_over

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 (of a package, and packages find their modules themselves)
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module, as `sys.meta_path` asks for it."""
        folder = self.folders.get(fullname)
        return None if folder is None else PathFinder.find_spec(fullname, [folder], target)


def borrow(text: str) -> None:
    """Make modules of our environment importable, and nothing else of it.

    Args:
        text: JSON of an object; `modules` are found where this environment has none of their name, and `first` even
            where it has one: both map names of top-level modules to folders.
    """
    borrowed = loads(text)
    if borrowed["first"]:
        sys.meta_path.insert(0, Borrowed(borrowed["first"], text))
    sys.meta_path.append(Borrowed(borrowed["modules"], text))


def borrow_what_was_handed_over() -> None:
    """Borrow what the environment says, and take the variable out of it: it concerns no application."""
    text = os.environ.pop(VARIABLE, "")
    if text:
        borrow(text)


def variables_to_hand_on() -> dict[str, str]:
    """Return the variables for a process that runs the command of this one again, as for gunicorn's SIGUSR2."""
    # By its attribute: the entry has loaded this module under another name.
    texts = [text for finder in sys.meta_path if (text := getattr(finder, "handed_over", ""))]
    return {VARIABLE: texts[-1]} if texts else {}
