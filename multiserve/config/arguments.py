"""Reads the targets of a command line into the table that a file has under `[mounts]`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomli

from multiserve.config.tables import Table, quote_text
from multiserve.config.targets import TargetProblem
from multiserve.errors import Problem
from multiserve.hosts import is_loopback

_ROOT = "/"
_TARGET = re.compile(r"[\w./-]+:\w|[^=]*=|\.{1,2}/|.*\.py\Z|[^/].*/\Z")
_SERVER = re.compile(r"https?://(?:[^/?#@\[\]]+|\[[0-9A-Fa-f:.]+\](?::\d+)?)/?")
_SOCKET = re.compile(r"unix:.*(?:/|\.sock\Z)")
_BRACKETS = (("(", ")"), ("{", "}"), ("[", "]"))
_OTHER_SHAPE = "Write it as in the file, in single quotes for the shell: '/docs={ static = \"site\" }'."


class Arguments(Table):
    """The mounts of a command line; a problem names the argument as it was typed.

    Attributes:
        kinds: The keywords of those whose value is a bare text, such as `app` or `static`, by their keys.
    """

    def __init__(self, problems: list[Problem]) -> None:
        """Begin without any mount."""
        super().__init__({}, "", problems)
        self.kinds: dict[str, str] = {}
        self._typed: dict[str, str] = {}

    def add(self, argument: str, folder: Path) -> None:
        """Read one argument."""
        key, text = _split(argument)
        if key in self._typed:
            hint = "Keep one of the two."
            if key == _ROOT and argument == text:
                hint = f'An argument without a key is mounted at "/": write /prefix={argument} for another place.'
            message = f"the same mount as {self._typed[key]}"
            self.problems.append(Problem(key=argument, message=message, hint=hint))
            return
        self._typed[key] = argument
        try:
            value = _read_table(text) if text.startswith("{") else text
            if value is text:
                self.kinds[key] = _kind_of(text, key, folder)
        except TargetProblem as error:
            self.problems.append(error.at(argument))
        else:
            self.values = {**self.values, key: value}

    @property
    def tables(self) -> dict[str, Any]:
        """The entries as a file has them, where a bare text is an application."""
        return {
            key: {self.kinds[key]: value} if self.kinds.get(key, "app") != "app" else value
            for key, value in self.values.items()
        }

    def path(self, name: str) -> str:
        """Return the argument that an entry comes from."""
        return self._typed[name]


def read_arguments(arguments: Iterable[str], folder: Path, problems: list[Problem]) -> Arguments:
    """Return the entries that arguments stand for.

    Args:
        arguments: Each is `KEY=TARGET`, or a target for the root.
        folder: The folder that relative paths start from.
        problems: What is wrong is added to it.
    """
    mounts = Arguments(problems)
    for argument in arguments:
        mounts.add(argument, folder)
    return mounts


def _split(argument: str) -> tuple[str, str]:
    """Return the key and the target; an equals sign inside brackets belongs to the target."""
    before, sign, behind = argument.partition("=")
    if not sign or any(before.count(left) != before.count(right) for left, right in _BRACKETS):
        return _ROOT, argument
    return before, behind


def is_target(argument: str) -> bool:
    """Return whether an argument of a command that takes other words, too, is a target, with or without a key."""
    return _TARGET.match(argument) is not None


def _kind_of(text: str, key: str, folder: Path) -> str:
    """Return the keyword of the kind of mount that a text looks like."""
    if text.startswith(("http://", "https://")):  # nobody is redirected to their own machine
        is_here = _SERVER.fullmatch(text) and is_loopback(urlsplit(text).hostname or "")
        return "proxy" if is_here else "redirect"
    if _SOCKET.match(text):
        return "proxy"
    path = folder / text
    # Path.is_dir and Path.is_file raise where a name is too long.
    # A module wins over a folder of its name, as it does where it is imported.
    modules = (path / "__init__.py", folder / f"{text}.py")
    is_module = "/" not in text and any(map(os.path.isfile, modules))
    if not text or ":" in text or text.endswith(".py") or is_module:
        return "app"
    if os.path.isdir(path):  # noqa: PTH112
        return "fleet" if any(path.glob("*.py")) or any(path.glob("*/__init__.py")) else "static"
    if os.path.isfile(path):  # noqa: PTH113
        return "file"
    if os.path.isabs(text):  # noqa: PTH117
        hint = f"A redirect is written as in the file: '{key}={{ redirect = {quote_text(text)} }}'."
        if key == _ROOT:
            hint = f"To mount something there, write {text}=module:app."
        raise TargetProblem(f'there is no folder and no file "{text}"', hint)
    return "static" if "/" in text else "app"


def _read_table(text: str) -> Any:
    try:
        document = tomli.loads(f"value = {text}")
    except (tomli.TOMLDecodeError, RecursionError, ValueError) as error:
        message = error.msg if isinstance(error, tomli.TOMLDecodeError) else str(error)
        raise TargetProblem(f"not TOML: {message}", _OTHER_SHAPE) from None
    if document.keys() != {"value"}:
        raise TargetProblem("not TOML: there is more than one table", _OTHER_SHAPE)
    return document["value"]
